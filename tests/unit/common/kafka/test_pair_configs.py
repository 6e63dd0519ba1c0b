"""Reader of the pair configurations: it moves, or starts again."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from aiokafka import TopicPartition

from services.common.errors import TransientError
from services.common.kafka import compacted
from services.common.kafka.pair_configs import PairConfigs

PLACE = TopicPartition("pairs", 0)


class Deaf:
    """A consumer that gets nothing of the two messages there are."""

    def __init__(self, answers: bool) -> None:
        self._answers = answers

    async def beginning_offsets(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    async def position(self, place: TopicPartition) -> int:
        return 0

    async def end_offsets(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        if not self._answers:
            await asyncio.Event().wait()
        return {PLACE: 2}

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(0.001)
        return {}


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        (True, "expected pairs/0 to be read up to 2 within 0.01 s, but offset 0 stands still"),
        (False, "expected an answer of the broker within 0.01 s"),
    ],
)
def test_a_reader_that_gets_nothing_of_what_there_is_begins_anew(
    monkeypatch: pytest.MonkeyPatch, answers: bool, complaint: str
) -> None:
    monkeypatch.setattr(compacted, "_LOOK_S", 0.01)
    monkeypatch.setattr(compacted, "_ANSWER_S", 0.01)
    with pytest.raises(TransientError, match=complaint):
        asyncio.run(PairConfigs()._follow(Deaf(answers), {PLACE: 0}, None))
