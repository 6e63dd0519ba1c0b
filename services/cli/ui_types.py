"""Types of the dashboard's answers, generated from the schemas of the API."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from services.cli import asyncapi

Schema = dict[str, Any]

PATH = Path(__file__).parents[1] / "ui/api/types.py"
ROOTS = (
    "Listing_Bar_",
    "SymbolDay",
    "ListedSymbol",
    "Pair",
    "Gap",
    "Alert",
    "Incident",
    "Status",
    "Snapshot",
    "Update",
    "Ack",
    "Analysis",
    "Calibration",
    "SignalWork",
    "RuleStatistics",
    "RuleTrial",
    "AlertDelivery",
    "Delivery",
    "Target",
    "DatasetDetail",
    "DatasetPreview",
    "Dataset",
    "Radar",
    "Confirmation",
    "ScanPairs",
    "ScanMatrix",
    "ZscoreLine",
)
"""Schemas that the dashboard reads; schemas that they refer to are added."""
FROM_CONTRACTS = {"Tick": "Tick", "Signal": "Signal", "LatestSignal": "Signal"}
"""Schemas of the API that are messages of the topics with readable times beside: the dashboard reads the messages."""
OWN_NAMES = {
    "Alert": "HandledAlert",
    "DatasetPreview": "Preview",
    "DatasetSymbol": "SymbolPart",
    "InstanceHealth": "ProcessHealth",
    "Pair": "WatchedPair",
    "SymbolDay": "SymbolStats",
    "SymbolState": "SymbolTape",
}
"""Name of a schema in the dashboard, where its own name is taken."""
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_EMPTY = {"array": "()", "object": "{}"}
_HEAD = '''"""Answers of the API: generated from its schemas by ``make schemas``, not to be edited.

Unknown fields are ignored, and what may be null may be absent. Times have no ISO twin here.
"""

from typing import Generic, Literal, TypeVar

from msgspec import Struct

from services.contracts.messages import Signal, Tick

T = TypeVar("T")
'''


def module(openapi: Schema) -> str:
    """Return the module: a struct for each schema that is read, after those that it refers to."""
    # Only AsyncAPI describes the messages of the stream; what they consist of is the same in both.
    schemas = {**asyncapi.document()["components"]["schemas"], **openapi["components"]["schemas"]}
    classes: dict[str, str] = {}
    for root in ROOTS:
        _add(root, schemas, classes)
    return "\n\n".join([_HEAD, *classes.values()])


def _add(name: str, schemas: dict[str, Schema], classes: dict[str, str]) -> None:
    if name in classes or name in FROM_CONTRACTS:
        return
    for referenced in _references(schemas[name]):
        _add(referenced, schemas, classes)
    classes[name] = _struct(name, schemas[name])


def _references(node: Any) -> Iterable[str]:
    if isinstance(node, dict) and "$ref" in node:
        yield _referenced(node)
    elif isinstance(node, dict | list):
        for part in node.values() if isinstance(node, dict) else node:
            yield from _references(part)


def _referenced(schema: Schema) -> str:
    return str(schema["$ref"].rpartition("/")[2])


def _struct(name: str, schema: Schema) -> str:
    """Return a class; pydantic calls a generic one ``Name_Argument_``, and a field ``type`` tells one from others."""
    generic, _, argument = name.rstrip("_").partition("_")
    properties = {field: told for field, told in schema["properties"].items() if _is_read(field, schema)}
    tag = properties.pop("type", {}).get("const")
    fields = [
        f"    {field}: {_type(told, argument)}{_default(told, field in schema.get('required', ()))}\n"
        for field, told in properties.items()
    ]
    bases = ["Struct", *(["Generic[T]"] if argument else ())]
    options = ["frozen=True", "kw_only=True", *([f'tag="{tag}"'] if tag else ())]
    text = schema.get("description", "A page of records.").partition("\n\n")[0].replace("\n", " ")
    return f'class {OWN_NAMES.get(name, generic)}({", ".join(bases + options)}):\n    """{text}"""\n\n{"".join(fields)}'


def _is_read(field: str, schema: Schema) -> bool:
    """Tell whether a field says something of its own, which others do not say and the next version has."""
    is_twin = field.removesuffix("_time") + "_us" in schema["properties"]
    return not (field.endswith("_time") and is_twin) and not schema["properties"][field].get("deprecated")


def _type(schema: Schema, argument: str) -> str:
    if "$ref" in schema:
        name = _referenced(schema)
        return "T" if name == argument else FROM_CONTRACTS.get(name) or OWN_NAMES.get(name, name)
    if "anyOf" in schema:
        return " | ".join(_type(one, argument) for one in schema["anyOf"])
    if "enum" in schema:
        return f"Literal[{', '.join(json.dumps(value) for value in schema['enum'])}]"
    if schema["type"] == "array":
        return f"tuple[{_type(schema['items'], argument)}, ...]"
    if schema.get("additionalProperties") is True:
        return "dict[str, object]"
    if schema["type"] == "object":
        return f"dict[str, {_type(schema['additionalProperties'], argument)}]"
    return _SCALARS[schema["type"]]


def _default(schema: Schema, is_required: bool) -> str:
    if {"type": "null"} in schema.get("anyOf", ()):
        return " = None"
    return "" if is_required else f" = {_EMPTY[schema['type']]}"
