"""Problem documents (RFC 9457) for every error."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import Match

from services.api.models.problem import Problem
from services.api.serialization.rows import encode
from services.common.errors import AwayError, TransientError
from services.contracts.pairs import Pair, is_pair

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2
_RECEIVED_CHARACTERS = 100
_KNOWN = 20
# "Value error, expected X, received Y" and "Input should be X" both say X.
_EXPECTED = re.compile(
    r"(?:Value error, )?(?:expected |Input should be )?(?P<expected>.*?)(?:, received .*)?"
)

log = structlog.get_logger()

RESPONSES: dict[int | str, dict[str, Any]] = {
    404: {"description": "Not known; the problem names what is.", "model": Problem},
    422: {"description": "The request is wrong; the problem says where.", "model": Problem},
    503: {"description": "Away, but coming back: see Retry-After.", "model": Problem},
}


class ProblemError(Exception):
    """Ends a request with a problem document; `members` are its extension members."""

    def __init__(
        self,
        status: HTTPStatus,
        title: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = headers
        self.members = members

    def response(self) -> Response:
        """Return the document."""
        document = {
            "type": f"urn:pairstream:problem:{self.title.lower().replace(' ', '-')}",
            "title": self.title,
            "status": self.status.value,
            "detail": self.detail,
            **self.members,
        }
        return Response(encode(document), self.status, self.headers, MEDIA_TYPE)


def unknown(what: str, received: str, known: Iterable[str]) -> ProblemError:
    """Return the problem of a name that is not known; it tells which ones are, the nearest first."""
    names = list(known)
    meant = received[:_RECEIVED_CHARACTERS].upper()
    turned = [name for name in names if _turned(name) == meant]
    near = list(dict.fromkeys((*turned, *get_close_matches(meant, names))))
    named = list(dict.fromkeys((*near, *names)))[:_KNOWN]
    more = f" or {len(names) - len(named)} others" if len(names) > len(named) else ""
    expected = ", ".join(named) or "(none is known yet)"
    detail = f"expected one of {expected}{more}, received {_shortened(received)!r}"
    return ProblemError(HTTPStatus.NOT_FOUND, f"Unknown {what}", detail, known=named, near=near)


def _turned(name: str) -> str | None:
    """Return the pair with its legs swapped, None of what is no pair."""
    return str(Pair(*reversed(Pair.parse(name)))) if is_pair(name) else None


def invalid(found: Iterable[Mapping[str, Any]]) -> ProblemError:
    """Return the problem document of a request in which pydantic has `found` errors."""
    errors = [_field_error(one) for one in found]
    detail = "; ".join(f"{one['field']}: expected {one['expected']}" for one in errors)
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid request", detail, errors=errors)


def refused(field: str, expected: str, received: object) -> ProblemError:
    """Return the problem of a parameter that pydantic lets pass."""
    wrong = {"type": "value_error", "loc": ("query", field), "msg": f"expected {expected}", "input": received}
    return invalid([wrong])


def unavailable(detail: str, **members: Any) -> ProblemError:
    """Return the problem of something that is away and will come back."""
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "Unavailable", detail, headers, **members)


def internal(error_id: str) -> ProblemError:
    """Return the problem document of a defect of ours: only its id, under which the log has the rest."""
    detail = "an unexpected error, which is in the log of the service under this id"
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error", detail, id=error_id)


def install(app: FastAPI) -> None:
    """Answer every expected error of `app` with its problem."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(AwayError, _away)
    app.add_exception_handler(TransientError, _transient)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return error.response()


async def _away(_: Request, error: Exception) -> Response:
    assert isinstance(error, AwayError)
    log.warning("unavailable", error=str(error))
    return unavailable(error.told).response()


async def _transient(_: Request, error: Exception) -> Response:
    return unavailable(str(error)).response()


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return invalid(error.errors()).response()


def _field_error(error: Mapping[str, Any]) -> dict[str, str | None]:
    field = ".".join(map(str, error["loc"][1:])) or str(error["loc"][0])
    match error["type"]:
        case "missing":
            return {"field": field, "expected": "a value", "received": None}
        case "extra_forbidden":
            expected = "only documented parameters"
        case "json_invalid" if isinstance(error["loc"][-1], int):
            expected = f"JSON, which this is not at character {field}: {error['ctx']['error']}"
            return {"field": "body", "expected": expected, "received": None}
        case "json_invalid":
            expected = "JSON"
        case _ if error["loc"] == ("body",) and isinstance(error["input"], bytes):
            expected = "JSON, and the header Content-Type: application/json"
            return {"field": field, "expected": expected, "received": error["input"].decode(errors="replace")}
        case _:
            found = _EXPECTED.fullmatch(error["msg"])
            expected = found["expected"] if found else error["msg"]
    return {"field": field, "expected": expected, "received": _received(error["input"])}


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = {
        HTTPStatus.NOT_FOUND: "expected a route that /docs lists, received another",
    }.get(status, error.detail)
    headers = error.headers
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_methods(request))
        headers, detail = {"Allow": allowed}, f"expected {allowed}, received {request.method}"
    return ProblemError(status, status.phrase.capitalize(), detail, headers).response()


def _methods(request: Request) -> list[str]:
    """Return every method of a path, which may have several routes."""
    matching = [
        route
        for route in iter_route_contexts(request.app.routes)
        if route.matches(request.scope)[0] != Match.NONE
    ]
    return sorted(
        {method for route in matching if route.path == matching[0].path for method in route.methods or ()}
    )


def _received(value: object) -> str | None:
    """Return a value as it was sent, as far as it was text; None for files."""
    if isinstance(value, str | float):
        return _shortened(str(value))
    try:
        return _shortened(encode(value).decode())
    except TypeError:
        return None


def _shortened(text: str) -> str:
    return text if len(text) <= _RECEIVED_CHARACTERS else f"{text[:_RECEIVED_CHARACTERS]}…"
