"""Service loop of the sink: reads from the stored offsets, writes, commits; starts again after an outage.

While the database takes one batch the next one is read and decoded, and no more than that.
"""

import asyncio
from collections.abc import Callable, Sequence

import psycopg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.common.backoff import Backoff
from services.common.cancellation import TaskGroup, checkpoint, end, pause
from services.common.errors import AwayError, FatalError, RefusedError, TransientError, reason_of
from services.common.heartbeat import INTERVAL_S, HeartbeatState
from services.common.kafka import clients
from services.common.kafka.dead_letters import DeadLetter, DeadLetters
from services.common.kafka.pair_configs import PairConfigs
from services.common.kafka.symbol_configs import SymbolConfigs
from services.common.metrics import HeartbeatMetrics, published
from services.common.supervision import Supervisor
from services.sink import retention
from services.sink.batch import KINDS, RefusedMessage, SinkBatch
from services.sink.disk_guard import DiskGuard, make_room
from services.sink.settings import SinkSettings
from services.sink.source import GROUP, SESSION_TIMEOUT_MS, TopicSource
from services.sink.tables import TABLES
from services.sink.writer import SinkWriter
from services.store import database, pairs, symbols
from services.store.database_watchdog import DatabaseWatch
from services.store.mirror import mirror

_SWEEP_S = 60
# Longest delay until the sink notices that the broker or database is back.
_LONGEST_DELAY_S = 2.0

_COUNTERS = (
    *(table.name for table in TABLES.values()),
    "duplicates",
    "dead_letters",
    "dead_letters_not_kept",
    "batches",
    "lost",
    "expired",
    "dropped_ticks",
)

log = structlog.get_logger()


class Sink:
    """Moves batches from a source to the database."""

    def __init__(
        self,
        settings: SinkSettings,
        source: TopicSource,
        dead_letters: DeadLetters,
        heartbeat: HeartbeatState,
        is_away: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_away` tells of the database what nobody notices who has nothing to write."""
        self._settings = settings
        self._source = source
        self._dead_letters = dead_letters
        self._heartbeat = heartbeat
        self._is_away = is_away
        self._backoff = Backoff(cap_s=_LONGEST_DELAY_S)

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
                self._heartbeat.state, self._heartbeat.detail = "degraded", _told(error)
                log.warning(
                    "waiting for the broker or the database",
                    error=reason_of(error),
                    retry_in_s=round(delay, 2),
                )
                await asyncio.sleep(delay)

    async def watch_lag(self) -> None:
        """Measure every second how far behind the sink is; TransientError if it reads nothing of what comes."""
        while True:
            self._heartbeat.lag_messages, self._heartbeat.lag_seconds = await self._source.lag()
            await pause(INTERVAL_S)

    async def _write_until_failure(self) -> None:
        async with database.connect(self._settings, "pairstream-sink", prepare_threshold=None) as connection:
            writer = SinkWriter(connection)
            await writer.prepare()
            self._source.placed = False
            batch = await self._source.read()
            while True:
                checkpoint()
                if self._source.placed:
                    batch = await self._write_and_read(writer, batch)
                else:
                    stored = await writer.resume(await self._source.cluster_id())
                    await self._source.place(stored)
                    if self._heartbeat.state == "starting":
                        self._running()
                    batch = await self._source.read()

    async def _write_and_read(self, writer: SinkWriter, batch: SinkBatch) -> SinkBatch:
        """Write `batch` and return the next one; neither is under way any more when this fails."""
        reading = asyncio.create_task(self._source.read())
        try:
            if batch:
                await self._write(writer, batch)
            elif self._is_away():
                raise AwayError("the database", "expected the database to answer who asks every second")
            else:
                await writer.refresh()
            # Only now: a database may well answer and yet take no batch.
            self._running()
            return await reading
        finally:
            await end(reading)

    def _running(self) -> None:
        self._backoff.reset()
        if not self._source.answers:
            self._heartbeat.state, self._heartbeat.detail = "degraded", "the broker does not answer"
            return
        if self._heartbeat.state != "running":
            log.info("writing")
        self._heartbeat.state, self._heartbeat.detail = "running", None
        self._heartbeat.counters["lost"] = sum(self._heartbeat.lost.values())

    async def _write(self, writer: SinkWriter, batch: SinkBatch) -> None:
        await self._dead_letter(batch.refused)
        written = await writer.write(batch, self._dead_letter)
        await self._source.commit(batch.read)
        counters = self._heartbeat.counters
        for topic, rows in written.stored.items():
            counters[TABLES[topic].name] += rows
        counters["duplicates"] += written.duplicates
        counters["batches"] += 1
        counters["expired"] += batch.expired

    async def _dead_letter(self, refused: Sequence[RefusedMessage]) -> None:
        await self._dead_letters.put_all(
            DeadLetter.of(*one.partition, one.offset, one.raw, one.reason) for one in refused
        )


def _told(error: Exception) -> str:
    """Return the part of an error that is public: every client reads heartbeats."""
    if isinstance(error, AwayError):
        return error.told
    return (
        f"the broker does not answer: {type(error).__name__}" if isinstance(error, KafkaError) else str(error)
    )


async def _require_store(settings: SinkSettings) -> None:
    """FatalError if the database refuses the login or has another schema; `run` waits for one that is away."""
    try:
        async with database.connect(settings, "pairstream-sink") as connection:
            await SinkWriter(connection).prepare()
    except RefusedError as error:
        raise FatalError(str(error)) from error
    except TransientError:
        log.info("the database does not answer yet, waiting")


async def serve(settings: SinkSettings) -> None:
    """Run the sink and its heartbeat until cancelled; wait for a broker first."""
    heartbeat = HeartbeatState("sink")
    heartbeat.declare(*_COUNTERS)
    with published(settings, heartbeat, HeartbeatMetrics(heartbeat).registry):
        await _require_store(settings)
        await clients.wait_for_broker(settings)
        await _serve(settings, heartbeat)


async def _serve(settings: SinkSettings, heartbeat: HeartbeatState) -> None:
    configs = PairConfigs(outrun=heartbeat.outrun)
    choices = SymbolConfigs(outrun=heartbeat.outrun)
    # An empty topic is that of a broker that has lost it, and no reason to forget.
    choices.may_be_empty = False
    watch = DatabaseWatch(settings, "pairstream-sink-watch")
    async with clients.producer(settings) as producer:
        tasks = Supervisor(heartbeat.counters)
        tasks.keep("the heartbeat", lambda: heartbeat.beat(producer.send))
        tasks.keep("the watch over the database", watch.keep)
        tasks.keep("the writer", lambda: _write(settings, producer, heartbeat, watch))
        tasks.finish("the deletion of expired rows", lambda: delete_expired(settings))
        if settings.disk_directory is not None:
            guard = DiskGuard(settings.disk_directory, heartbeat, lambda: make_room(settings))
            tasks.keep("the watch over the disk", guard.run)
        tasks.keep("the reader of the pairs", lambda: configs.follow(settings))
        tasks.keep("the mirror of the pairs", lambda: mirror(settings, "sink", configs, pairs.mirror))
        tasks.keep("the reader of the symbols", lambda: choices.follow(settings))
        tasks.keep("the mirror of the symbols", lambda: mirror(settings, "sink", choices, symbols.mirror))
        await tasks.run()


async def _write(
    settings: SinkSettings, producer: AIOKafkaProducer, heartbeat: HeartbeatState, watch: DatabaseWatch
) -> None:
    """Read and write until that fails in a way in which another consumer may help."""
    try:
        async with (
            clients.consumer(
                settings,
                later=KINDS,
                # A batch waits longer than this anyway, and fewer fetches cost less.
                spacing_s=lambda: settings.batch_ms / 2000,
                group_id=GROUP,
                session_timeout_ms=SESSION_TIMEOUT_MS,
            ) as consumer,
            TaskGroup() as tasks,
        ):
            source = TopicSource(consumer, settings, heartbeat.outrun)
            # A dead letter is safe when the broker has it, before its offset is passed.
            letters = DeadLetters(producer.send, "sink", heartbeat.counters)
            sink = Sink(settings, source, letters, heartbeat, lambda: watch.is_silent)
            tasks.create_task(sink.watch_lag())
            tasks.create_task(sink.run())
    finally:
        heartbeat.state, heartbeat.detail = "degraded", "begins to read anew"


async def delete_expired(settings: SinkSettings) -> None:
    """Delete expired rows every minute, until cancelled; return at once if no table has a retention."""
    retentions = settings.retentions
    while any(retentions.values()):
        try:
            async with database.connect(settings, "pairstream-sink-retention") as connection:
                deleted = await retention.sweep(connection, retentions)
            if deleted:
                log.info("deleted expired rows", rows=deleted)
        except (TransientError, psycopg.Error) as error:
            log.warning("expired rows could not be deleted, trying again in a minute", error=reason_of(error))
        await pause(_SWEEP_S)
