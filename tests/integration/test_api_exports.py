"""Tables longer than a page: streamed as CSV and Parquet, and equal to the store."""

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import psycopg
import pyarrow.parquet
import pytest
from psycopg.rows import dict_row

from services.common.clock import MINUTE, SECOND, from_datetime, to_datetime
from services.common.codec import encode
from services.common.heartbeat import VERSION
from services.contracts.topics import HEARTBEATS
from services.store import timescale_extension
from tests.api_process import PAIR, START_US, ApiProcess, heartbeat, running_api, store, tick
from tests.broker import produce
from tests.fix_broker import embedded_broker

pytestmark = pytest.mark.integration

# Two ticks in every moment, so that a page ends between them; more than two pages, and not a whole number of them.
TICKS = 24_321
SIGNALS = 12_000

_TICKS = """
INSERT INTO ticks (symbol, ts, trade_id, venue, received_at, price, size, buyer_is_maker, repaired)
SELECT 'LONGUSDT', %(start)s::timestamptz + (n / 2) * interval '250 milliseconds', n, 'binance',
       %(start)s::timestamptz + n * interval '1 microsecond', 100 + random(), 0.1 + random(), n %% 3 = 0, n %% 5 = 0
FROM generate_series(0, %(count)s - 1) AS n
"""
_BARS = """
INSERT INTO {table}
SELECT symbol, date_bin('{width}', ts, '2000-01-01+00') AS bucket,
       (array_agg(price ORDER BY trade_id))[1], max(price), min(price), (array_agg(price ORDER BY trade_id DESC))[1],
       sum(size), sum(price * size), count(*), min(trade_id), max(trade_id)
FROM ticks GROUP BY 1, 2
"""
_SIGNALS = """
INSERT INTO signals
SELECT %(pair)s, %(start)s::timestamptz + n * interval '1 second', 3 + random(), 2, random(), 0.25, 'ols',
       nullif(n %% 3, 0) * random(), CASE WHEN n %% 7 > 0 THEN random() - 0.5 END, NULL, 300, n, 'ok',
       CASE WHEN n %% 10 = 0 THEN '=1+1' END
FROM generate_series(1, %(count)s) AS n
"""

# What the store calls otherwise.
OLD_NAMES = {"price_correlation": "correlation"}

TABLES: dict[str, tuple[str, dict[str, Any], str]] = {
    "ticks": (
        "/v1/ticks",
        {"symbol": "LONGUSDT"},
        "SELECT *, ts AS event FROM ticks WHERE symbol = 'LONGUSDT' ORDER BY ts, trade_id",
    ),
    "bars": (
        "/v1/bars",
        {"symbol": "LONGUSDT", "interval": "1s", "start": START_US},
        "SELECT *, ts AS start, quote_volume / volume AS vwap FROM ohlc_1s WHERE symbol = 'LONGUSDT' ORDER BY ts",
    ),
    "signals": (
        f"/v1/pairs/{PAIR}/signals",
        {"start": START_US},
        "SELECT *, ts AS event FROM signals ORDER BY ts",
    ),
}


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    values = {"start": to_datetime(START_US), "pair": PAIR}
    with psycopg.connect(store_url) as connection:
        connection.execute(_TICKS, {**values, "count": TICKS})
        if not timescale_extension.aggregated(connection):
            for table, width in (("ohlc_1s", "1 second"), ("ohlc_1m", "1 minute")):
                connection.execute(_BARS.format(table=table, width=width).encode())
        connection.execute(_SIGNALS, {**values, "count": SIGNALS})
    with embedded_broker() as broker:
        produce(broker, HEARTBEATS.name, [(encode(heartbeat("ingest", feed="replay")), 1)])
        variables = {"PAIRSTREAM_API_LOCAL_RATE_LIMIT": "10000/second"}
        with running_api(broker, store_url, variables=variables) as running:
            running.wait_for("/v1/status", lambda response: response.json()["feed"] == "replay")
            yield running


def stored(url: str, query: str) -> list[dict[str, Any]]:
    with psycopg.connect(url, row_factory=dict_row, options="-c timezone=UTC") as connection:
        return connection.execute(query.encode()).fetchall()


def pages(api: ApiProcess, path: str, **params: Any) -> list[dict[str, Any]]:
    """Follow the cursors of JSON."""
    rows: list[dict[str, Any]] = []
    while True:
        page = api.get(path, **params, limit=10_000).json()
        rows += page["data"]
        if "next_cursor" not in page:
            return rows
        params["cursor"] = page["next_cursor"]


def parquet(response: httpx.Response) -> pyarrow.parquet.ParquetFile:
    assert response.status_code == httpx.codes.OK, response.text
    assert response.headers["Content-Type"] == "application/vnd.apache.parquet"
    return pyarrow.parquet.ParquetFile(io.BytesIO(response.content))


def plain(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str() if value.startswith("="):
            return f"'{value}"
        case float():
            return encode(value).decode()
        case _:
            return str(value)


@pytest.mark.parametrize("table", TABLES)
def test_json_csv_and_parquet_are_what_the_store_holds(api: ApiProcess, store_url: str, table: str) -> None:
    path, params, query = TABLES[table]
    held = stored(store_url, query)
    rows = pages(api, path, **params)
    assert len(rows) == len(held)
    for row, one in zip(rows, held, strict=True):
        for name, value in row.items():
            expected: Any = one.get(name.removesuffix("_us"), one.get(f"{name.removesuffix('_us')}_at"))
            if name.endswith("_us"):
                assert value == from_datetime(expected), name
            elif name.endswith("_time"):
                assert datetime.fromisoformat(value) == to_datetime(row[f"{name[:-4]}us"]), name
            elif name not in ("closed", "coverage", "carried", "complete"):
                assert value == one[OLD_NAMES.get(name, name)], name

    answer = api.get(path, **params, limit=1_000_000, format="csv")
    assert list(csv.DictReader(io.StringIO(answer.text, newline=""))) == [
        {name: plain(value) for name, value in row.items()} for row in rows
    ]

    file = parquet(api.get(path, **params, limit=1_000_000, format="parquet"))
    columns = file.read().to_pydict()
    assert list(columns) == list(rows[0])
    for name, values in columns.items():
        if name.endswith("_time"):
            values = [from_datetime(value) for value in values]
            name = f"{name[:-4]}us"
        assert values == [row[name] for row in rows], name
    told = file.schema_arrow.metadata
    assert (told[b"pairstream.feed"], told[b"pairstream.version"]) == (b"replay", VERSION.encode())
    assert told[b"pairstream.path"].decode() == path


def test_parquet_of_bars_says_which_ones(api: ApiProcess) -> None:
    response = api.http.get("/v1/bars?symbol=LONGUSDT", headers={"Accept": "application/vnd.apache.parquet"})
    told = parquet(response).schema_arrow.metadata
    assert (told[b"pairstream.symbol"], told[b"pairstream.interval"]) == (b"LONGUSDT", b"1m")
    assert response.headers["Content-Disposition"] == 'attachment; filename="bars.parquet"'
    assert response.headers["X-Pairstream-Feed"] == "replay"


@pytest.mark.parametrize("limit", [10_001, 15_000, TICKS - 1, TICKS, TICKS + 1])
def test_a_long_table_ends_at_its_limit_and_says_where_it_goes_on(api: ApiProcess, limit: int) -> None:
    response = api.get("/v1/ticks", symbol="LONGUSDT", limit=limit, format="csv")
    ids = [int(line.split(",")[1]) for line in response.text.splitlines()[1:]]
    assert ids == list(range(min(limit, TICKS)))
    link = response.headers.get("Link", "")
    assert bool(link) == (limit < TICKS)
    if link:
        rest = api.http.get(f"/v1/ticks{link.partition('>')[0].lstrip('<')}")
        assert [int(line.split(",")[1]) for line in rest.text.splitlines()[1:]] == list(range(limit, TICKS))[
            :limit
        ]


def test_the_newest_of_a_long_table_are_ascending(api: ApiProcess) -> None:
    response = api.get("/v1/bars", symbol="LONGUSDT", interval="1s", limit=100_000, format="csv")
    starts = [int(line.split(",")[0]) for line in response.text.splitlines()[1:]]
    everything = list(range(START_US, START_US + (TICKS - 1) // 8 * SECOND + 1, SECOND))
    assert starts == everything
    signals = api.get(f"/v1/pairs/{PAIR}/signals", limit=10_500, format="csv").text.splitlines()[1:]
    assert [int(line.split(",")[1]) for line in signals] == [
        START_US + n * SECOND for n in range(SIGNALS - 10_499, SIGNALS + 1)
    ]


def test_a_range_and_a_cursor_hold_in_a_long_table_too(api: ApiProcess) -> None:
    params: dict[str, Any] = {"symbol": "LONGUSDT", "start": START_US + MINUTE, "end": START_US + 45 * MINUTE}
    cursor = api.get("/v1/ticks", **params, limit=7).json()["next_cursor"]
    response = api.get("/v1/ticks", **params, cursor=cursor, limit=1_000_000, format="csv")
    ids = [int(line.split(",")[1]) for line in response.text.splitlines()[1:]]
    assert ids == list(range(480 + 7, 45 * 480))
    nothing = api.get(
        "/v1/ticks", symbol="LONGUSDT", start=START_US - 9, end=START_US, limit=10**6, format="csv"
    )
    assert nothing.text.count("\r\n") == 1


def test_json_stays_short(api: ApiProcess) -> None:
    response = api.get("/v1/ticks", symbol="LONGUSDT", limit=10_001)
    assert response.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    (error,) = response.json()["errors"]
    assert error == {
        "field": "limit",
        "expected": "at most 10000 as JSON, at most 1000000 as csv or parquet",
        "received": "10001",
    }


def test_what_was_had_already_is_not_sent_again_until_it_changes(api: ApiProcess, store_url: str) -> None:
    store(store_url, [tick(1, "LATEUSDT", START_US, 50.0), tick(3, "LATEUSDT", START_US + MINUTE)])
    params: dict[str, Any] = {"symbol": "LATEUSDT", "start": START_US, "end": START_US + MINUTE}
    first = api.get("/v1/bars", **params)
    tag = {"If-None-Match": first.headers["ETag"]}
    again = api.http.get("/v1/bars", params=params, headers=tag)
    assert (again.status_code, again.content) == (httpx.codes.NOT_MODIFIED, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    store(store_url, [tick(2, "LATEUSDT", START_US + SECOND, 51.0)])
    changed = api.http.get("/v1/bars", params=params, headers=tag)
    assert changed.status_code == httpx.codes.OK
    assert [bar["high"] for bar in changed.json()["data"]] == [51.0]


@pytest.mark.parametrize("limit", [5_000, 20_000])
def test_text_goes_out_compressed_to_who_takes_it(api: ApiProcess, limit: int) -> None:
    params: dict[str, Any] = {"symbol": "LONGUSDT", "limit": limit, "format": "csv"}
    ordinary = api.http.get("/v1/ticks", params=params, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in ordinary.headers
    with api.http.stream("GET", "/v1/ticks", params=params, headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert {"Accept", "Accept-Encoding"} <= set(response.headers["Vary"].split(", "))
        packed = b"".join(response.iter_raw())
    assert ("Content-Length" in ordinary.headers) == (limit == 5_000)
    assert gzip.decompress(packed) == ordinary.content
    assert len(packed) < len(ordinary.content) / 3


def test_parquet_and_small_answers_are_not_compressed(api: ApiProcess) -> None:
    for path in ("/v1/ticks?symbol=LONGUSDT&format=parquet", "/v1/bars?symbol=LONGUSDT&limit=1", "/healthz"):
        assert "Content-Encoding" not in api.http.get(path, headers={"Accept-Encoding": "gzip"}).headers
