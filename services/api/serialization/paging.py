"""Paging of a stored table: from the query to the response."""

from collections.abc import Mapping, Sequence

from fastapi import Request, Response

from services.api.backend import Backend
from services.api.models.base import Record
from services.api.parameters import ROWS_MAX, PeriodQuery
from services.api.problems import refused
from services.api.queries.tables import Order, RowSelection, TableSource
from services.api.serialization import cursor
from services.api.serialization.exports import PAGE_ROWS, bounded, pages
from services.api.serialization.listing import TableAnswer
from services.api.serialization.rows import Row


async def page(
    request: Request,
    backend: Backend,
    query: PeriodQuery,
    table: TableSource,
    model: type[Record],
    equal: Mapping[str, str | bool | Sequence[str]],
    order: Order = "ascending",
    about: Mapping[str, str] | None = None,
    **members: Sequence[Row] | None,
) -> Response:
    """Answer `query` with rows of `table` in which the columns `equal` have these values, and JSON with `members`.

    A Parquet file also says what the rows are `about`.
    """
    form = TableAnswer(request, query.format, model, {"feed": backend.feed, **members}, about)
    selection = RowSelection(query.limit, order, equal, query.start, query.end, _after(query, table))
    if query.limit <= PAGE_ROWS:
        records, following = await backend.store.page(table, selection)
        return await form.page(records, _cursor(following))
    if form.format == "json":
        expected = f"at most {PAGE_ROWS} as JSON, at most {ROWS_MAX} as csv or parquet"
        raise refused("limit", expected, query.limit)
    selection, following = await bounded(backend.store, table, selection)
    return form.stream(pages(backend.store, table, selection), _cursor(following))


def from_start_or_newest(query: PeriodQuery) -> Order:
    """Return the order of a table that shows its end unless a place to begin is given."""
    return "newest" if query.start is None and query.cursor is None else "ascending"


def _after(query: PeriodQuery, table: TableSource) -> cursor.Key | None:
    if query.cursor is None:
        return None
    try:
        return cursor.decode(query.cursor, table.cursor)
    except ValueError:
        raise refused("cursor", "a next_cursor of this resource, unchanged", query.cursor) from None


def _cursor(key: cursor.Key | None) -> str | None:
    return None if key is None else cursor.encode(key)
