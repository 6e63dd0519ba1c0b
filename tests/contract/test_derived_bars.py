"""Bars of the intervals that are not stored equal a recomputation from ticks, whatever page of them is read."""

import math
from typing import get_args

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.api.queries.bars import BARS
from services.api.queries.tables import Order, RowSelection
from services.common.clock import HOUR, SECOND, from_datetime
from services.contracts.intervals import ALL_WIDTHS_US, DerivedInterval
from services.contracts.messages import Tick
from services.store.bars.timescale import LEVELS
from tests.contract.store import START_US, recompute, tick
from tests.contract.test_bars import store_ticks
from tests.fix_database import empty

DERIVED: tuple[DerivedInterval, ...] = get_args(DerivedInterval)
SYMBOL = "BTCUSDT"
# Near each other for bars of seconds, days apart for those of hours, and on their edges.
MOMENTS = st.one_of(
    st.integers(START_US, START_US + 90 * SECOND),
    st.integers(START_US, START_US + 80 * HOUR),
    st.sampled_from([START_US + 90 * SECOND, START_US + 90 * SECOND + 24 * HOUR]),
)


def read(url: str, interval: DerivedInterval, selection: RowSelection) -> list[tuple[object, ...]]:
    """Return start, prices, volume, trades, whether it is closed and the coverage of each bar."""
    query, values = BARS[interval].query(selection)
    with psycopg.connect(url) as connection:
        rows = connection.execute(query, values).fetchall()
    return [(from_datetime(row[0]), *row[1:6], *row[8:11]) for row in rows]


def keys(url: str, interval: DerivedInterval, selection: RowSelection, offset: int) -> list[int]:
    query, values = BARS[interval].key_query(selection, offset)
    with psycopg.connect(url) as connection:
        return [from_datetime(row[0]) for row in connection.execute(query, values).fetchall()]


def expected(ticks: list[Tick], width_us: int) -> list[tuple[object, ...]]:
    first_us, last_us = (edge(one.event_us for one in ticks if one.symbol == SYMBOL) for edge in (min, max))
    bars: list[tuple[object, ...]] = []
    for (symbol, start), trades in recompute(ticks, width_us).items():
        if symbol == SYMBOL:
            prices = [one.price for one in trades]
            covered_us = min(start + width_us, last_us) - max(start, first_us)
            ohlc = (prices[0], max(prices), min(prices), prices[-1])
            volume = pytest.approx(math.fsum(one.size for one in trades), rel=1e-12)
            told = (start + width_us <= last_us, pytest.approx(covered_us / width_us))
            bars.append((start, *ohlc, volume, len(trades), *told))
    return bars


@settings(max_examples=40, deadline=None)
@given(
    data=st.data(),
    ticks=st.lists(
        st.builds(
            tick,
            trade_id=st.integers(0, 40),
            event_us=MOMENTS,
            symbol=st.sampled_from([SYMBOL, SYMBOL, "ETHUSDT"]),
            price=st.floats(1e-6, 1e6),
        ),
        min_size=1,
        max_size=40,
        unique_by=lambda one: (one.symbol, one.event_us, one.trade_id),
    ).filter(lambda ticks: any(one.symbol == SYMBOL for one in ticks)),
)
def test_every_page_of_derived_bars_is_that_of_a_recomputation(
    store_url: str, data: st.DataObject, ticks: list[Tick]
) -> None:
    empty(store_url)
    store_ticks(store_url, [ticks], [[(level, 100) for level in LEVELS]])
    for interval in DERIVED:
        whole = expected(ticks, ALL_WIDTHS_US[interval])
        starts = [int(str(bar[0])) for bar in whole]
        edges = st.one_of(st.none(), MOMENTS, st.sampled_from(starts))
        start, end = data.draw(edges), data.draw(edges)
        order: Order = data.draw(st.sampled_from(get_args(Order)))
        after = None if order == "newest" else data.draw(st.one_of(st.none(), st.sampled_from(starts)))
        selection = RowSelection(
            limit=data.draw(st.integers(1, 6)),
            order=order,
            equal={"symbol": SYMBOL},
            start=start,
            end=end,
            after=None if after is None else (after,),
        )
        wanted = [
            bar
            for bar, at in zip(whole, starts, strict=True)
            if (start is None or at >= start)
            and (end is None or at < end)
            and (after is None or (at > after if order == "ascending" else at < after))
        ]
        wanted = wanted if order == "ascending" else wanted[::-1]
        shown = selection.limit + (order != "newest")
        assert read(store_url, interval, selection) == wanted[:shown], interval
        offset = data.draw(st.integers(0, 4))
        assert keys(store_url, interval, selection, offset) == [
            bar[0] for bar in wanted[offset : offset + 2]
        ], interval


def test_where_every_second_has_trades_each_bar_of_a_page_has_all_of_its_own(store: str) -> None:
    ticks = [tick(n, START_US + n * SECOND) for n in range(60)]
    store_ticks(store, [ticks], [[(level, 100) for level in LEVELS]])
    whole = expected(ticks, 5 * SECOND)
    starts = [int(str(bar[0])) for bar in whole]
    edges = {"start": starts[2] + 1, "end": starts[9] + 1}
    for order, beyond, wanted in (
        ("ascending", {"after": (starts[3],)}, whole[4:8]),
        ("ascending", {"until": (starts[4],)}, whole[3:5]),
        ("ascending", {}, whole[3:7]),
        ("descending", {"after": (starts[8],)}, whole[7:3:-1]),
        ("descending", {"until": (starts[8],)}, whole[9:7:-1]),
        ("newest", {}, whole[9:6:-1]),
    ):
        asked = {"limit": 3, "order": order, "equal": {"symbol": SYMBOL}, **edges, **beyond}
        assert read(store, "5s", RowSelection(**asked)) == wanted, (order, beyond)  # type: ignore[arg-type]


def test_a_bar_whose_first_trades_are_gone_is_covered_from_its_first_stored_part_on(store: str) -> None:
    begin_us = START_US // HOUR * HOUR
    ticks = [tick(n, begin_us + (2 + n) * SECOND) for n in range(30)]
    store_ticks(store, [ticks], [[(level, 100) for level in LEVELS]])
    with psycopg.connect(store) as connection:
        connection.execute("DELETE FROM ticks")
    first, *others = read(store, "5s", RowSelection(9, equal={"symbol": SYMBOL}))
    assert (first[0], *first[-2:]) == (begin_us, True, pytest.approx(0.6))
    assert {bar[-2:] for bar in others} == {(True, 1.0)}
