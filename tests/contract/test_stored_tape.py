"""Stored tape, read from the sink's tables on the embedded PostgreSQL."""

import asyncio
from collections.abc import Iterable

import psycopg
import pytest

from services.common.clock import HOUR, MINUTE, to_datetime
from services.common.errors import TransientError
from services.common.settings import DatabaseSettings
from services.contracts.messages import Tick
from services.ingest.tape.stored import Shelf, open_store
from services.ingest.tape.tape import Tape
from tests.unit.ingest.tape.trades import START_US, SYMBOL, gap_events, ids, trade, trades

AT_US = trade(4_000).event_us
_BARS = """
INSERT INTO ohlc_1m SELECT symbol, date_trunc('minute', ts), 1, 1, 1, 1, 1, 1, count(*), min(trade_id), max(trade_id)
FROM ticks GROUP BY symbol, date_trunc('minute', ts)
"""


def store(url: str, ticks: Iterable[Tick], gaps: Iterable[tuple[int, int, str]] = ()) -> None:
    """Fill the tables as the sink does: ticks and the bars of their minutes, and the ledger."""
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ticks VALUES (%s, %s, %s, 'binance', %s, %s, 1, false, %s)",
            [
                (
                    one.symbol,
                    to_datetime(one.event_us),
                    one.trade_id,
                    to_datetime(one.received_us),
                    one.price,
                    one.repaired,
                )
                for one in ticks
            ],
        )
        cursor.execute(_BARS)
        cursor.executemany(
            "INSERT INTO gaps VALUES (%s, %s, %s, 'binance', %s, %s, now(), now(), %s, 99, 'why')",
            [
                (
                    SYMBOL,
                    first,
                    last,
                    to_datetime(trade(first - 1).event_us),
                    to_datetime(trade(last + 1).event_us),
                    state,
                )
                for first, last, state in gaps
            ],
        )


def shelf(url: str, at_us: int = AT_US) -> Shelf:
    async def run() -> Shelf:
        async with open_store(DatabaseSettings(database_url=url)) as stored:
            return await stored.shelf(SYMBOL, at_us)

    return asyncio.run(run())


def resumed(
    url: str, at_us: int = AT_US
) -> tuple[Tape, list[tuple[str, int | None, int | None, int | None]]]:
    tape = Tape({SYMBOL: "binance"})
    return tape, gap_events(tape.resume(SYMBOL, *shelf(url, at_us), at_us=at_us))


def test_the_tape_goes_on_from_the_tables(database_url: str) -> None:
    lost = {1_200, 1_500, 1_501, 1_859}
    kept = [tick for tick in trades(range(1_000, 3_000)) if tick.trade_id not in lost]
    store(
        database_url,
        [*kept, *trades(range(1, 50), symbol="ETHUSDT")],
        [
            (1_200, 1_200, "found"),
            (1_501, 1_501, "refuted"),
            (1_300, 1_300, "repaired"),
            (1_859, 1_859, "unrepaired"),
        ],
    )
    tape, events = resumed(database_url)
    assert events == [("gap_found", 1_500, 1_500, 1)]
    assert tape.reached(SYMBOL) == (3_000, trade(2_999).event_us)
    assert [(gap.first_id, gap.missing) for gap in tape.oldest_gaps()] == [(1_200, 1)]
    found = tape.oldest_gaps()[0]
    assert (found.start_us, found.end_us) == (trade(1_199).event_us, trade(1_201).event_us)
    (coverage,) = tape.coverage_events(trade(2_999).event_us)
    assert coverage.missing == 3
    assert coverage.coverage_24h == 1_996 / 1_999


def test_every_minute_counts_what_it_holds(database_url: str) -> None:
    straight = Tape({SYMBOL: "binance"})
    kept = [tick for tick in trades(range(1, 3_000)) if tick.trade_id % 700]
    for tick in kept:
        straight.take(tick)
    store(database_url, kept)
    tape, events = resumed(database_url)
    assert len(events) == 4
    for minutes in range(0, 50, 7):
        at_us = AT_US + minutes * MINUTE
        assert tape.coverage_events(at_us) == straight.coverage_events(at_us)


def test_a_trade_out_of_its_minute_is_not_missing(database_url: str) -> None:
    ticks = [
        trade(1, START_US),
        trade(2, START_US + 2 * MINUTE),
        trade(3, START_US + MINUTE),
        *trades(range(200, 210)),
    ]
    store(database_url, ticks)
    tape, events = resumed(database_url)
    assert events == [("gap_found", 4, 199, 196)]
    assert ids(tape.take(tick) for tick in ticks) == []


def test_disorder_within_a_minute_hides_no_hole(database_url: str) -> None:
    store(database_url, [trade(1, START_US), trade(9, START_US + 1), trade(3, START_US + 2)])
    _, events = resumed(database_url)
    assert [event[1:3] for event in events] == [(2, 2), (4, 8)]


def test_only_the_latest_numbering_counts(database_url: str) -> None:
    early = [tick for tick in trades(range(3_000, 3_100)) if tick.trade_id != 3_050]
    late = [trade(one, START_US + HOUR + one) for one in range(7, 100)]
    store(database_url, [*early, *late], [(3_050, 3_050, "found")])
    tape, events = resumed(database_url)
    assert events == []
    assert tape.reached(SYMBOL) == (100, late[-1].event_us)


def test_after_days_the_last_trade_is_what_is_known(database_url: str) -> None:
    store(database_url, trades(range(1, 10)))
    at_us = START_US + 72 * HOUR
    tape, events = resumed(database_url, at_us)
    assert events == []
    assert gap_events(tape.take(trade(5_000_000, at_us))) == [("gap_found", 10, 4_999_999, 4_999_990)]


def test_an_old_gap_that_is_open_is_taken_up(database_url: str) -> None:
    store(database_url, trades(range(1, 10), range(12, 20)), [(10, 11, "found")])
    tape, events = resumed(database_url, START_US + 72 * HOUR)
    assert events == []
    assert [(gap.first_id, gap.last_id) for gap in tape.oldest_gaps()] == [(10, 11)]
    assert tape.reached(SYMBOL) == (20, trade(19).event_us)


def test_an_empty_store_is_an_empty_shelf(database_url: str) -> None:
    assert shelf(database_url) == Shelf([], [], [])


def test_trades_come_back_as_they_were(database_url: str) -> None:
    ticks = [*trades(range(1, 6_000)), trade(6_000, repaired=True)]
    store(database_url, ticks)

    async def run() -> list[Tick]:
        async with open_store(DatabaseSettings(database_url=database_url)) as stored:
            return [tick async for tick in stored.ticks(SYMBOL, trade(500).event_us)]

    assert asyncio.run(run()) == ticks[499:]


def test_the_edges_of_a_tape_are_its_first_trade_since_then_and_its_last(database_url: str) -> None:
    btc, eth = trades(range(1, 100)), trades(range(1, 50), symbol="ETHUSDT")
    store(database_url, [*btc, *eth])

    async def run() -> tuple[list[Tick], list[Tick]]:
        async with open_store(DatabaseSettings(database_url=database_url)) as stored:
            edges = await stored.edges([SYMBOL, "ETHUSDT", "NONE"], btc[59].event_us)
            between = await stored.between([SYMBOL, "ETHUSDT"], btc[39].event_us, btc[59].event_us)
            return edges, between

    edges, between = asyncio.run(run())
    assert edges == [btc[59], btc[-1], eth[-1]]
    assert between == sorted([*btc[39:59], *eth[39:]], key=lambda tick: (tick.event_us, tick.symbol))


def test_a_tape_is_torn_while_a_gap_is_open(database_url: str) -> None:
    store(database_url, trades(range(1, 50)), [(10, 11, "repaired"), (20, 20, "unrepaired")])

    async def run(since_us: int) -> list[str]:
        async with open_store(DatabaseSettings(database_url=database_url)) as stored:
            return await stored.torn([SYMBOL, "ETHUSDT"], since_us)

    assert asyncio.run(run(trade(21).event_us)) == [SYMBOL]
    assert asyncio.run(run(trade(22).event_us)) == []


def test_a_database_of_another_time_is_no_store(empty_database_url: str) -> None:
    with pytest.raises(TransientError, match="gaps"):
        shelf(empty_database_url)


def test_a_database_that_is_away_is_no_store() -> None:
    with pytest.raises(TransientError):
        shelf("postgresql://nobody@127.0.0.1:1/nothing")
