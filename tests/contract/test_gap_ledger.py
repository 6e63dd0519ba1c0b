"""Gap ledger on every store: each gap once, in the state of its latest event, whatever their order."""

import asyncio
import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.clock import SECOND, from_datetime
from services.common.codec import encode
from services.contracts.messages import TapeEvent, TapeEventKind
from services.sink.batch import PartitionBatch, RefusedMessage, SinkBatch
from services.sink.writer import WriteResult
from tests.contract.store import START_US, batch_of, gap_event, nothing, select, write_all, writer_of
from tests.fix_database import empty

TOPIC = "tape-events"
LEFT_TO_DO: list[TapeEventKind] = ["gap_repaired", "gap_refuted", "gap_unrepaired", "gap_found"]

EVENTS = st.lists(
    st.builds(
        gap_event,
        kind=st.sampled_from(LEFT_TO_DO),
        at_us=st.integers(0, 5),
        first_id=st.sampled_from([10, 20]),
        missing=st.none() | st.integers(0, 2),
        symbol=st.sampled_from(["BTCUSDT", "BTCUSDT.OKX"]),
    ),
    min_size=1,
    max_size=12,
)


def ledger(url: str) -> list[tuple[object, ...]]:
    """Return symbol, first id, found and updated (since the start), state, missing and reason of each gap."""
    return [
        (row[0], row[1], from_datetime(row[6]) - START_US, from_datetime(row[7]) - START_US, *row[8:])
        for row in select(url, "gaps")
    ]


@settings(max_examples=40, deadline=None)
@given(data=st.data(), events=EVENTS)
def test_any_batches_in_any_order_give_the_latest_event_of_each_gap(
    store_url: str, data: st.DataObject, events: list[TapeEvent]
) -> None:
    empty(store_url)
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=6))
    order = data.draw(st.permutations(events + repeated))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order)), max_size=4)))
    batches = [order[low:high] for low, high in itertools.pairwise([0, *cuts, len(order)]) if low < high]

    asyncio.run(write_all(store_url, TOPIC, batches))

    def standing(event: TapeEvent) -> tuple[int, int, int]:
        open_ = event.kind in ("gap_found", "gap_unrepaired")
        missing = (10 if open_ else 0) if event.missing is None else event.missing
        return -event.at_us, LEFT_TO_DO.index(event.kind), missing

    def place(event: TapeEvent) -> tuple[str, int]:
        return event.symbol, event.first_id or 0

    expected = []
    for key, of_gap in itertools.groupby(sorted(events, key=place), place):
        group = list(of_gap)
        latest = min(group, key=standing)
        found = min(event.at_us for event in group)
        state, missing = latest.kind.removeprefix("gap_"), standing(latest)[2]
        times = (found - START_US, latest.at_us - START_US)
        expected.append((*key, *times, state, missing, latest.reason))
    assert ledger(store_url) == expected


def test_a_gap_goes_from_found_to_repaired_and_is_one_row(store: str) -> None:
    events = [gap_event("gap_found", 1), gap_event("gap_found", 2, missing=4), gap_event("gap_repaired", 3)]
    written = asyncio.run(write_all(store, TOPIC, [[event] for event in [*events, *events]]))
    assert [one.stored[TOPIC] for one in written] == [1, 1, 1, 0, 0, 0]
    assert ledger(store) == [("BTCUSDT", 10, 1, 3, "repaired", 0, "gap_repaired at 3")]
    (row,) = select(store, "gaps")
    assert row[1:4] == (10, 19, "binance")
    assert [from_datetime(moment) for moment in row[4:6]] == [START_US, START_US + SECOND]


def test_what_is_no_gap_moves_only_the_offset(store: str) -> None:
    batch, place = SinkBatch(), PartitionBatch(TOPIC, 0)
    event = TapeEvent(kind="coverage", venue="binance", symbol="BTCUSDT", at_us=1, coverage_1h=1.0)
    batch.add(place, 4, encode(event))

    async def run() -> WriteResult:
        async with writer_of(store) as writer:
            written = await writer.write(batch, nothing)
            assert await writer.resume("cluster") == {place: 5}
            return written

    assert asyncio.run(run()) == WriteResult({}, 0)
    assert select(store, "gaps") == []


POISON = {
    "without ids": TapeEvent(kind="gap_found", venue="v", symbol="S", at_us=1, start_us=1, end_us=2),
    "without times": TapeEvent(kind="gap_found", venue="v", symbol="S", at_us=1, first_id=1, last_id=2),
    "that ends before it begins": TapeEvent(
        kind="gap_repaired", venue="v", symbol="S", at_us=1, first_id=9, last_id=2, start_us=1, end_us=2
    ),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_a_gap_that_is_none_is_buried_and_all_others_are_kept(store: str, poison: TapeEvent) -> None:
    buried: list[RefusedMessage] = []

    async def run() -> None:
        async def dead_letter(refused: Sequence[RefusedMessage]) -> None:
            buried.extend(refused)

        async with writer_of(store) as writer:
            events = [gap_event("gap_found", 1, 10), poison, gap_event("gap_found", 1, 20)]
            await writer.write(batch_of(TOPIC, events), dead_letter)

    asyncio.run(run())
    assert [(one.offset, one.raw) for one in buried] == [(1, encode(poison))]
    assert [row[1] for row in select(store, "gaps")] == [10, 20]
