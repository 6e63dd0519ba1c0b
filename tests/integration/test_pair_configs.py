"""Pair configurations: the topic `pairs` as a service follows and writes it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition

from services.common.codec import decode, encode
from services.common.errors import TransientError
from services.common.kafka import compacted
from services.common.kafka.clients import admin, create_topics
from services.common.kafka.dead_letters import DeadLetter
from services.common.kafka.pair_configs import Configs, PairConfigs, configured, publish
from services.common.settings import KafkaSettings, PairSettings, load
from services.contracts.messages import PairConfig
from services.contracts.topics import PAIRS, SIGNALS, Topic
from tests.broker import first_offsets, produce, read_all
from tests.brokers.kafka import Cluster
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

FIRST = configured(load(PairSettings, {}))
(PAIR,) = FIRST
OTHER = PairConfig(pair="SOLUSDT-BTCUSDT", paused=True)


@asynccontextmanager
async def following(
    broker: str, first: Configs | None = None, on: Topic = PAIRS, **options: Any
) -> AsyncIterator[tuple[KafkaSettings, PairConfigs]]:
    class Followed(PairConfigs):
        topic = on

    settings = KafkaSettings(brokers=broker, fetch_max_wait_ms=25)
    configs = Followed(**options)
    task = asyncio.create_task(configs.follow(settings, first))
    try:
        async with asyncio.timeout(60):
            yield settings, configs
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(configs: PairConfigs, holds: Callable[[Configs], bool]) -> Configs:
    version = -1
    while True:
        version = await configs.changed(version)
        if holds(configs.by_name):
            return configs.by_name


def test_an_empty_topic_gets_the_pairs_of_the_settings_and_no_other_does(broker: str) -> None:
    async def run() -> None:
        async with following(broker, FIRST) as (settings, configs):
            assert await until(configs, bool) == FIRST
            await configs.wait_for(await publish(settings, {PAIR: None}))
            assert configs.by_name == {}
        # Somebody has used it: nothing comes back by itself.
        async with following(broker, FIRST) as (_, configs):
            await configs.loaded.wait()
            assert configs.by_name == {}
        assert len(await read_all(broker, "pairs")) == 2

    asyncio.run(run())


def test_who_publishes_nothing_waits_for_who_does(broker: str) -> None:
    async def run() -> None:
        async with following(broker) as (settings, configs):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.5):
                    await configs.loaded.wait()
            await publish(settings, {OTHER.pair: OTHER})
            assert await until(configs, bool) == {OTHER.pair: OTHER}

    asyncio.run(run())


def test_what_was_published_holds_once_it_is_reached(broker: str) -> None:
    async def run() -> None:
        async with following(broker, FIRST) as (settings, configs):
            await configs.loaded.wait()
            for window in (20, 30, 40):
                changed = msgspec.structs.replace(FIRST[PAIR], window=window)
                await configs.wait_for(await publish(settings, {PAIR: changed, OTHER.pair: OTHER}))
                assert configs.by_name == {PAIR: changed, OTHER.pair: OTHER}
            version = configs.version
            await configs.wait_for(await publish(settings, {OTHER.pair: OTHER}))
            assert configs.version == version

    asyncio.run(run())


def test_bad_messages_are_put_aside_and_change_nothing(broker: str) -> None:
    bad = [b"{", encode(OTHER), encode(FIRST[PAIR]).replace(b"ETH", b"eth")]

    async def run() -> None:
        buried: asyncio.Queue[bytes] = asyncio.Queue()

        async def dead_letter(letters: Sequence[DeadLetter]) -> None:
            for letter in letters:
                await buried.put(letter.raw)

        async with following(broker, FIRST, dead_letter=dead_letter) as (_, configs):
            await configs.loaded.wait()
            await asyncio.to_thread(produce, broker, "pairs", ((raw, 0) for raw in bad), PAIR.encode())
            assert [await buried.get() for _ in bad] == bad
            assert configs.by_name == FIRST

    asyncio.run(run())


def test_many_messages_that_are_no_configurations_are_put_aside_together(broker: str) -> None:
    async def run() -> None:
        calls, letters, all_came = list[int](), list[str](), asyncio.Event()

        async def dead_letter(found: Sequence[DeadLetter]) -> None:
            calls.append(len(found))
            letters.extend(letter.origin for letter in found)
            if len(letters) == 5_000:
                all_came.set()

        async with following(broker, FIRST, dead_letter=dead_letter) as (_, configs):
            await configs.loaded.wait()
            await asyncio.to_thread(produce, broker, "pairs", [(b"{", 1)] * 5_000, PAIR.encode())
            await all_came.wait()
        assert sorted(letters) == sorted(f"pairs/1/{offset}" for offset in range(5_000))
        # Each of them waits for the broker.
        assert len(calls) < 500

    asyncio.run(run())


def test_what_the_broker_deleted_unread_is_counted_and_the_rest_is_followed(broker: str) -> None:
    # Of a compacted topic Kafka deletes nothing, whatever its size.
    topic = PAIRS._replace(name=SIGNALS.name)

    async def run() -> None:
        buried, said = list[bytes](), list[tuple[str, int, int]]()
        reading, goes_on, again = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def dead_letter(letters: Sequence[DeadLetter]) -> None:
            buried.extend(letter.raw for letter in letters)
            reading.set()
            await goes_on.wait()

        def outrun(*one: Any) -> None:
            said.append(one)
            again.set()

        async with following(broker, FIRST, topic, dead_letter=dead_letter, outrun=outrun) as (
            settings,
            configs,
        ):
            await configs.loaded.wait()
            await asyncio.to_thread(produce, broker, topic.name, [(b"{", 2)])
            await reading.wait()
            # Either broker keeps 5 MiB of a partition.
            large = ((b"{" * 100_000, 2) for _ in range(80))
            await asyncio.to_thread(produce, broker, topic.name, large)

            def are_deleted() -> bool:
                return first_offsets(broker, topic.name)[2] > 10

            await asyncio.to_thread(wait_until, are_deleted, "the oldest messages are deleted")
            goes_on.set()
            await again.wait()
            await configs.wait_for(await compacted.publish(settings, topic, {OTHER.pair: OTHER}))
            await configs.wait_for({TopicPartition(topic.name, 2): 81})
            assert configs.by_name == {**FIRST, OTHER.pair: OTHER}
            assert {(name, partition) for name, partition, _ in said} == {(topic.name, 2)}
            assert sum(lost for _, _, lost in said) + len(buried) == 81

    asyncio.run(run())


async def make_anew(settings: KafkaSettings, pairs: Configs) -> None:
    """Delete the topic and make it again with these pairs alone."""
    async with admin(settings) as client:
        await client.delete_topics(["pairs"])

    def is_made() -> bool:
        return bool(asyncio.run(create_topics(settings, [PAIRS], 4, 1)))

    await asyncio.to_thread(wait_until, is_made, "the deleted topic is gone and made anew")
    # For a moment after that the broker still takes messages for the deleted topic, and deletes them with it.
    async with asyncio.timeout(30):
        wanted = [encode(one) for one in pairs.values()]
        while [record.value for record in await read_all(settings.brokers, "pairs")] != wanted:
            await publish(settings, pairs)


def test_of_a_topic_made_anew_only_what_it_holds_now_counts(kafka: Cluster) -> None:
    async def run() -> None:
        said = list[Any]()
        # It publishes nothing itself: it might find the new topic empty before the test has published.
        async with following(kafka.servers, outrun=lambda *one: said.append(one)) as (settings, configs):
            for window in range(20, 40):
                await publish(settings, {PAIR: msgspec.structs.replace(FIRST[PAIR], window=window)})
            await until(configs, lambda known: bool(known) and known[PAIR].window == 39)
            await make_anew(settings, {OTHER.pair: OTHER})
            await until(configs, lambda known: known == {OTHER.pair: OTHER})
            assert said == []

    asyncio.run(run())


def test_a_topic_made_anew_with_as_many_messages_is_read_again(kafka: Cluster) -> None:
    changed = {PAIR: msgspec.structs.replace(FIRST[PAIR], window=20)}

    async def run() -> None:
        async with following(kafka.servers, FIRST) as (settings, configs):
            await until(configs, lambda known: known == FIRST)
            with ThreadPoolExecutor() as other:
                # The reader stands still meanwhile: it finds the topic as long, and in as many partitions, as it was.
                other.submit(asyncio.run, make_anew(settings, changed)).result()
            await until(configs, lambda known: known == changed)

    asyncio.run(run())


def test_without_a_broker_nothing_is_published() -> None:
    settings = KafkaSettings(brokers=f"127.0.0.1:{free_port()}")
    with pytest.raises(TransientError, match="the broker to take the pairs"):
        asyncio.run(publish(settings, {OTHER.pair: OTHER}))


def test_more_samples_than_the_window_has_are_never_asked_for() -> None:
    settings = load(PairSettings, {"PAIRSTREAM_WINDOW": "20"})
    assert configured(settings)[PAIR].min_samples == 20
    assert decode(encode(OTHER), PairConfig) == OTHER
