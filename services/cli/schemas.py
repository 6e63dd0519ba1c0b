"""Generated contracts in ``schemas/``: ``python -m services.cli.schemas`` writes them."""

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
from services.cli import asyncapi, client_types
from services.contracts.messages import MESSAGES

DIRECTORY = Path(__file__).parents[2] / "schemas"


def documents() -> dict[str, str]:
    """Return every generated file in schemas/: its name and its text."""
    contents = {f"{name}.v1.json": _message(struct) for name, struct in MESSAGES.items()}
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
    for name, text in documents().items():
        (DIRECTORY / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"schemas/{name}\n")
    client = client_types.PATH
    client.write_text(client_types.renewed(client.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"docs/client/{client.name}\n")


if __name__ == "__main__":
    main()
