"""Routes of the API, from its own description (``/openapi.json``), each with a command for curl."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

LIMIT = 10
METHODS = ("get", "post", "put", "patch", "delete")
FILES = "multipart/form-data"
STREAM = "text/event-stream"

Document = Mapping[str, Any]


class Route(NamedTuple):
    """Route: its summary, and a command that asks it."""

    method: str
    path: str
    does: str
    curl: str


class Group(NamedTuple):
    """Routes of one kind."""

    name: str
    says: str
    routes: tuple[Route, ...]


def groups(document: Document, api: str, known: Mapping[str, str]) -> list[Group]:
    """Return every route by its tag; `known` are parameters that have better values than their examples."""
    found: dict[str, list[Route]] = {tag["name"]: [] for tag in document.get("tags", ())}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                tag = next(iter(operation.get("tags", ())), "other")
                found.setdefault(tag, []).append(_route(document, method, path, operation, api, known))
    says = {tag["name"]: tag.get("description", "") for tag in document.get("tags", ())}
    return [Group(name, says.get(name, ""), tuple(routes)) for name, routes in found.items() if routes]


def _route(
    document: Document, method: str, path: str, operation: Document, api: str, known: Mapping[str, str]
) -> Route:
    filled, query, limit = path, {}, {}
    for parameter in operation.get("parameters", ()):
        name, value = parameter["name"], _value(parameter["name"], parameter["schema"], known)
        if parameter["in"] == "path":
            filled = filled.replace(f"{{{name}}}", quote(value, safe=""))
        elif parameter["in"] == "query" and parameter.get("required"):
            query[name] = value
        elif parameter["in"] == "query" and name == "limit" and "default" in parameter["schema"]:
            limit = {name: str(LIMIT)}
    words = ["curl", "-s"]
    if any(STREAM in answer.get("content", ()) for answer in operation.get("responses", {}).values()):
        words = ["curl", "-sN"]
    if method != "get":
        words += ["-X", method.upper()]
    asked = f"?{urlencode({**query, **limit})}" if query or limit else ""
    words += [_quoted(f"{api}{filled}{asked}"), *_body(document, operation, known)]
    does = (operation.get("description") or operation.get("summary", "")).split("\n\n")[0].replace("\n", " ")
    return Route(method.upper(), path, does.replace("`", ""), " ".join(words))


def _body(document: Document, operation: Document, known: Mapping[str, str]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    for kind, media in content.items():
        schema = _resolved(document, media["schema"])
        properties = schema.get("properties", {})
        wanted = (
            schema.get("required")
            or [name for name, one in properties.items() if _example(one) is not None][:1]
        )
        if kind == FILES:
            files = [name for name in wanted if _is_file(properties[name])]
            texts = [name for name in wanted if name not in files]
            fields = [*(f"{name}=@bars.csv" for name in files)]
            fields += [f"{name}={_value(name, properties[name], known)}" for name in texts]
            return [word for field in fields for word in ("-F", _quoted(field))]
        body = {name: _example(properties[name]) for name in wanted}
        return ["-H", "'Content-Type: application/json'", "-d", _quoted(json.dumps(body))]
    return []


def _resolved(document: Document, schema: Document) -> Document:
    """Return the schema itself, of several the first."""
    for one in (schema, *schema.get("anyOf", ())):
        if "$ref" in one:
            found: Document = document["components"]["schemas"][one["$ref"].rsplit("/", 1)[-1]]
            return found
    return schema


def _example(schema: Document) -> Any:
    """Return the first value that the schema names, None if it names none."""
    named = (*schema.get("examples", ()), schema.get("default"), *schema.get("enum", ()))
    return next((value for value in named if value is not None), None)


def _is_file(schema: Document) -> bool:
    one = schema.get("items", schema)
    return one.get("format") == "binary" or "contentMediaType" in one


def _value(name: str, schema: Document, known: Mapping[str, str]) -> str:
    example = _example(schema)
    return known.get(name) or (name.upper() if example is None else str(example))


def _quoted(text: str) -> str:
    """Return a text that a shell takes as it is."""
    return "'" + text.replace("'", "'\\''") + "'"
