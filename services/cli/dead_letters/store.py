"""The topic ``dead-letters`` of a broker: read to its present end, and sent on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from services.cli.dead_letters.letter import Origin, StoredLetter
from services.common.errors import AwayError, FatalError, TransientError
from services.common.kafka import clients
from services.common.kafka.probe import require_kafka
from services.common.settings import KafkaSettings
from services.common.unreadable import Unreadable
from services.contracts.topics import DEAD_LETTERS

_WAIT_MS = 2_000


@asynccontextmanager
async def opened(settings: KafkaSettings) -> AsyncIterator["LetterStore"]:
    """Yield the letters of a broker; AwayError if none answers."""
    await require_kafka(settings)
    try:
        async with clients.consumer(settings) as consumer, clients.producer(settings) as producer:
            yield LetterStore(consumer, producer)
    except KafkaError as error:
        raise AwayError("the broker", f"expected a Kafka broker at {settings.brokers}: {error}") from error


class LetterStore:
    """Dead letters as they are on the topic now; those that come later are not waited for."""

    def __init__(self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
        self._consumer = consumer
        self._producer = producer

    async def all(self) -> AsyncIterator[StoredLetter]:
        """Yield every letter, partition by partition, the oldest first."""
        numbers = sorted(await self._partitions(DEAD_LETTERS.name))
        for partition in (TopicPartition(DEAD_LETTERS.name, number) for number in numbers):
            first = (await self._consumer.beginning_offsets([partition]))[partition]
            last = (await clients.ends(self._consumer, [partition]))[partition]
            async for record in self._read(partition, first, last):
                if not isinstance(record.value, Unreadable):
                    yield StoredLetter.of(record)

    async def one(self, name: str) -> StoredLetter:
        """Return the letter of an id; FatalError if there is none."""
        number, _, offset = name.partition("/")
        if (
            number.isdecimal()
            and offset.isdecimal()
            and int(number) in await self._partitions(DEAD_LETTERS.name)
        ):
            record = await self._record(Origin(DEAD_LETTERS.name, int(number), int(offset)))
            if record is not None:
                return StoredLetter.of(record)
        raise FatalError(f"ID: expected one that dead-letters list shows, such as 0/17, received {name!r}")

    async def replay(self, letter: StoredLetter) -> str | None:
        """Send a letter to the partition that it came from; return why it cannot be, None when the broker has it.

        It gets the key of the message that it was, if that is still on its topic.
        """
        place = letter.place()
        if (refusal := letter.refusal()) is not None or place is None:
            return refusal
        original = await self._record(place)
        if original is None and letter.needs_key():
            return f"the message at {letter.origin}, which had its key, is no longer on the topic"
        try:
            await self._producer.send_and_wait(
                place.topic,
                value=letter.raw,
                key=None if original is None else original.key,
                partition=place.partition,
                headers=[("replayed", letter.id.encode())],
            )
        except (KafkaError, AssertionError) as error:
            raise TransientError(
                f"expected the broker to take {letter.id} for {place.topic}: {error}"
            ) from error
        return None

    async def _partitions(self, topic: str) -> set[int]:
        await self._consumer._client.set_topics([topic])
        return set(self._consumer.partitions_for_topic(topic) or ())

    async def _record(self, place: Origin) -> ConsumerRecord | None:
        partition = TopicPartition(place.topic, place.partition)
        if place.partition not in await self._partitions(place.topic):
            return None
        first = (await self._consumer.beginning_offsets([partition]))[partition]
        last = (await clients.ends(self._consumer, [partition]))[partition]
        if not first <= place.offset < last:
            return None
        async for record in self._read(partition, place.offset, place.offset + 1):
            return None if record.offset != place.offset or isinstance(record.value, Unreadable) else record
        return None

    async def _read(self, partition: TopicPartition, first: int, last: int) -> AsyncIterator[ConsumerRecord]:
        """Yield the records of a partition from offset `first` to before `last`."""
        if first >= last:
            return
        self._consumer.assign([partition])
        self._consumer.seek(partition, first)
        position = first
        while position < last:
            found = (await self._consumer.getmany(partition, timeout_ms=_WAIT_MS)).get(partition, [])
            if not found:
                return  # what is left are marks of transactions
            for record in found:
                if record.offset >= last:
                    return
                yield record
            position = found[-1].offset + 1
