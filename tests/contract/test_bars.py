"""Bars equal a recomputation on every server: late, repaired, repeated and disordered ticks, in any batches."""

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from services.api.queries.bars import BARS
from services.api.queries.tables import RowSelection
from services.common.clock import HOUR, MINUTE, SECOND, from_datetime, to_datetime
from services.contracts.intervals import Interval
from services.contracts.messages import Tick
from services.store.bars.timescale import BATCHES, LEVELS, BarLevel
from services.store.timescale_extension import aggregated
from tests.contract.store import START_US, WIDTHS, assert_bars, recompute, select, tick, write_all
from tests.fix_database import empty

TICKS = st.lists(
    st.builds(
        tick,
        trade_id=st.integers(0, 30),
        event_us=st.one_of(
            st.integers(START_US, START_US + 3 * SECOND),
            st.integers(START_US, START_US + 2 * HOUR),
            st.sampled_from([START_US, START_US + HOUR, START_US + 72 * HOUR]),
        ),
        symbol=st.sampled_from(["BTCUSDT", "ETHUSDT"]),
        price=st.floats(1e-6, 1e6),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda one: (one.symbol, one.event_us, one.trade_id),
)
GAP_STATES = ("found", "unrepaired", "refuted", "repaired")
# How far the policies of levels have come, in buckets of the level, when a batch arrives.
PROGRESS = st.lists(st.tuples(st.sampled_from(LEVELS), st.integers(1, 100)), max_size=3)


def store_ticks(
    url: str, batches: Iterable[Sequence[Tick]], progress: Iterable[list[tuple[BarLevel, int]]]
) -> None:
    """Write each batch, with policies running in between where there are any."""
    with psycopg.connect(url, autocommit=True) as connection:
        policies = aggregated(connection)
        for batch, reached in zip(batches, progress, strict=False):
            asyncio.run(write_all(url, "ticks", [batch]))
            for level, buckets in reached if policies else ():
                until = to_datetime(START_US // HOUR * HOUR + buckets * level.width_us)
                connection.execute(
                    "CALL refresh_continuous_aggregate(%s::regclass, NULL, %s::timestamptz, false, %s)",
                    [level.name, until, Jsonb(BATCHES)],
                )


@settings(max_examples=20, deadline=None)
@given(data=st.data(), ticks=TICKS)
def test_bars_are_those_of_the_set_of_ticks_however_they_came(
    store_url: str, data: st.DataObject, ticks: list[Tick]
) -> None:
    empty(store_url)
    repairs = [
        msgspec.structs.replace(one, repaired=True) for one in data.draw(st.lists(st.sampled_from(ticks)))
    ]
    order = data.draw(st.permutations(ticks + repairs))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order)), max_size=4)))
    batches = [order[low:high] for low, high in itertools.pairwise([0, *cuts, len(order)]) if low < high]
    progress = data.draw(st.lists(PROGRESS, min_size=len(batches), max_size=len(batches)))

    store_ticks(store_url, batches, progress)

    assert_bars(store_url, ticks)


def test_the_order_of_arrival_changes_no_bit_of_a_bar(store: str) -> None:
    ticks = [tick(n, START_US + n * 10_000_000 // 7, price=100 / 3 + n / 7) for n in range(200)]
    everything = [[(level, 200) for level in LEVELS]] * 2
    store_ticks(store, [ticks], everything)
    forwards = [select(store, table) for table in WIDTHS]
    empty(store)
    store_ticks(store, [ticks[100:], ticks[99::-1]], everything)
    assert [select(store, table) for table in WIDTHS] == forwards


def test_trades_of_one_moment_open_and_close_by_their_ids(store: str) -> None:
    ticks = [tick(n, price=float(price)) for n, price in [(7, 3), (5, 1), (9, 2), (6, 9)]]
    store_ticks(store, [[one] for one in ticks], [[(level, 99) for level in LEVELS]] * 4)
    for table in WIDTHS:
        ((_, _, opened, high, low, closed, *_),) = select(store, table)
        assert (opened, high, low, closed) == (1, 9, 1, 2), table


def bars(url: str, interval: Interval, symbol: str = "BTCUSDT") -> dict[int, tuple[bool, float, bool]]:
    """Return of each bar whether it is closed, its coverage, and whether it is complete."""
    query, values = BARS[interval].query(RowSelection(limit=1000, equal={"symbol": symbol}))
    with psycopg.connect(url) as connection:
        rows = connection.execute(query, values).fetchall()
    return {from_datetime(row[0]): (row[-4], row[-3], row[-1]) for row in rows}


@pytest.mark.parametrize("interval", ["1s", "1m", "5m", "1h"])
def test_a_bar_is_closed_once_its_symbol_has_traded_after_it_and_covered_from_first_to_last(
    store: str, interval: Interval
) -> None:
    ticks = [tick(n, START_US + n * 40 * SECOND) for n in range(200)]
    other = tick(1, START_US + 5 * HOUR, symbol="ETHUSDT")
    store_ticks(store, [ticks, [other]], [[(level, 30) for level in LEVELS]] * 2)
    width, last_us = WIDTHS[f"ohlc_{interval}"], ticks[-1].event_us
    expected: dict[int, Any] = {
        start: (
            start + width <= last_us,
            pytest.approx((min(start + width, last_us) - max(start, START_US)) / width),
            start + width <= last_us and start >= START_US,
        )
        for _, start in recompute(ticks, width)
    }
    assert bars(store, interval) == expected


@settings(max_examples=30, deadline=None)
@given(
    gaps=st.lists(
        st.tuples(st.integers(0, 599), st.integers(1, 200), st.sampled_from(GAP_STATES), st.floats(0, 1)),
        max_size=4,
    )
)
def test_the_time_of_open_gaps_is_not_covered(
    store_url: str, gaps: list[tuple[int, int, str, float]]
) -> None:
    empty(store_url)
    first_us = START_US // HOUR * HOUR
    ticks = [tick(n, first_us + n * 20 * SECOND) for n in range(40)]
    store_ticks(store_url, [ticks], [[(level, 30) for level in LEVELS]])
    missing_s = [0.0] * 600
    end = 0
    with psycopg.connect(store_url) as connection:
        for at, seconds, state, share in sorted(gaps):
            if at < end:
                continue  # trades are missing once
            end = at + seconds
            missing = round(100 * share)
            connection.execute(
                "INSERT INTO gaps VALUES ('BTCUSDT', %s, %s, 'v', %s, %s, now(), now(), %s, %s)",
                [
                    at * 1000,
                    at * 1000 + 99,
                    to_datetime(first_us + at * SECOND),
                    to_datetime(first_us + end * SECOND),
                    state,
                    missing,
                ],
            )
            if state in ("found", "unrepaired"):
                for second in range(at, min(end, 600)):
                    missing_s[second] += missing / 100
    for start, (closed, coverage, complete) in bars(store_url, "1m").items():
        minute = (start - first_us) // MINUTE
        if minute < 10:
            expected = 1 - sum(missing_s[60 * minute : 60 * minute + 60]) / 60
            assert closed
            assert coverage == pytest.approx(expected)
            assert complete == (coverage == 1)


def test_a_store_whose_ticks_are_gone_has_bars_that_are_closed(store: str) -> None:
    store_ticks(
        store, [[tick(n, START_US + n * 40 * SECOND) for n in range(9)]], [[(level, 30) for level in LEVELS]]
    )
    with psycopg.connect(store) as connection:
        connection.execute("DELETE FROM ticks")
    assert set(bars(store, "1m").values()) == {(True, 1.0, True)}
