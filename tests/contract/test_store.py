"""Every store: rows once, and bars equal to a recomputation."""

import asyncio
import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.clock import HOUR, SECOND, from_datetime
from services.contracts.messages import Signal, Tick
from services.sink.batch import PartitionBatch, SinkBatch
from services.sink.writer import FencedError, WriteResult
from tests.contract.store import (
    START_US,
    WIDTHS,
    alert,
    assert_bars,
    batch_of,
    nothing,
    price_move,
    select,
    signal,
    tick,
    write_all,
    writer_of,
)
from tests.fix_database import empty

TICKS = st.lists(
    st.builds(
        tick,
        trade_id=st.integers(0, 30),
        event_us=st.one_of(
            st.integers(START_US, START_US + 3 * SECOND), st.integers(START_US, START_US + 2 * HOUR)
        ),
        symbol=st.sampled_from(["BTCUSDT", "ETHUSDT"]),
        price=st.floats(1e-6, 1e6),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda one: (one.symbol, one.event_us, one.trade_id),
)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), ticks=TICKS)
def test_any_batches_in_any_order_give_the_set_of_ticks_and_recomputed_bars(
    store_url: str, data: st.DataObject, ticks: list[Tick]
) -> None:
    empty(store_url)
    repeated = data.draw(st.lists(st.sampled_from(ticks), max_size=20))
    order = data.draw(st.permutations(ticks + repeated))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order)), max_size=5)))
    batches = [order[low:high] for low, high in itertools.pairwise([0, *cuts, len(order)]) if low < high]

    written = asyncio.run(write_all(store_url, "ticks", batches))

    rows = [
        (
            Tick(
                venue=venue,
                symbol=symbol,
                trade_id=trade_id,
                event_us=from_datetime(ts),
                received_us=from_datetime(received_at),
                price=price,
                size=size,
                buyer_is_maker=maker,
                repaired=repaired,
            )
        )
        for symbol, ts, trade_id, venue, received_at, price, size, maker, repaired in select(
            store_url, "ticks"
        )
    ]
    assert rows == sorted(ticks, key=lambda one: (one.symbol, one.event_us, one.trade_id))
    assert sum(one.stored["ticks"] for one in written) == len(ticks)
    assert sum(one.duplicates for one in written) == len(repeated)
    assert_bars(store_url, ticks)


def test_a_tick_that_came_twice_stays_as_it_came_first(store: str) -> None:
    ticks = [tick(1), msgspec.structs.replace(tick(2), repaired=True)]
    again = [msgspec.structs.replace(ticks[0], repaired=True), tick(2)]
    asyncio.run(write_all(store, "ticks", [ticks, again]))
    assert [row[-1] for row in select(store, "ticks")] == [False, True]


def test_the_order_of_arrival_does_not_change_a_bit_of_a_bar(store: str) -> None:
    ticks = [tick(n, START_US + n * 10_000_000 // 7, price=100 / 3 + n / 7) for n in range(200)]
    asyncio.run(write_all(store, "ticks", [ticks]))
    forwards = [select(store, table) for table in WIDTHS]
    empty(store)
    asyncio.run(write_all(store, "ticks", [ticks[100:], ticks[99::-1]]))
    assert [select(store, table) for table in WIDTHS] == forwards


def test_two_writers_of_one_symbol_leave_no_tick_out_of_a_bar(store: str) -> None:
    ticks = [tick(n, START_US + n) for n in range(400)]

    async def write(partition: int) -> None:
        async with writer_of(store) as writer:
            for first in range(partition, len(ticks), 20):
                messages = ticks[first : first + 20 : 2]
                await writer.write(batch_of("ticks", messages, partition, first), nothing)

    async def both() -> None:
        await asyncio.gather(write(0), write(1))

    asyncio.run(both())
    assert_bars(store, ticks)


@pytest.mark.parametrize(
    "order",
    list(itertools.permutations([signal(30), signal(300), signal(900, "stale")])),
    ids=lambda order: ",".join(str(one.samples) for one in order),
)
@pytest.mark.parametrize("at_once", [True, False], ids=["one batch", "three batches"])
def test_the_better_signal_of_a_second_stays(store: str, order: tuple[Signal, ...], at_once: bool) -> None:
    asyncio.run(write_all(store, "signals", [order] if at_once else [[one] for one in order]))
    (row,) = select(store, "signals")
    assert (row[4], row[11], row[12]) == (1 / 300, 300, "ok")


REVISED = st.lists(
    st.builds(
        lambda samples, quality, revision: msgspec.structs.replace(
            signal(samples, quality), late=revision and samples, revision=revision
        ),
        samples=st.integers(1, 900),
        quality=st.sampled_from(["ok", "stale"]),
        revision=st.integers(0, 3),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one.samples,
)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), signals=REVISED)
def test_the_highest_revision_of_a_second_stays_in_any_batches_and_order(
    store_url: str, data: st.DataObject, signals: list[Signal]
) -> None:
    empty(store_url)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(signals)), max_size=3)))
    batches = [signals[low:high] for low, high in itertools.pairwise([0, *cuts, len(signals)]) if low < high]
    asyncio.run(write_all(store_url, "signals", batches))
    best = max(signals, key=lambda one: (one.revision, one.quality == "ok", one.samples))
    (row,) = select(store_url, "signals")
    assert (row[4], *row[11:16]) == (
        best.hedge_ratio,
        best.samples,
        best.quality,
        None,
        best.late,
        best.revision,
    )


def test_a_signal_of_another_window_replaces_no_later_revision(store: str) -> None:
    corrected = msgspec.structs.replace(signal(300), late=1, revision=1)
    written = asyncio.run(write_all(store, "signals", [[corrected], [signal(20, window=20)]]))
    (row,) = select(store, "signals")
    assert row[10:12] == (300, 300)
    assert [one.duplicates for one in written] == [0, 1]


OF_RULES = ("rule", "metric", "subject", "severity", "labels", "values")
"""The last columns of the table."""


def test_alerts_are_stored_once(store: str) -> None:
    written = asyncio.run(
        write_all(store, "alerts", [[alert("a"), alert("b"), alert("a")], [alert("b"), alert("c")]])
    )
    assert [row[0] for row in select(store, "alerts")] == ["a", "b", "c"]
    assert [one.duplicates for one in written] == [1, 1]


def test_a_signal_of_another_window_replaces_the_stored_one(store: str) -> None:
    asyncio.run(write_all(store, "signals", [[signal(300)], [signal(20, window=20)]]))
    (row,) = select(store, "signals")
    assert row[10:12] == (20, 20)


def test_beside_a_corrected_signal_an_alert_of_before_and_its_retraction_are_kept(store: str) -> None:
    corrected = msgspec.structs.replace(signal(300, zscore=0.1), late=1, revision=1)
    retraction = msgspec.structs.replace(
        alert("b"), state="retracted", retracts="a", y_age_s=0.2, x_age_s=4.1
    )
    asyncio.run(write_all(store, "signals", [[corrected]]))
    asyncio.run(write_all(store, "alerts", [[alert("a"), retraction, retraction]]))
    first, second = select(store, "alerts")
    assert first[4:11] == ("firing", 2.5, 2.0, "z-score above 2", None, None, None)
    assert second[4:11] == ("retracted", 2.5, 2.0, "z-score above 2", 0.2, 4.1, "a")


def test_what_a_correction_brings_is_kept_though_its_signal_is_not_stored_yet(store: str) -> None:
    retraction = msgspec.structs.replace(alert("b"), state="retracted", retracts="a")
    by_correction = alert("r:ETHUSDT-BTCUSDT:1767225510000000:firing:2")
    asyncio.run(write_all(store, "signals", [[signal(300, zscore=0.1)]]))
    asyncio.run(write_all(store, "alerts", [[retraction, by_correction]]))
    assert [row[0] for row in select(store, "alerts")] == ["b", by_correction.alert_id]


@pytest.mark.parametrize("zscore", [2.5, 0.1, None])
def test_an_alert_is_stored_whatever_its_rule_measures_and_whatever_the_signal_of_its_second_says(
    store: str, zscore: float | None
) -> None:
    asyncio.run(write_all(store, "signals", [[signal(300, zscore=zscore)]]))
    written = asyncio.run(
        write_all(store, "alerts", [[alert("a"), price_move("b"), price_move("c", "sink")]])
    )
    assert [one.stored for one in written] == [{"alerts": 3}]
    rows = select(store, "alerts")
    usual, moved, service = (
        {"id": row[0]} | dict(zip(OF_RULES, row[12 : 12 + len(OF_RULES)], strict=True)) for row in rows
    )
    assert usual == {
        "id": "a",
        "rule": "entry",
        "metric": "zscore",
        "subject": "ETHUSDT-BTCUSDT",
        "severity": "warning",
        "labels": {},
        "values": {"zscore": 2.5, "threshold": 2.0},
    }
    assert moved == {
        "id": "b",
        "rule": "btc-moves",
        "metric": "price_move",
        "subject": "BTCUSDT",
        "severity": "critical",
        "labels": {"desk": "majors"},
        "values": {"price_move": 0.052, "limit": 0.05},
    }
    assert service["subject"] == "sink"
    assert [row[2] for row in rows] == ["ETHUSDT-BTCUSDT", None, None]


def test_offsets_alone_are_written_and_fenced(store: str) -> None:
    async def write() -> list[int]:
        batch, place, reached = SinkBatch(), PartitionBatch("ticks", 0), []
        async with writer_of(store) as writer:
            for offset in (7, 9):
                batch.read[place] = offset
                assert await writer.write(batch, nothing) == WriteResult({}, 0)
                reached.append((await writer.resume("cluster"))[place])
            async with writer_of(store) as other:
                batch.read[place] = 11
                await other.write(batch, nothing)
            with pytest.raises(FencedError, match="expected offset 9"):
                await writer.write(batch, nothing)
        return reached

    assert asyncio.run(write()) == [7, 9]
