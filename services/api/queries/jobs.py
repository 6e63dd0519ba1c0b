"""Jobs and what scans found, as they are stored."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from psycopg import sql

from services.api.queries.reader import StoreReader
from services.api.serialization.rows import JsonRecords, Row, row

_JOB = sql.SQL("""
job_id, kind, state, asked_at AS asked_us, started_at AS started_us, ended_at AS ended_us, progress, step, estimate_s,
CASE state WHEN 'waiting' THEN estimate_s
    WHEN 'running' THEN CASE WHEN progress > 0.15 THEN
        (extract(epoch FROM now() - started_at) * (1 - progress) / progress)::float8
        ELSE greatest(estimate_s - extract(epoch FROM now() - started_at)::float8, 0) END
END AS remaining_s,
attempts, reason, request
""")
_JOBS = sql.SQL("SELECT {} FROM jobs WHERE {} ORDER BY asked_at DESC, job_id LIMIT %(limit)s")
_PAIR_COLUMNS = sql.SQL("""
rank, y, x, stage, p_value, adjusted_p_value, held_out_p_value, trace_statistic, trace_critical_value,
break_statistic, break_critical_value, break_ts AS break_us, hedge_ratio, hedge_ratio_se, r_squared, half_life_bars,
half_life_corrected_bars, half_life_low_bars, half_life_high_bars, zero_crossings,
spread_bp, level_correlation, return_correlation, reason, spread
""")
_PAIRS = sql.SQL("SELECT {} FROM scan_pairs WHERE {} ORDER BY rank LIMIT %(limit)s")
_CELLS = sql.SQL(
    "SELECT y, x, {}::float8 AS value FROM scan_pairs WHERE job_id = %(job_id)s AND stage <> 'refused'"
)
# What a stage is one of.
_BEYOND = {
    "tried": ["tried", "significant", "corrected", "confirmed"],
    "significant": ["significant", "corrected", "confirmed"],
    "corrected": ["corrected", "confirmed"],
}
MATRICES = {
    "returns": sql.SQL("return_correlation"),
    "levels": sql.SQL("level_correlation"),
    # Zeros of the p-value: 3 is 0.001. A p-value of 0 is below any that can be told.
    "evidence": sql.SQL("-log(greatest(p_value, 1e-12))"),
}
PAGE_ROWS = 10_000


class PairSelection(NamedTuple):
    """Pairs of a scan: those that came through `stage` at least, or of `symbol`, after the rank `after`."""

    job_id: str
    limit: int
    after: int = 0
    stage: str | None = None
    symbol: str | None = None


async def find_jobs(store: StoreReader, limit: int, **equal: str) -> list[Row]:
    """Return jobs, the one asked for last first; `equal` are columns and their values."""
    return await store.select(_jobs(equal, _JOB), {"limit": limit, **equal})


async def find_scans(store: StoreReader, limit: int, **equal: str) -> list[Row]:
    """Return scans with what they found in short, the one asked for last first."""
    equal["kind"] = "scan"
    found = await store.select(_jobs(equal, _JOB + sql.SQL(", result AS summary")), {"limit": limit, **equal})
    return [{**one, "summary": one["summary"] and summary_row(one["summary"])} for one in found]


async def pairs(store: StoreReader, wanted: PairSelection) -> tuple[JsonRecords, int | None]:
    """Return a page of pairs, and the rank after which the next one begins, if there is one."""
    conditions = [sql.SQL("job_id = %(job_id)s AND rank > %(after)s")]
    values: dict[str, Any] = {"job_id": wanted.job_id, "after": wanted.after, "limit": wanted.limit + 1}
    if wanted.stage is not None:
        conditions.append(sql.SQL("stage = ANY (%(stages)s)"))
        values["stages"] = _BEYOND.get(wanted.stage, [wanted.stage])
    if wanted.symbol is not None:
        conditions.append(sql.SQL("%(symbol)s IN (y, x)"))
        values["symbol"] = wanted.symbol
    query = _PAIRS.format(_PAIR_COLUMNS, sql.SQL(" AND ").join(conditions))
    records = await store.records(query, values)
    if len(records) <= wanted.limit:
        return records, None
    records = records[:-1]
    return records, int(records.columns["rank"][-1])


async def pages(store: StoreReader, wanted: PairSelection) -> AsyncIterator[JsonRecords]:
    """Yield `wanted` page by page, each by a statement of its own."""
    left, after = wanted.limit, wanted.after
    while left > 0:
        async with store.exporting:
            records, following = await pairs(store, wanted._replace(limit=min(left, PAGE_ROWS), after=after))
        yield records
        if following is None:
            return
        left, after = left - len(records), following


async def matrix(store: StoreReader, job_id: str, of: str, symbols: list[str]) -> list[list[float | None]]:
    """Return the cells of `symbols`, which have the diagonal None, rounded to what can be drawn."""
    places = {symbol: number for number, symbol in enumerate(symbols)}
    cells: list[list[float | None]] = [[None] * len(symbols) for _ in symbols]
    found = (await store.records(_CELLS.format(MATRICES[of]), {"job_id": job_id})).columns
    for y, x, value in zip(*(found.get(name, ()) for name in ("y", "x", "value")), strict=True):
        rounded = None if value is None else round(value, 3)
        cells[places[y]][places[x]] = cells[places[x]][places[y]] = rounded
    return cells


def _jobs(equal: dict[str, str], columns: sql.Composable) -> sql.Composed:
    conditions = [sql.SQL("{} = {}").format(sql.Identifier(one), sql.Placeholder(one)) for one in equal]
    conditions.append(sql.SQL("true").format())
    return _JOBS.format(columns, sql.SQL(" AND ").join(conditions))


def summary_row(result: Row) -> Row:
    """Return what a scan found in short, with its times as texts, too."""
    told = {"bar_s": result["width_us"] / 1e6, **result}
    del told["width_us"]
    return row(told.items())
