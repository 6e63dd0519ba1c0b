"""Generated contracts: ``schemas/``, docs/settings.md, the dashboard's types: ``python -m services.cli.schemas``."""

import inspect
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from services.api.app import create_app
from services.api.backend import Backend
from services.api.settings import ApiSettings
from services.cli import asyncapi, client_types, settings_reference, ui_types
from services.contracts.messages import MESSAGES
from services.contracts.targets import WebhookBody

DIRECTORY = Path(__file__).parents[2] / "schemas"


def documents() -> dict[str, str]:
    """Return every generated file in schemas/: its name and its text."""
    described = MESSAGES | {"webhook": WebhookBody}
    contents = {f"{name}.v1.json": _message(struct) for name, struct in described.items()}
    contents["openapi.json"] = create_app(Backend(ApiSettings())).openapi()
    texts = {
        name: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for name, content in contents.items()
    }
    return texts | {"asyncapi.yaml": asyncapi.as_yaml()}


def _message(struct: type[Struct]) -> dict[str, Any]:
    schema = msgspec.json.schema(struct)
    definitions = schema["$defs"]
    own = definitions.pop(struct.__name__)
    own["description"] = inspect.cleandoc(own["description"])
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **own}
    return document | ({"$defs": definitions} if definitions else {})


def main() -> None:
    """Write the files and say which."""
    texts = documents()
    files = {DIRECTORY / name: text for name, text in texts.items()}
    files[ui_types.PATH] = ui_types.module(json.loads(texts["openapi.json"]))
    files[settings_reference.PATH] = settings_reference.text()
    files[client_types.PATH] = client_types.renewed(client_types.PATH.read_text(encoding="utf-8"))
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(DIRECTORY.parent)}\n")


if __name__ == "__main__":
    main()
