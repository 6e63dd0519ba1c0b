"""Catalogue of datasets: which there are, and what each holds."""

from http import HTTPStatus
from typing import NamedTuple

from psycopg import sql
from psycopg.errors import LockNotAvailable

from services.api.problems import ProblemError, unknown
from services.api.queries.reader import StoreReader
from services.api.serialization.rows import Row
from services.common.errors import TransientError
from services.contracts.symbol_forms import read_symbol
from services.datasets.report import Kind

# Most names in a problem document.
_NAMED = 1_000
_FIRST_FINDINGS = 20

_SUMMARY = sql.SQL("""
SELECT dataset_id, name, extract(epoch FROM bar_width)::float8 AS width_s, datasets.bars,
       first_ts AS first_us, last_ts AS last_us, symbol_count, gaps, missing, carried, carried_share,
       coalesce((findings -> 'rejected')::int8, 0) AS rejected,
       coalesce((findings -> 'skipped')::int8, 0) AS skipped,
       coalesce((findings -> 'adjusted')::int8, 0) AS adjusted,
       coalesce((findings -> 'odd')::int8, 0) AS odd,
       coalesce((findings -> 'repeated')::int8, 0) AS repeated,
       coalesce((findings -> 'out of order')::int8, 0) AS out_of_order,
       uploaded_at AS uploaded_us
FROM datasets JOIN (
    SELECT dataset_id, min(first_ts) AS first_ts, max(last_ts) AS last_ts, count(*) AS symbol_count,
           sum(gaps)::int8 AS gaps, sum(missing)::int8 AS missing, sum(carried)::int8 AS carried,
           (sum(carried) / sum(bars) FILTER (WHERE carried IS NOT NULL))::float8 AS carried_share
    FROM dataset_symbols GROUP BY dataset_id
) AS symbols USING (dataset_id)
""")
_LIST = _SUMMARY + sql.SQL("ORDER BY uploaded_at DESC, dataset_id")
_ONE = _SUMMARY + sql.SQL("WHERE dataset_id = %(dataset_id)s")
_FILES = sql.SQL("SELECT files FROM datasets WHERE dataset_id = %(dataset_id)s")
_SYMBOLS = sql.SQL("""
SELECT symbol, bars, first_ts AS first_us, last_ts AS last_us, gaps, missing,
       carried, (carried / bars::numeric)::float8 AS carried_share
FROM dataset_symbols WHERE dataset_id = %(dataset_id)s ORDER BY symbol
""")
_FINDINGS = sql.SQL("""
SELECT kind, file, line, reason FROM dataset_findings
WHERE dataset_id = %(dataset_id)s AND (%(kind)s::text IS NULL OR kind = %(kind)s) ORDER BY nth LIMIT %(limit)s
""")
_FIND = sql.SQL("""
SELECT dataset_id, name, (extract(epoch FROM bar_width) * 1000000)::int8 AS width, uploaded_at
FROM datasets WHERE dataset_id = %(given)s OR name = %(given)s
ORDER BY dataset_id = %(given)s DESC LIMIT 1
""")
_NAMES = sql.SQL("SELECT name FROM datasets ORDER BY uploaded_at DESC LIMIT %(limit)s")
_OF = sql.SQL("SELECT symbol FROM dataset_symbols WHERE dataset_id = %(dataset_id)s ORDER BY symbol")
_COUNT = sql.SQL("SELECT count(*) AS datasets FROM datasets")
# The next reader of the dataset waits as long.
_PATIENCE = "SET LOCAL lock_timeout = '2s'"
_DELETE = "DELETE FROM datasets WHERE dataset_id = %s"


class CatalogueEntry(NamedTuple):
    """A dataset, the width of its bars in µs, and when it was uploaded (epoch, us)."""

    dataset_id: str
    name: str
    width_us: int
    uploaded_us: int


async def find(store: StoreReader, given: str) -> CatalogueEntry:
    """Return the dataset of an id or a name; ProblemError names those that are known."""
    found = await store.select(_FIND, {"given": given}) if "\0" not in given else []
    if not found:
        known = await store.select(_NAMES, {"limit": _NAMED})
        raise unknown("dataset", given, [row["name"] for row in known])
    return CatalogueEntry(*found[0].values())


async def symbols(store: StoreReader, dataset: CatalogueEntry) -> list[str]:
    """Return the symbols of a dataset, in order."""
    return [row["symbol"] for row in await store.select(_OF, {"dataset_id": dataset.dataset_id})]


async def require_symbols(store: StoreReader, dataset: CatalogueEntry, *wanted: str) -> list[str]:
    """Return the symbols of the dataset that are `wanted`, in whatever form; ProblemError names those it has."""
    known = await symbols(store, dataset)
    names = [read_symbol(symbol, known) for symbol in wanted]
    for symbol, name in zip(wanted, names, strict=True):
        if name not in known:
            raise unknown("symbol", symbol, known)
    return names


async def summaries(store: StoreReader) -> list[Row]:
    """Return every dataset, the last one uploaded first."""
    return await store.select(_LIST, {})


async def describe(store: StoreReader, dataset_id: str) -> Row:
    """Return all of one dataset but its bars, with the first findings; ProblemError if it is gone."""
    of = {"dataset_id": dataset_id}
    summary, files = await store.select(_ONE, of), await store.select(_FILES, of)
    if not summary or not files:
        raise ProblemError(HTTPStatus.NOT_FOUND, "Unknown dataset", "it has been deleted meanwhile")
    return {
        **summary[0],
        "symbols": await store.select(_SYMBOLS, of),
        "files": files[0]["files"],
        "findings": await findings(store, dataset_id, None, _FIRST_FINDINGS),
    }


async def findings(store: StoreReader, dataset_id: str, kind: Kind | None, limit: int) -> list[Row]:
    """Return the first findings in the files of a dataset."""
    return await store.select(_FINDINGS, {"dataset_id": dataset_id, "kind": kind, "limit": limit})


async def count(store: StoreReader) -> int:
    """Return how many datasets there are."""
    return int((await store.select(_COUNT, {}))[0]["datasets"])


async def delete(store: StoreReader, dataset_id: str) -> None:
    """Delete a dataset once no statement reads its bars; TransientError if that takes too long."""
    async with store.writing() as connection:
        await connection.execute(_PATIENCE)
        try:
            await connection.execute(_DELETE, [dataset_id])
        except LockNotAvailable as error:
            raise TransientError("others are reading the dataset: ask again") from error
