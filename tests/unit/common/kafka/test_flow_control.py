"""Flow control: no producer outruns a reader by more than the broker keeps, and none waits for ever."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import RequestTimedOutError
from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.flow_control import FlowControl, needed
from services.common.settings import KafkaSettings
from services.contracts.topics import HEARTBEATS, SIGNALS, TICKS
from tests import virtual_time

KEEPS = 100_000
# A batch that is written unasked, and one whose messages are those of an earlier run, are no larger.
MOST = KEEPS // 4
PLACES = [TopicPartition(TICKS.name, number) for number in range(2)]


class Batch(NamedTuple):
    """What is written at once."""

    messages: int
    size: int


class Reading(NamedTuple):
    """One step of a group: so long after the last one it has read so many messages more."""

    after_s: float
    messages: int


class Log:
    """One partition: where its batches end, what they weigh, and how far its groups are."""

    def __init__(self, groups: Sequence[str], earlier: Sequence[Batch]) -> None:
        self.ends: list[int] = [0]
        self.sizes: list[int] = []
        self.read = dict.fromkeys(groups, 0)
        for batch in earlier:
            self.append(batch)

    @property
    def end(self) -> int:
        return self.ends[-1]

    def append(self, batch: Batch) -> int:
        """Append and return the offset of the first message; AssertionError if what is unread would not be kept."""
        base = self.end
        self.ends.append(base + batch.messages)
        self.sizes.append(batch.size)
        assert self.unread_bytes <= KEEPS
        return base

    @property
    def unread_bytes(self) -> int:
        """Bytes of the batches that the slowest group has not read to their end."""
        slowest = min(self.read.values())
        return sum(size for size, end in zip(self.sizes, self.ends[1:], strict=True) if end > slowest)


class Rig:
    """Partitions of one topic, a producer that asks for room, and groups that read at their own pace."""

    def __init__(self, topic: str, groups: Sequence[str], earlier: Sequence[Batch] = ()) -> None:
        self.logs = {TopicPartition(topic, number): Log(groups, earlier) for number in range(2)}
        self.flow = FlowControl(self.committed, KEEPS)
        self.asked = 0

    async def committed(self, group: str, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        self.asked += 1
        await asyncio.sleep(0.001)
        # Before a group has begun it has no offset.
        return {place: self.logs[place].read[group] or -1 for place in places}

    async def produce(self, place: TopicPartition, batches: Sequence[Batch]) -> None:
        for batch in batches:
            await self.flow.room(place, batch.size)
            base = self.logs[place].append(batch)
            self.flow.wrote(place, base, *batch)

    async def read(self, place: TopicPartition, group: str, steps: Sequence[Reading]) -> None:
        """Go through the steps again and again, for ever."""
        log = self.logs[place]
        for step in itertools.cycle(steps):
            await asyncio.sleep(step.after_s)
            log.read[group] = min(log.end, log.read[group] + step.messages)

    async def run(self, batches: Sequence[Batch], steps: Mapping[str, Sequence[Reading]]) -> None:
        """Produce on every partition while all groups read."""
        readers = [
            asyncio.create_task(self.read(place, group, steps[group]))
            for place in self.logs
            for group in steps
        ]
        try:
            await asyncio.gather(*(self.produce(place, batches) for place in self.logs))
        finally:
            for reader in readers:
                reader.cancel()


def batches(most_bytes: int = MOST) -> st.SearchStrategy[list[Batch]]:
    return st.lists(st.builds(Batch, st.integers(1, 50), st.integers(1, most_bytes)), max_size=30)


steps = st.lists(
    st.builds(Reading, st.floats(0.01, 1.0), st.integers(0, 100)), min_size=1, max_size=4
).filter(lambda found: any(step.messages for step in found))


def left_over(found: Sequence[Batch]) -> list[Batch]:
    """Return as many of them as an earlier run may have left, with messages of a size that they have in reality."""
    earlier, size = list[Batch](), 0
    for batch in found:
        size += (real := min(batch.size, 16_000 * batch.messages))
        if size <= KEEPS * 3 // 4:
            earlier.append(Batch(batch.messages, real))
    return earlier


@given(batches(), batches(), steps, steps)
def test_the_slowest_group_always_finds_what_it_has_not_read(
    written: list[Batch], earlier: list[Batch], one: list[Reading], other: list[Reading]
) -> None:
    groups = dict(zip(TICKS.groups, (one, other), strict=True))
    rig = Rig(TICKS.name, TICKS.groups, left_over(earlier))
    virtual_time.run(rig.run(written, groups))


def test_nobody_is_asked_while_there_is_room_for_certain() -> None:
    async def run() -> None:
        await rig.produce(PLACES[0], [Batch(1, 1_000)] * 75)
        # Once: what an earlier run may have left.
        assert rig.asked == len(TICKS.groups)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await rig.flow.room(PLACES[0], 1_000)
        assert rig.asked > len(TICKS.groups)

    rig = Rig(TICKS.name, TICKS.groups)
    virtual_time.run(run())


def test_what_an_earlier_run_left_counts_before_it_is_known_how_large_it_is() -> None:
    async def run() -> None:
        await rig.produce(PLACES[0], [Batch(1, 100)])
        waiting = asyncio.create_task(rig.flow.room(PLACES[0], 100))
        await asyncio.sleep(60.0)
        assert rig.flow.waiting == {PLACES[0]}
        rig.logs[PLACES[0]].read = dict.fromkeys(TICKS.groups, 50)
        await waiting
        assert rig.flow.waiting == set()

    rig = Rig(TICKS.name, TICKS.groups, [Batch(50, KEEPS // 2)])
    virtual_time.run(run())


def test_one_group_of_two_that_stands_still_is_waited_for() -> None:
    async def run() -> None:
        await rig.produce(PLACES[0], [Batch(10, 1_000)] * 75)
        rig.logs[PLACES[0]].read[TICKS.groups[0]] = 750
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60.0):
                await rig.flow.room(PLACES[0], 1_000)

    rig = Rig(TICKS.name, TICKS.groups)
    virtual_time.run(run())


def test_a_partition_begun_while_others_ask_is_not_taken_for_read() -> None:
    """Only the groups that were asked after it had begun would have been asked about it."""

    async def run() -> None:
        await rig.produce(PLACES[0], [Batch(10, 1_000)])
        asking = asyncio.create_task(rig.flow.room(PLACES[0], 1_000))
        await asyncio.sleep(0.0005)
        assert rig.asked == 1
        await rig.produce(PLACES[1], [Batch(10, 1_000)])
        rig.logs[PLACES[1]].read[max(TICKS.groups)] = 10
        await asking
        await rig.produce(PLACES[1], [Batch(10, 1_000)] * 74)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await rig.flow.room(PLACES[1], 1_000)

    rig = Rig(TICKS.name, sorted(TICKS.groups))
    virtual_time.run(run())


def test_what_is_larger_than_all_that_is_kept_goes_alone() -> None:
    async def run() -> None:
        for place in PLACES:
            rig.flow.wrote(place, 0, 1, 10)
            rig.logs[place].read = dict.fromkeys(TICKS.groups, 1)
            await rig.flow.room(place, 2 * KEEPS)
            rig.flow.wrote(place, 1, 1, 2 * KEEPS)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await rig.flow.room(place, 1)

    rig = Rig(TICKS.name, TICKS.groups)
    virtual_time.run(run())


def test_a_batch_that_came_twice_has_its_place_behind_the_others() -> None:
    async def run() -> None:
        rig.flow.wrote(PLACES[0], 0, 10, MOST)
        rig.flow.wrote(PLACES[0], -1, 10, 2 * MOST)
        rig.logs[PLACES[0]].read = dict.fromkeys(TICKS.groups, 19)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await rig.flow.room(PLACES[0], 2 * MOST)
        rig.logs[PLACES[0]].read = dict.fromkeys(TICKS.groups, 20)
        await rig.flow.room(PLACES[0], 2 * MOST)

    rig = Rig(TICKS.name, TICKS.groups)
    virtual_time.run(run())


def test_a_topic_that_nobody_must_read_has_room() -> None:
    async def run() -> None:
        place = TopicPartition(HEARTBEATS.name, 0)
        for offset in range(10):
            await rig.flow.room(place, KEEPS)
            rig.flow.wrote(place, offset, 1, KEEPS)
        assert rig.asked == 0

    rig = Rig(SIGNALS.name, SIGNALS.groups)
    virtual_time.run(run())


def test_a_broker_that_does_not_answer_is_asked_again_and_said_to_be_silent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    silent = True

    async def committed(_: str, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        if silent:
            raise RequestTimedOutError
        return dict.fromkeys(places, 1)

    async def run() -> None:
        nonlocal silent
        flow = FlowControl(committed, KEEPS)
        flow.wrote(PLACES[0], 0, 1, KEEPS)
        waiting = asyncio.create_task(flow.room(PLACES[0], 1))
        await asyncio.sleep(25.0)
        silent = False
        await waiting

    virtual_time.run(run())
    said = capsys.readouterr().out
    assert said.count("waiting for readers") == 2
    assert "groups=stream-analytics,sink" in said
    assert "RequestTimedOutError" in said


def test_only_a_broker_that_keeps_little_needs_it() -> None:
    assert not needed(KafkaSettings())
    assert needed(KafkaSettings(broker_keeps_bytes=1))
