"""Bars of a dataset in which nothing traded are marked, counted and reported, and no others."""

import asyncio
import io
import uuid
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from services.common.clock import MINUTE, from_datetime, to_iso
from services.common.settings import DatabaseSettings
from services.contracts.intervals import Interval
from services.datasets.report import ImportReport
from services.datasets.sources import FileSource, Upload
from services.datasets.storage import store_dataset
from services.datasets.tables import bars_relation
from services.store import database, schema
from tests.contract.servers import apply
from tests.contract.store import START_US
from tests.fix_database import created


class Line(NamedTuple):
    """A bar: its minute, its close, how far its high is above that, its volume as it is written."""

    minute: int
    close: float
    wick: float
    volume: str

    def text(self, symbol: str) -> str:
        time = to_iso(START_US + self.minute * MINUTE)
        return (
            f"{time},{symbol},{self.close},{self.close + self.wick},{self.close},{self.close},{self.volume}"
        )


LINES = st.lists(
    st.builds(
        Line,
        minute=st.integers(0, 40),
        close=st.sampled_from([1.0, 1.0, 2.0]),
        wick=st.sampled_from([0.0, 0.0, 1.0]),
        volume=st.sampled_from(["", "0", "0", "0.0", "3"]),
    ),
    min_size=2,
    max_size=30,
    unique_by=lambda line: line.minute,
)


class Stored(NamedTuple):
    dataset_id: str
    report: ImportReport


def store(url: str, legs: Mapping[str, Sequence[Line]]) -> Stored:
    lines = ["time,symbol,open,high,low,close,volume"]
    lines += [line.text(symbol) for symbol, leg in legs.items() for line in leg]
    upload = Upload(uuid.uuid4().hex[:20], [FileSource("x.csv", io.BytesIO("\n".join(lines).encode()))])
    report = ImportReport()

    async def run() -> str:
        async with database.connect(DatabaseSettings(database_url=url), "test") as connection:
            return (await store_dataset(connection, upload, report)).dataset_id

    return Stored(asyncio.run(run()), report)


def bars(
    url: str, dataset_id: str, symbol: str, wider: Interval | None = None
) -> list[tuple[int, bool, int]]:
    query = sql.SQL("SELECT ts, carried, parts FROM {} WHERE symbol = %s ORDER BY ts").format(
        sql.Identifier(bars_relation(dataset_id, wider))
    )
    with psycopg.connect(url) as connection:
        rows = connection.execute(query, [symbol]).fetchall()
    return [((from_datetime(ts) - START_US) // MINUTE, carried, parts) for ts, carried, parts in rows]


def counted(url: str, dataset_id: str) -> dict[str, int | None]:
    with psycopg.connect(url) as connection:
        query = "SELECT symbol, carried FROM dataset_symbols WHERE dataset_id = %s"
        return dict(connection.execute(query, [dataset_id]).fetchall())


def carried(leg: Sequence[Line]) -> dict[int, bool]:
    """Return which minutes are carried, by their definition."""
    in_order = sorted(leg)
    is_known = any(float(line.volume or 0) > 0 for line in leg)
    found = {}
    for before, line in zip([None, *in_order], in_order, strict=False):
        has_no_trade = line.volume != "" and float(line.volume) == 0 and line.wick == 0
        found[line.minute] = is_known and has_no_trade and (before is None or before.close == line.close)
    return found


@settings(max_examples=25, deadline=None)
@given(first=LINES, second=LINES)
def test_carried_bars_are_those_without_a_trade_at_the_price_before(
    store_url: str, first: list[Line], second: list[Line]
) -> None:
    legs = {"AAA": first, "BBB": second}
    dataset_id, report = store(store_url, legs)
    runs = 0
    for symbol, leg in legs.items():
        expected = carried(leg)
        assert bars(store_url, dataset_id, symbol) == [(at, expected[at], 1) for at in sorted(expected)]
        is_known = any(float(line.volume or 0) > 0 for line in leg)
        assert counted(store_url, dataset_id)[symbol] == (sum(expected.values()) if is_known else None)
        runs += sum(1 for is_run, _ in groupby(expected[at] for at in sorted(expected)) if is_run)
    assert report.counts["carried"] == runs == sum(one.kind == "carried" for one in report.kept)


def test_a_wider_bar_is_carried_if_all_of_it_is_and_says_of_how_many_it_is_made(store_url: str) -> None:
    leg = [
        Line(minute, 1.0, 0.0, "0" if minute < 95 or minute > 98 else "2")
        for minute in range(2, 152)
        if minute != 50
    ]
    dataset_id, report = store(store_url, {"AAA": leg})
    hours = [(parts, is_carried) for _, is_carried, parts in bars(store_url, dataset_id, "AAA", "1h")]
    # The first minute and a half of the file's time are of the hour before.
    assert hours == [(59, True), (60, False), (30, True)]
    assert sum(parts for _, _, parts in bars(store_url, dataset_id, "AAA", "5m")) == len(leg)
    assert [one.reason.split(",")[0] for one in report.kept if one.kind == "carried"] == [
        "AAA: 92 carried",
        "AAA: 53 carried",
    ]


@pytest.mark.parametrize("volume", ["", "0"])
def test_without_any_volume_nobody_knows_what_was_carried(store_url: str, volume: str) -> None:
    known = [Line(minute, 1.0, 0.0, "1" if minute else "0") for minute in range(3)]
    legs = {"AAA": [Line(minute, 1.0, 0.0, volume) for minute in range(5)], "BBB": known}
    dataset_id, report = store(store_url, legs)
    assert counted(store_url, dataset_id) == {"AAA": None, "BBB": 1}
    assert report.counts["carried"] == 1


def test_datasets_of_an_older_revision_are_looked_through(store_server: str) -> None:
    with created(store_server, "template0") as url:
        apply(url, "0008")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO datasets VALUES ('d', 'mine', sha256('x'), '1 minute', 4, now(), '[]', '{}')"
            )
            connection.execute(
                "INSERT INTO dataset_symbols VALUES ('d', 'AAA', '2026-01-01+00', '2026-01-01 00:07+00', 4, 1, 4)"
            )
            for relation in ("dataset_bars_d", "dataset_bars_d_5m"):
                connection.execute("SELECT create_dataset_bars(%s)", [relation])
                connection.execute(
                    sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (symbol, ts)").format(sql.Identifier(relation))
                )
            rows: list[Any] = [(0, 1, 3), (1, 1, 0), (5, 1, 0), (7, 1, 0)]
            for minute, close, volume in rows:
                connection.execute(
                    "INSERT INTO dataset_bars_d VALUES ('AAA', timestamptz '2026-01-01+00' + %s * interval '1 minute',"
                    " %s, %s, %s, %s, %s)",
                    [minute, close, close, close, close, volume],
                )
            connection.execute(
                "INSERT INTO dataset_bars_d_5m VALUES ('AAA', '2026-01-01+00', 1, 1, 1, 1, 3),"
                " ('AAA', '2026-01-01 00:05+00', 1, 1, 1, 1, 0)"
            )
        schema.upgrade(url)
        assert [row[1:] for row in bars(url, "d", "AAA")] == [(False, 1), (True, 1), (True, 1), (True, 1)]
        assert [row[1:] for row in bars(url, "d", "AAA", "5m")] == [(False, 2), (True, 2)]
        assert counted(url, "d") == {"AAA": 3}
