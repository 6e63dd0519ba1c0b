"""Kafka clients: the one place that builds producers and consumers, with security as the settings say."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from copy import copy
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from services.common.backoff import Backoff
from services.common.errors import AwayError, TransientError
from services.common.kafka import record_batches
from services.common.kafka.probe import require_kafka
from services.common.kafka.wake_up import LOOK_S, WakeUp
from services.common.settings import KafkaSettings
from services.contracts.topics import Topic

STOP_TIMEOUT_S = 3.0
# On the embedded broker every empty fetch waits in full, and costs 0.7 ms.
_IDLE_FETCH_MS = 40
# A reader that is woken fetches no more often: what comes meanwhile comes together.
_SPACING_S = 0.005
log = structlog.get_logger()
record_batches.install()


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Return the arguments that aiokafka's clients share."""
    arguments: dict[str, Any] = {
        "bootstrap_servers": settings.brokers,
        "security_protocol": settings.kafka_security,
    }
    if settings.kafka_security in ("SSL", "SASL_SSL"):
        arguments["ssl_context"] = ssl.create_default_context(cafile=settings.kafka_ca_file)
    if settings.kafka_security.startswith("SASL"):
        arguments |= {
            "sasl_mechanism": "SCRAM-SHA-256",
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password,
        }
    return arguments


@asynccontextmanager
async def producer(settings: KafkaSettings, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a started producer; at the end its buffer is sent, for `STOP_TIMEOUT_S` at most."""
    compression = None if settings.kafka_compression == "none" else settings.kafka_compression
    fixed = {"linger_ms": 5, "acks": "all", "compression_type": compression}
    client = AIOKafkaProducer(**connection(settings), **{**fixed, **options})
    try:
        await client.start()
        yield client
    finally:
        await _stop(client)


@asynccontextmanager
async def consumer(
    settings: KafkaSettings,
    *topics: Topic,
    later: Iterable[str] = (),
    spacing_s: Callable[[], float] = lambda: _SPACING_S,
    look_s: float = LOOK_S,
    can_wait: bool = False,
    **options: Any,
) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a started consumer of raw bytes that commits only when told to; where producers wake readers, it is woken.

    `later` names topics that it will be subscribed to afterwards. From one fetch to the next it lets `spacing_s` pass,
    which may change, and where nobody wakes it each waits as long as the settings say, at least: a reader that takes
    its time has fewer of them. What no producer announces it fetches every `look_s`. With
    `can_wait` it is not woken for messages that can wait.
    """
    client = AIOKafkaConsumer(
        *(topic.name for topic in topics),
        **connection(settings),
        **{
            "auto_offset_reset": "earliest",
            "enable_auto_commit": False,
            "isolation_level": "read_committed",
            "fetch_max_wait_ms": 0
            if settings.wake_directory
            else max(round(spacing_s() * 1000), settings.fetch_max_wait_ms),
            **options,
        },
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_stop, client)
        await client.start()
        if settings.wake_directory is not None:
            names = {*later, *(topic.name for topic in topics)}
            wake_up = WakeUp(client, settings.wake_directory, names, spacing_s, look_s, can_wait)
            stack.callback(wake_up.close)
        yield client


async def assign_all(consumer: AIOKafkaConsumer, topic: Topic) -> None:
    """Assign every partition of a topic to a consumer whose group shares out none; TransientError if there is none."""
    numbers = await consumer._client._wait_on_metadata(topic.name)
    if not numbers:
        raise TransientError(f"expected the topic {topic.name}, received none")
    consumer.assign([TopicPartition(topic.name, number) for number in sorted(numbers)])


async def ends(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, int]:
    """Return the end offsets of partitions, open transactions included."""
    asking = copy(consumer._fetcher)
    asking._isolation_level = READ_UNCOMMITTED
    found: dict[TopicPartition, int] = await asking.end_offsets(partitions, consumer._request_timeout_ms)
    return found


async def readable(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], read: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Return up to where partitions can be read, before open transactions; `read` is how far they were.

    Only where something is not read the broker is asked: else it is the end.
    """
    unread = [place for place, end in ends.items() if read.get(place, -1) < end]
    return {**ends, **(await consumer.end_offsets(unread) if unread else {})}


def pace_fetches(consumer: AIOKafkaConsumer, settings: KafkaSettings, something_came: bool) -> None:
    """Make a fetch wait as the settings say while messages come, and longer while there are none."""
    wait_ms = settings.fetch_max_wait_ms
    consumer._fetcher._fetch_max_wait_ms = wait_ms if something_came else max(wait_ms, _IDLE_FETCH_MS)


async def _stop(client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """Stop `client`; one whose broker is away would wait for it longer than anyone waits for a process to end."""
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await client.stop()
    except TimeoutError:
        log.warning("the broker did not answer when a client closed", waited_s=STOP_TIMEOUT_S)


@asynccontextmanager
async def admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Yield a started admin client; AwayError if no broker answers, FatalError if something else does."""
    await require_kafka(settings)
    client = AIOKafkaAdminClient(**connection(settings))
    try:
        await client.start()
        yield client
    except KafkaError as error:
        raise AwayError("the broker", f"expected a Kafka broker at {settings.brokers}: {error}") from error
    finally:
        await client.close()


async def cluster_id(settings: KafkaSettings) -> str:
    """Return the id of the cluster; stored offsets belong to one cluster only."""
    async with admin(settings) as client:
        return str((await client.describe_cluster())["cluster_id"])


async def is_empty(settings: KafkaSettings, topic: Topic) -> bool:
    """Return whether the broker keeps no message of `topic`; TransientError if it cannot say."""
    try:
        # Of topics that it has not subscribed to a consumer knows no partitions.
        async with consumer(settings, topic) as client:
            numbers = client.partitions_for_topic(topic.name) or ()
            partitions = [TopicPartition(topic.name, number) for number in numbers]
            first, last = await client.beginning_offsets(partitions), await ends(client, partitions)
    except KafkaError as error:
        raise TransientError(f"expected the offsets of {topic.name}, received {error}") from error
    return all(first[partition] == last[partition] for partition in partitions)


async def wait_for_broker(settings: KafkaSettings) -> None:
    """Return as soon as a broker answers."""
    backoff = Backoff()
    while True:
        try:
            await cluster_id(settings)
        except TransientError as error:
            delay = backoff.next_s()
            log.warning(
                "the broker does not answer yet, waiting", reason=str(error), retry_in_s=round(delay, 1)
            )
            await asyncio.sleep(delay)
        else:
            return


async def create_topics(
    settings: KafkaSettings, topics: Iterable[Topic], partitions: int, replication_factor: int
) -> list[str]:
    """Create the missing topics and return their names; existing topics stay as they are."""
    created = []
    async with admin(settings) as client:
        for topic in topics:
            configs: dict[str, str] = {"cleanup.policy": topic.cleanup}
            if topic.stamped:
                configs["message.timestamp.type"] = "LogAppendTime"
            if "delete" in topic.cleanup:
                configs["retention.ms"] = str(topic.retention_ms)
            if "compact" in topic.cleanup:
                # Every start reads the whole topic: overwritten messages should go soon, not when a segment is full.
                configs |= {"segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1"}
            answer = await client.create_topics(
                [NewTopic(topic.name, partitions, replication_factor, topic_configs=configs)]
            )
            error = for_code(answer.topic_errors[0][1])
            if issubclass(error, TopicAlreadyExistsError):
                continue
            if answer.topic_errors[0][1] != 0:
                raise TransientError(f"expected to create topic {topic.name}: {error.__name__}")
            created.append(topic.name)
    return created
