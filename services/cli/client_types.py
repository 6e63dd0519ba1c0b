"""Row types of the Python client: the fields of its TypedDicts, from the models of the API, and the intervals."""

import re
from collections.abc import Iterable
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from services.api.models.alerts import Alert
from services.api.models.incidents import Incident
from services.api.models.market import Bar, Tick
from services.api.models.pairs import Signal
from services.contracts.intervals import ALL_WIDTHS_US

PATH = Path(__file__).parents[2] / "docs" / "client" / "pairstream_client.py"
MODELS: tuple[type[BaseModel], ...] = (Tick, Bar, Signal, Alert, Incident)


def renewed(client: str) -> str:
    """Return the text of the client with the fields and intervals of now; docstrings and all else stay."""
    for model in MODELS:
        fields = re.compile(
            rf'(^class {model.__name__}\(TypedDict\):\n    """.*?"""\n\n)(?:    [^\n]*\n)*', re.M | re.S
        )
        client, found = fields.subn(lambda match, model=model: match[1] + _fields(model), client)  # type: ignore[misc]
        assert found == 1, f"expected one class {model.__name__}(TypedDict) with a docstring, found {found}"
    return re.sub(r"^Interval = .*$", f"Interval = {_literal(ALL_WIDTHS_US)}", client, flags=re.M)


def _fields(model: type[BaseModel]) -> str:
    return "".join(
        f"    {name}: {_text(field.annotation)}{'  # deprecated' if field.deprecated else ''}\n"
        for name, field in model.model_fields.items()
    )


def _text(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _text(arguments[0])
    if origin in (Union, UnionType):
        return " | ".join(map(_text, arguments))
    if origin is dict:
        return f"dict[{', '.join(map(_text, arguments))}]"
    if origin is Literal:
        return _literal(arguments)
    return "None" if hint is NoneType else str(hint.__name__)


def _literal(values: Iterable[str]) -> str:
    return "Literal[" + ", ".join(f'"{value}"' for value in values) + "]"
