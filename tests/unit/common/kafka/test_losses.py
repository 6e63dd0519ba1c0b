"""Losses of a reader, against a partition with known deletions."""

import asyncio
from collections.abc import Collection, Mapping

from aiokafka import TopicPartition
from hypothesis import example, given
from hypothesis import strategies as st

from services.common.kafka.losses import Losses

PLACE = TopicPartition("ticks", 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["write", "delete", "read"]), st.integers(0, 9)),
        st.tuples(st.sampled_from(["mark", "commit", "begin again"]), st.just(0)),
    ),
    max_size=40,
)


class Partition:
    """Messages and marks of transactions, of which the first are deleted, and one reader that may begin again."""

    def __init__(self) -> None:
        self.first, self.end = 0, 0
        self.marks: set[int] = set()
        self.following = self.committed = 0
        self.gone: set[int] = set()
        self.said: list[int] = []
        self.asked = 0
        self._losses = Losses(self._outrun)

    def do(self, step: str, count: int) -> None:
        if step == "write":
            self.end += count
        elif step == "mark":
            self.marks.add(self.end)
            self.end += 1
        elif step == "delete":
            self.first = min(self.first + count, self.end)
        elif step == "commit":
            self.committed = self.following
        elif step == "begin again":
            self._goes_past(self.committed, self.first)
            self.following = self._losses.resume(PLACE, self.committed, self.first, self.end)
        else:
            self._read(count)

    def _read(self, count: int) -> None:
        held = [
            number
            for number in range(max(self.following, self.first), self.end)
            if number not in self.marks or number < self.first
        ][:count]
        if held:
            self._goes_past(self.following, held[0])
            asyncio.run(self._losses.passed(PLACE, self.following, held[0], self._earliest))
            self.following = held[-1] + 1

    def _goes_past(self, following: int, reached: int) -> None:
        self.gone.update(range(following, min(reached, self.first)))

    async def _earliest(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        self.asked += 1
        return dict.fromkeys(places, self.first)

    def _outrun(self, topic: str, partition: int, messages: int) -> None:
        assert (topic, partition) == PLACE
        self.said.append(messages)


@given(STEPS)
@example([("write", 9), ("delete", 6), ("begin again", 0), ("read", 1), ("begin again", 0), ("read", 1)])
@example([("write", 9), ("delete", 6), ("read", 1), ("begin again", 0), ("delete", 3), ("begin again", 0)])
def test_every_message_that_was_gone_when_its_turn_came_counts_once(steps: list[tuple[str, int]]) -> None:
    partition = Partition()
    for step in steps:
        partition.do(*step)
        assert sum(partition.said) == len(partition.gone)
    assert 0 not in partition.said


def test_a_broker_is_asked_only_where_a_message_does_not_follow() -> None:
    partition = Partition()
    for step in [("write", 9), ("read", 3), ("read", 3), ("mark", 0), ("write", 2), ("read", 9)]:
        partition.do(*step)
    assert partition.asked == 0
    for step in [("mark", 0), ("write", 1), ("read", 1)]:
        partition.do(*step)
    assert (partition.asked, partition.said) == (1, [])


def test_what_was_deleted_while_the_broker_was_asked_is_not_what_was_passed() -> None:
    said: list[int] = []

    async def earliest(places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(places, 900)

    asyncio.run(Losses(lambda *one: said.append(one[2])).passed(PLACE, 100, 150, earliest))
    assert said == [50]


def test_of_a_topic_that_was_made_anew_nothing_is_counted_before_it_loses_something_itself() -> None:
    said: list[int] = []
    losses = Losses(lambda *one: said.append(one[2]))
    assert losses.resume(PLACE, 100, 200, 300) == 200
    assert losses.resume(PLACE, 301, 20, 30) == 20
    assert said == [100]
    assert losses.resume(PLACE, 25, 28, 30) == 28
    assert said == [100, 3]
