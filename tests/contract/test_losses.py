"""Losses on every store: each is kept once, also after somebody has acknowledged it."""

import asyncio
from dataclasses import dataclass, field

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.common.codec import encode
from services.contracts.messages import TapeEvent
from services.sink.batch import PartitionBatch, RefusedMessage, SinkBatch
from tests.contract.store import START_US, writer_of
from tests.fix_database import empty

PLACE = PartitionBatch("tape-events", 2)
EVENTS = st.lists(
    st.builds(
        lambda reader, topic, second, messages: loss(second, messages, reader, topic),
        reader=st.sampled_from(["sink", "api"]),
        topic=st.sampled_from(["ticks", "alerts"]),
        second=st.integers(0, 5),
        messages=st.integers(1, 9),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda event: (event.reader, event.topic, event.at_us),
)


def loss(second: int, messages: int | None, reader: str | None = "sink", topic: str = "ticks") -> TapeEvent:
    return TapeEvent(
        kind="messages_lost",
        venue="",
        symbol="",
        at_us=START_US + second * SECOND,
        reader=reader,
        topic=topic,
        partition=1,
        messages=messages,
    )


@dataclass
class Grave:
    """Where the sink buries what is refused."""

    buried: list[RefusedMessage] = field(default_factory=list)

    async def dead_letter(self, refused: object) -> None:
        self.buried += refused  # type: ignore[arg-type]


async def write(url: str, grave: Grave, *batches: list[TapeEvent]) -> None:
    offset = 0
    async with writer_of(url) as writer:
        for events in batches:
            batch = SinkBatch()
            for event in events:
                batch.add(PLACE, offset, encode(event))
                offset += 1
            await writer.write(batch, grave.dead_letter)


def stored(url: str, where: str = "true") -> dict[tuple[str, str], int]:
    query = f"SELECT reader, topic, sum(messages)::int8 FROM losses WHERE {where} GROUP BY reader, topic"  # noqa: S608
    with psycopg.connect(url) as connection:
        return {(reader, topic): messages for reader, topic, messages in connection.execute(query)}


@settings(max_examples=20, deadline=None)
@given(data=st.data(), events=EVENTS)
def test_however_often_they_come_each_loss_counts_once(
    store_url: str, data: st.DataObject, events: list[TapeEvent]
) -> None:
    empty(store_url)
    first = data.draw(st.lists(st.sampled_from(events), max_size=6))
    asyncio.run(write(store_url, Grave(), first, data.draw(st.permutations(events + first))))
    expected: dict[tuple[str | None, str | None], int] = {}
    for event in events:
        key = event.reader, event.topic
        expected[key] = expected.get(key, 0) + (event.messages or 0)
    assert stored(store_url) == expected


def test_one_that_is_acknowledged_stays_so_when_it_comes_again_and_a_new_one_is_not(store: str) -> None:
    asyncio.run(write(store, Grave(), [loss(0, 5)]))
    with psycopg.connect(store) as connection:
        connection.execute("UPDATE losses SET acknowledged_at = now(), acknowledged_by = 'desk'")
    asyncio.run(write(store, Grave(), [loss(0, 5), loss(1, 7)]))
    assert stored(store, "acknowledged_at IS NULL") == {("sink", "ticks"): 7}


def test_one_that_says_not_who_or_how_many_is_refused_and_the_others_are_stored(store: str) -> None:
    grave = Grave()
    asyncio.run(write(store, grave, [loss(0, None), loss(1, 3), loss(2, 0), loss(3, 4, None)]))
    assert stored(store) == {("sink", "ticks"): 3}
    assert sorted(one.offset for one in grave.buried) == [0, 2, 3]
