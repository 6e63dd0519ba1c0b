"""Read, write, commit: from what the database holds, again and again, whatever goes away in between."""

import asyncio
from collections.abc import Sequence

import structlog
from aiokafka.errors import KafkaError

from services.common import database, kafka
from services.common.backoff import Backoff
from services.common.cancellation import checkpoint, pause
from services.common.errors import TransientError
from services.common.heartbeat import INTERVAL_S, Pulse
from services.sink.batch import Batch, Refused
from services.sink.settings import SinkSettings
from services.sink.source import GROUP, SESSION_TIMEOUT_MS, Source
from services.sink.writer import Writer

log = structlog.get_logger()


class Sink:
    """Moves batches from a source to the database."""

    def __init__(
        self, settings: SinkSettings, source: Source, dead_letters: kafka.DeadLetters, pulse: Pulse
    ) -> None:
        self._settings = settings
        self._source = source
        self._dead_letters = dead_letters
        self._pulse = pulse
        self._backoff = Backoff()
        pulse.counters |= dict.fromkeys(
            ("ticks", "signals", "alerts", "duplicates", "dead_letters", "batches", "lost"), 0
        )

    async def run(self) -> None:
        """Write until cancelled; whatever a server does, begin again from the stored offsets.

        A batch that failed is read again, so what became of it needs no answer: its offsets are in the
        database or they are not.
        """
        while True:
            try:
                await self._write_until_failure()
            except (TransientError, KafkaError) as error:
                delay = self._backoff.next_s()
                self._pulse.state, self._pulse.detail = "degraded", str(error) or repr(error)
                log.warning("waiting", error=self._pulse.detail, retry_in_s=round(delay, 2))
                await asyncio.sleep(delay)

    async def watch_lag(self) -> None:
        """Measure every second how far behind the sink is, until cancelled."""
        while True:
            self._pulse.lag_messages = await self._source.lag()
            await pause(INTERVAL_S)

    async def _write_until_failure(self) -> None:
        async with database.connect(self._settings, "pairstream-sink", prepare_threshold=None) as connection:
            writer = Writer(connection)
            await writer.prepare()
            self._source.placed = False
            while True:
                checkpoint()
                batch = await self._source.read()
                if not self._source.placed:
                    stored = await writer.resume(await kafka.cluster_id(self._settings))
                    await self._source.place(stored)
                    self._running()
                elif batch:
                    await self._write(writer, batch)

    def _running(self) -> None:
        self._backoff.reset()
        if self._pulse.state != "running":
            log.info("writing")
        self._pulse.state, self._pulse.detail = "running", None
        self._pulse.counters["lost"] = self._source.lost

    async def _write(self, writer: Writer, batch: Batch) -> None:
        await self._bury(batch.refused)
        written = await writer.write(batch, self._bury)
        await self._source.commit(batch.read)
        counters = self._pulse.counters
        for topic, rows in written.stored.items():
            counters[topic] += rows
        counters["duplicates"] += written.duplicates
        counters["batches"] += 1

    async def _bury(self, refused: Sequence[Refused]) -> None:
        await asyncio.gather(
            *(
                self._dead_letters.put(
                    one.raw,
                    one.reason,
                    source=one.partition.topic,
                    origin=f"{one.partition.topic}/{one.partition.partition}/{one.offset}",
                )
                for one in refused
            )
        )
        self._pulse.counters["dead_letters"] = self._dead_letters.count


async def serve(settings: SinkSettings) -> None:
    """Run the sink and its heartbeat until cancelled; wait for a broker first."""
    await kafka.wait_for_broker(settings)
    pulse = Pulse("sink")
    options = {
        "group_id": GROUP,
        "session_timeout_ms": SESSION_TIMEOUT_MS,
        # A batch waits longer than this anyway, and where every fetch waits in full, idling costs less.
        "fetch_max_wait_ms": max(settings.fetch_max_wait_ms, settings.batch_ms // 2),
    }
    async with (
        kafka.producer(settings) as producer,
        kafka.consumer(settings, **options) as consumer,
        asyncio.TaskGroup() as tasks,
    ):
        source = Source(consumer, settings.batch_rows, settings.batch_ms)
        # A dead letter counts as buried when the broker has it, before its offset is passed.
        sink = Sink(settings, source, kafka.DeadLetters(producer.send_and_wait, "sink"), pulse)
        tasks.create_task(pulse.beat(producer.send))
        tasks.create_task(sink.watch_lag())
        tasks.create_task(sink.run())
