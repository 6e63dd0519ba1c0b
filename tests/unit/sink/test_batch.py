import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.common.codec import encode
from services.common.unreadable import Unreadable
from services.contracts.messages import TapeEvent, TapeEventKind
from services.sink.batch import PartitionBatch, RefusedMessage, SinkBatch
from tests import builders

TICK = builders.tick(event_us=2, received_us=3, price=4.0, size=5.0, buyer_is_maker=True)
ALERT = builders.alert(rule_id="entry", event_us=2, value=3.0, message="above")


def test_messages_are_kept_by_topic_with_where_they_came_from() -> None:
    batch = SinkBatch()
    batch.add(PartitionBatch("ticks", 1), 10, encode(TICK))
    batch.add(PartitionBatch("alerts", 0), 20, encode(ALERT))
    assert [(topic, records.messages) for topic, records in batch] == [("ticks", [TICK]), ("alerts", [ALERT])]
    assert len(batch) == 2


def test_a_tick_whose_time_cannot_be_true_is_not_stored() -> None:
    now_us = 1_750_000_000_000_000
    true = msgspec.structs.replace(TICK, event_us=now_us, received_us=now_us)
    batch, place = SinkBatch(now_us=now_us), PartitionBatch("ticks", 1)
    batch.extend(place, [10, 11, 12], [encode(TICK), encode(true), b"{"])
    assert batch.records["ticks"].messages == [true]
    assert [(one.raw, one.offset) for one in batch.refused] == [(encode(TICK), 10), (b"{", 12)]
    assert batch.records["ticks"].refused(0, "why") == RefusedMessage(encode(true), place, 11, "why")


def test_what_nobody_can_read_is_refused_and_passed() -> None:
    batch, place = SinkBatch(), PartitionBatch("ticks", 1)
    lost = [Unreadable(raw, first, first + 4, "lost") for first, raw in ((10, b"\0"), (15, b""))]
    batch.extend(place, [14, 19, 20], [*lost, encode(TICK)])
    assert batch.records["ticks"].messages == [TICK]
    assert [(one.raw, one.offset, one.reason) for one in batch.refused] == [
        (lost[0], 14, "lost"),
        (lost[1], 19, "lost"),
    ]
    assert all(isinstance(one.raw, Unreadable) for one in batch.refused)
    assert batch.read == {place: 21}


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.lists(st.sampled_from("tb"), min_size=1, max_size=4)), max_size=6
    )
)
def test_of_each_message_it_is_known_where_it_came_from(portions: list[tuple[int, list[str]]]) -> None:
    batch, expected = SinkBatch(), []
    for partition, kinds in portions:
        place = PartitionBatch("ticks", partition)
        first = batch.read.get(place, 10 * partition)
        offsets = range(first, first + len(kinds))
        ticks = [msgspec.structs.replace(TICK, trade_id=offset, venue=str(partition)) for offset in offsets]
        raws = [encode(tick) if kind == "t" else b"{" for tick, kind in zip(ticks, kinds, strict=True)]
        batch.extend(place, offsets, raws)
        expected += [
            (tick, RefusedMessage(raw, place, tick.trade_id, "why"))
            for tick, raw in zip(ticks, raws, strict=True)
            if raw != b"{"
        ]
    records = batch.records["ticks"]
    assert [(tick, records.refused(n, "why")) for n, tick in enumerate(records.messages)] == expected
    assert len(batch) == len(records) + len(batch.refused) == sum(len(kinds) for _, kinds in portions)


def test_offsets_are_those_of_the_next_message_of_each_partition() -> None:
    batch = SinkBatch()
    for offset in (10, 11, 14):
        batch.add(PartitionBatch("ticks", 1), offset, encode(TICK))
    batch.add(PartitionBatch("ticks", 2), 3, b"not a tick")
    assert batch.read == {("ticks", 1): 15, ("ticks", 2): 4}


def test_what_cannot_be_decoded_is_refused_whole_and_counted() -> None:
    batch = SinkBatch()
    batch.add(PartitionBatch("ticks", 1), 10, b"{")
    batch.add(PartitionBatch("ticks", 1), 11, None)
    assert [(one.raw, one.offset) for one in batch.refused] == [(b"{", 10), (b"", 11)]
    assert "expected a Tick" in batch.refused[0].reason
    assert len(batch) == 2
    assert list(batch) == []


def tape_event(kind: TapeEventKind) -> bytes:
    return encode(
        TapeEvent(
            kind=kind, venue="v", symbol="BTCUSDT", at_us=1, first_id=1, last_id=2, start_us=1, end_us=2
        )
    )


def test_of_the_tape_only_gaps_are_kept_and_all_else_is_passed_over() -> None:
    batch, place = SinkBatch(), PartitionBatch("tape-events", 0)
    batch.add(place, 5, tape_event("coverage"))
    assert (list(batch), len(batch), batch.read) == ([], 1, {place: 6})
    batch.add(place, 6, tape_event("gap_repaired"))
    batch.add(place, 7, tape_event("stream_stale"))
    ((topic, records),) = batch
    (one,) = range(len(records))
    assert (topic, records.refused(one, "").offset, len(batch), batch.read) == (
        "tape-events",
        6,
        3,
        {place: 8},
    )


def test_losses_are_kept_by_themselves_at_the_place_they_came_from() -> None:
    batch, place = SinkBatch(), PartitionBatch("tape-events", 0)
    kinds: list[TapeEventKind] = ["messages_lost", "gap_found", "messages_lost", "coverage"]
    batch.extend(place, [5, 6, 7, 8], [tape_event(kind) for kind in kinds])
    found = {name: [records.refused(n, "").offset for n in range(len(records))] for name, records in batch}
    assert (found, batch.passed, len(batch)) == ({"tape-events": [6], "losses": [5, 7]}, 1, 4)


def test_signals_of_a_second_that_is_still_open_are_passed_over() -> None:
    signal = builders.signal(event_us=2, y_price=1.0, samples=1, quality="not_enough_data")
    batch, place = SinkBatch(), PartitionBatch("signals", 0)
    is_open = msgspec.structs.replace(signal, closed=False)
    batch.extend(place, range(3), [encode(is_open), encode(signal), encode(is_open)])
    ((_, records),) = batch
    assert (records.messages, batch.passed, batch.read) == ([signal], 2, {place: 3})
    assert records.refused(0, "").offset == 1


def test_an_empty_batch_is_false() -> None:
    assert not SinkBatch()
