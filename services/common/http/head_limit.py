"""Limit on the length of a request's URL and headers."""

from http import HTTPStatus

from starlette.types import Scope

MOST_BYTES = 16 * 1024


def excess(scope: Scope) -> tuple[HTTPStatus, str] | None:
    """Return with which status and words a request is refused whose head is too long, None if it is not."""
    if len(scope["raw_path"]) + len(scope["query_string"]) > MOST_BYTES:
        detail = f"expected a path and a query of at most {MOST_BYTES} bytes, received more"
        return HTTPStatus.REQUEST_URI_TOO_LONG, detail
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_BYTES:
        detail = f"expected headers of at most {MOST_BYTES} bytes, received more"
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail
    return None
