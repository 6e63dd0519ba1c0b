"""OpenAPI document: completes every operation with what all of them have in common."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from services.api.problems import MEDIA_TYPE
from services.api.security.admission import PROBES, SAFE_METHODS

Document = dict[str, Any]

_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key: `Authorization: Bearer KEY`. What changes something needs the role `write`.",
    },
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same key in a header of its own. A WebSocket of a browser offers the subprotocols "
        "`pairstream` and `key.KEY` instead.",
    },
}
_SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"header": []}]
_NO_KEY: list[dict[str, list[str]]] = [{}]
_REFUSALS = {
    HTTPStatus.UNAUTHORIZED: "A key is needed, and none or an unknown one was sent.",
    HTTPStatus.FORBIDDEN: "The caller, the host or the page may not ask this.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "Path and query are too long.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests: see Retry-After and RateLimit.",
}
_BODY_REFUSALS = {
    HTTPStatus.BAD_REQUEST: "The body cannot be parsed.",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not come.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
}


class Application(FastAPI):
    """FastAPI, with a complete document."""

    def openapi(self) -> Document:
        """Return the document: every error under its media type, who needs which key, and how one is refused."""
        if self.openapi_schema is None:
            document = super().openapi()
            document["components"]["securitySchemes"] = _SECURITY_SCHEMES
            keys_asked_for = self.state.backend.keys.are_asked_for
            document["security"] = _SECURITY if keys_asked_for else _SECURITY + _NO_KEY
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    _complete(path, method.upper(), operation)
                    if form := operation.get("requestBody", {}).get("content", {}).get("multipart/form-data"):
                        name = form["schema"]["$ref"].rpartition("/")[2]
                        _drop_null(document["components"]["schemas"][name])
            _describe_fields(document["components"]["schemas"])
        return super().openapi()


def _complete(path: str, method: str, operation: Document) -> None:
    for parameter in operation.get("parameters", ()):
        if "description" not in parameter:
            parameter["description"] = _description(parameter["schema"])
    responses: dict[str, Document] = operation["responses"]
    for status, response in responses.items():
        if status >= "400" and "content" in response:
            (content,) = response["content"].values()
            response["content"] = {MEDIA_TYPE: content}
    if path in PROBES:
        operation["security"] = []
        return
    for status_code, description in (
        _REFUSALS if method in SAFE_METHODS else _REFUSALS | _BODY_REFUSALS
    ).items():
        responses.setdefault(str(status_code.value), _refusal(description))


def _drop_null(form: Document) -> None:
    """Drop null from the fields of a form, which can only be left out."""
    for field in form["properties"].values():
        given = [one for one in field.get("anyOf", ()) if one != {"type": "null"}]
        if len(given) == 1:
            del field["anyOf"]
            field |= given[0]


def _describe_fields(schemas: Document) -> None:
    """Copy a missing field description from the schema that the field refers to."""
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            content = field.get("items", field)
            told = (content, *(_referenced(one, schemas) for one in (content, *content.get("anyOf", ()))))
            for described in (one for one in told if "description" in one):
                field.setdefault("description", described["description"])


def _referenced(schema: Document, schemas: Document) -> Document:
    referenced: Document = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return referenced


def _description(schema: Document) -> str:
    """Return what a parameter is that may be left out: its schema has it in one of several."""
    described = (one for one in (schema, *schema.get("anyOf", ())) if "description" in one)
    return str(next(described)["description"])


def _refusal(description: str) -> Document:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}
