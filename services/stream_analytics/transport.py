"""Faust's Kafka transport, with what its settings do not reach."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from services.common import kafka
from services.stream_analytics.settings import StreamSettings

# A seek waits for so long at most; Faust asks for 1 s.
_FETCH_S = 0.1


def install(app: faust.App, settings: StreamSettings) -> None:
    """Make `app` wait `fetch_max_wait_ms` for a fetch (Faust hard-codes 1500 ms) and lose nothing in a rebalance."""

    class ConsumerThread(driver.AIOKafkaConsumerThread):
        def _create_worker_consumer(self, transport: Any) -> Any:
            consumer = super()._create_worker_consumer(transport)
            consumer._fetch_max_wait_ms = settings.fetch_max_wait_ms
            return consumer

        async def _fetch_records(self, consumer: Any, *how: Any, **more: Any) -> Any:
            """Fetch, and wait longer from now on if nothing has come."""
            records = await super()._fetch_records(consumer, *how, **more)
            kafka.pace_fetches(consumer, settings, bool(records))
            return records

        async def seek_to_committed(self) -> Any:
            return await self.call_thread(self._seek_to_committed)

        async def _seek_to_committed(self) -> Any:
            """Seek to the committed offsets, and to the beginning where none is committed.

            aiokafka leaves the latter where they are: behind what was fetched and dropped.
            """
            consumer = self._ensure_consumer()
            committed = await consumer.seek_to_committed()
            changelogs = app.tables.changelog_topics
            unread = [tp for tp, offset in committed.items() if not offset and tp.topic not in changelogs]
            if unread:
                await consumer.seek_to_beginning(*unread)
            return committed

    class Consumer(driver.Consumer):
        """Keeps a fetch and a seek apart: what a fetch takes meanwhile Faust drops, behind the new position."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._fetching = asyncio.Lock()

        def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
            return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

        async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109
            async with self._fetching:
                return await super()._getmany(active_partitions, min(timeout, _FETCH_S))

        async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
            async with self._fetching:
                await super().seek_wait(partitions)

        async def seek_to_committed(self) -> Any:
            async with self._fetching:
                return await super().seek_to_committed()

        def resume_partitions(self, tps: Iterable[TP]) -> None:
            """Resume partitions while nothing flows; every caller lets it flow again.

            After a recovery Faust resumes the partitions first and seeks then, and what it delivers between
            the two is lost when the streams start, or comes before what precedes it.
            """
            self.stop_flow()
            super().resume_partitions(tps)

        async def verify_all_partitions_active(self) -> None:
            """Leave it to Lag: Faust's own look ends the worker if a partition has no position yet."""

    class Transport(driver.Transport):
        pass

    Transport.Consumer = Consumer
    app.transport = Transport(app.conf.broker_consumer, app)


def credentials(settings: StreamSettings) -> Any:
    """Return Faust's credentials for the security of `settings`, or None for plain text."""
    arguments = kafka.connection(settings)
    if settings.kafka_security.startswith("SASL"):
        return faust.SASLCredentials(
            username=arguments["sasl_plain_username"],
            password=arguments["sasl_plain_password"],
            mechanism=arguments["sasl_mechanism"],
            ssl_context=arguments.get("ssl_context"),
        )
    if settings.kafka_security == "SSL":
        return faust.SSLCredentials(arguments["ssl_context"])
    return None
