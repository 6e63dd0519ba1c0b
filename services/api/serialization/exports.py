"""Export of more rows than one statement should read: page after page, each by a statement of its own.

A reader may take its time, and no connection or snapshot is held for it.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import NamedTuple

from services.api.queries.reader import StoreReader
from services.api.queries.tables import Order, RowSelection, TableSource
from services.api.serialization.cursor import Key
from services.api.serialization.rows import JsonRecords

PAGE_ROWS = 10_000
OPPOSITE: dict[Order, Order] = {"ascending": "descending", "descending": "ascending"}


class TableExport(NamedTuple):
    """Export of a table: its selection between two keys, and the key of the next page, if any."""

    selection: RowSelection
    following: Key | None


async def bounded(store: StoreReader, table: TableSource, selection: RowSelection) -> TableExport:
    """Return `selection` as it is now: of rows that arrive later only those between its keys are in it."""
    if selection.order == "newest":
        back = replace(selection, order="descending")
        before, newest = [await store.keys(table, back, offset) for offset in (selection.limit, 0)]
        forward = replace(selection, order="ascending", after=_first(before), until=_first(newest))
        return TableExport(forward, None)
    edge = await store.keys(table, selection, selection.limit - 1)
    if edge:
        return TableExport(replace(selection, until=edge[0]), edge[0] if len(edge) > 1 else None)
    opposite = replace(selection, order=OPPOSITE[selection.order], after=None)
    last = await store.keys(table, opposite, 0)
    return TableExport(replace(selection, until=_first(last)), None)


async def pages(
    store: StoreReader, table: TableSource, selection: RowSelection
) -> AsyncIterator[JsonRecords]:
    """Yield every record of `selection`, which is bounded, in its order."""
    following = replace(selection, limit=PAGE_ROWS)
    while True:
        async with store.exporting:
            records, last = await store.page(table, following)
        yield records
        if last is None:
            return
        following = replace(following, after=last)


def _first(keys: list[Key]) -> Key | None:
    return keys[0] if keys else None
