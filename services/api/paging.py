"""One page of a table of the store: from the query to the answer."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import Request, Response

from services.api import cursor
from services.api.backend import Backend
from services.api.listing import answer
from services.api.models.base import Record
from services.api.problems import ProblemError
from services.api.queries import PeriodQuery
from services.api.rows import Row
from services.api.tables import Order, Selection, Table


async def page(
    request: Request,
    backend: Backend,
    query: PeriodQuery,
    limit: int,
    table: Table,
    model: type[Record],
    equal: Mapping[str, str | Sequence[str]],
    order: Order = "ascending",
    **members: Sequence[Row],
) -> Response:
    """Answer `query` with rows of `table` in which the columns `equal` have these values, and JSON with `members`."""
    selection = Selection(limit, order, equal, query.start, query.end, _after(query, table))
    found = await backend.store.page(table, selection)
    following = None if found.last is None else cursor.encode(found.last)
    return answer(request, query.format, model, backend.feed, found.rows, following, **members)


def from_start_or_newest(query: PeriodQuery) -> Order:
    """Return the order of a table that shows its end unless a place to begin is given."""
    return "newest" if query.start is None and query.cursor is None else "ascending"


def _after(query: PeriodQuery, table: Table) -> cursor.Key | None:
    if query.cursor is None:
        return None
    try:
        return cursor.decode(query.cursor, table.cursor)
    except ValueError:
        expected = "a next_cursor of this resource, unchanged"
        errors = [{"field": "cursor", "expected": expected, "received": query.cursor[:100]}]
        detail = f"cursor: expected {expected}"
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid request", detail, errors=errors
        ) from None
