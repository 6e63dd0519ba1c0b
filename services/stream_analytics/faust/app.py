"""Faust app: topics, agents and state, no logic; that is in the modules beside it."""

import asyncio
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog
from faust.types import TP

from services.common import clock
from services.common.cancellation import pause
from services.common.errors import FatalError
from services.common.heartbeat import HeartbeatState
from services.common.kafka import clients
from services.common.kafka.dead_letters import DeadLetter, DeadLetters
from services.common.kafka.pair_configs import PairConfigs, configured
from services.common.kafka.publisher import Publisher, publisher
from services.common.metrics import published
from services.common.supervision import Supervisor
from services.contracts import topics
from services.contracts.messages import LegTrades
from services.stream_analytics.fan_out import FanOut
from services.stream_analytics.faust.alert_endings import AlertEndings
from services.stream_analytics.faust.back_pressure import BackPressure
from services.stream_analytics.faust.history_filler import HistoryFiller
from services.stream_analytics.faust.options import new_app
from services.stream_analytics.faust.pair_partitions import PairPartitions
from services.stream_analytics.faust.worker_lag import Progress, Recovery
from services.stream_analytics.metrics import COUNTERS, Stage, StreamMetrics
from services.stream_analytics.router import Router, messages
from services.stream_analytics.settings import StreamSettings
from services.stream_analytics.signal_publisher import SignalPublisher
from services.stream_analytics.stored_past import StoredPast

# What is not committed by then will be read again.
_STOP_S = 4.0
_FAN_OUT_WAIT_S = 0.01
_FORGET_S = 1.0
log = structlog.get_logger()


class StreamAnalytics:
    """The app, its topics and its state, built from settings; nothing is opened before ``serve``."""

    def __init__(self, settings: StreamSettings) -> None:
        self.settings = settings
        self.heartbeat = HeartbeatState("stream_analytics")
        self.counters = self.heartbeat.counters
        self.counters.update(dict.fromkeys(COUNTERS, 0))
        self._fan_out = FanOut(self._send_trades, _FAN_OUT_WAIT_S)
        self._back_pressure = BackPressure(self._has_room, lambda: self._fan_out.in_flight)
        self.app = new_app(
            settings,
            self._back_pressure.held,
            self.heartbeat.outrun,
            self.dead_letter,
            lambda: self.partitions.positions(),
        )
        self.store = self.app.Table("windows", key_type=bytes, value_type=bytes)
        self.pairs = PairConfigs(self.dead_letter, self.heartbeat.outrun)
        self.partitions = PairPartitions(self.store, self.pairs, settings, self.counters, has_history=True)
        self._endings = AlertEndings(
            self.store.data, self.partitions, self.pairs, settings.partitions, self._owned, self.counters
        )
        self._publisher: Publisher | None = None
        self._speaker = SignalPublisher(
            self._send,
            self.partitions.here,
            self.counters,
            settings.signal_interval_ms / 1000,
            lambda: self._has_room(topics.SIGNALS),
            note=self._endings.note,
        )
        self._filler = HistoryFiller(
            self.partitions, StoredPast(settings).read, self._speaker.publish, self._may_write
        )
        self._router = Router(
            self._fan_out,
            self.pairs,
            self._speaker,
            settings.partitions,
            settings.signal_interval_ms == 0,
            self,
        )
        self._dead_letters = DeadLetters(self._send, self.heartbeat.service, self.counters)
        self.progress = Progress(self.app, settings.stall_timeout_s, self._back_pressure.blocked)
        self._recovery = Recovery(self.app)
        self.metrics = StreamMetrics(
            self.heartbeat,
            {
                "lag_messages": lambda: self.progress.lag.messages,
                "lag_seconds": lambda: self.progress.lag.seconds,
                "recovery_seconds": lambda: self._recovery.took_s,
            },
        )
        self._wire()

    def _wire(self) -> None:
        app = self.app
        for topic, agent in (
            (topics.TICKS, self._read_ticks),
            (topics.TIME_MARKS, self._read_marks),
            (topics.LEG_TRADES, self._measure),
        ):
            channel = app.topic(topic.name, key_type=bytes, value_type=bytes)
            app.agent(channel, name=agent.__name__.strip("_"))(agent)
        tasks = Supervisor(self.counters)
        tasks.finish("the heartbeat", self._beat)
        # What was under way in one of these is known to nobody else: the worker begins again from what is stored.
        for name, work in (
            ("the sender of trades", self._fan_out.run),
            ("the speaker", self._speaker.run),
            ("the saving of windows", self._save),
            ("the saving of positions", self._save_positions),
            ("the watch over progress", self._watch),
            ("the publisher", self._publish),
            ("the filling of pairs", self._fill),
            ("the endings of alerts", self._end_alerts),
        ):
            tasks.require(name, work)
        # Faust lets a task that was cancelled end in silence.
        app.task(tasks.run)
        app.on_partitions_revoked.connect(self._forget, weak=False)

    async def serve(self) -> None:
        """Run until cancelled; a crash of Faust is a FatalError, for the supervisor to restart us."""
        with published(self.settings, self.heartbeat, self.metrics.registry):
            await clients.wait_for_broker(self.settings)
            async with publisher(self.settings) as self._publisher:
                self._endings.publisher = self._publisher
                await self._serve()

    async def _serve(self) -> None:
        # Faust's own tasks begin when the states are back, and where they go on depends on which pairs there are.
        tasks = Supervisor(self.counters)
        tasks.keep("the reader of the pairs", self._follow_pairs)
        tasks.require("Faust", self._run)
        await tasks.run()

    async def _run(self) -> None:
        try:
            await self.app.start()
            await self.pairs.loaded.wait()
            self.heartbeat.state = "running"
            log.info("running", pairs=len(self.pairs.by_name))
            await self.app.wait_until_stopped()
        finally:
            self.heartbeat.state = "stopping"
            await self._stop()
        raise FatalError(f"Faust stopped by itself: {self.app.crash_reason!r}")

    async def _stop(self) -> None:
        """Stop Faust, or leave without it.

        For a broker that is gone it waits for ever and blocks the loop, and a start cut short can leave its
        thread behind, which keeps the process.
        """
        last_resort = threading.Timer(_STOP_S, os._exit, [1])
        last_resort.daemon = True
        last_resort.start()
        await self.app.stop()

    async def _publish(self) -> None:
        assert self._publisher is not None
        await self._publisher.run()

    def _has_room(self, topic: topics.Topic) -> bool:
        return self._publisher is None or self._publisher.has_room(topic.name)

    async def _read_ticks(self, stream: Any) -> None:
        """Send each trade to the partitions of the pairs it is a leg of."""
        async for event in self._bundles(stream, topics.TICKS):
            self.counters["ticks"] += await self._router.ticks(event)

    async def _read_marks(self, stream: Any) -> None:
        """Send each time mark where the trades of its symbol go."""
        async for event in self._bundles(stream, topics.TIME_MARKS):
            await self._router.marks(event)

    def _bundles(self, stream: Any, topic: topics.Topic) -> Any:
        self._back_pressure.watch(topic, stream.channel.queue)
        return stream.noack().events()

    def took(self, event: Any, stage: Stage) -> float:
        """Note that a bundle was read, and return how long its oldest message has waited (s)."""
        waited_s = clock.now_us() / clock.SECOND - float(event.message.timestamp)
        self.progress.took(event.message.tp, waited_s)
        self.metrics.took[stage](waited_s)
        return waited_s

    async def _send_trades(self, partition: int, value: bytes) -> "asyncio.Future[None]":
        assert self._publisher is not None
        return await self._publisher.send(
            topics.LEG_TRADES.name, value=value, partition=partition, at_once=True
        )

    async def _measure(self, stream: Any) -> None:
        """Bring both legs of each pair together and publish what each closed second, and each moment, says."""
        await self.pairs.loaded.wait()
        async for event in self._bundles(stream, topics.LEG_TRADES):
            number = event.message.partition
            # What was fetched before a rebalance is the next owner's.
            if not self._is_assigned(number):
                continue
            assert self._publisher is not None
            found = await messages(event, LegTrades, self)
            trades = [trade for message in found for trade in message.trades]
            waited_s = self.took(event, "leg_trades")
            began_s = time.perf_counter()
            async with self.partitions.busy:
                partition = self.partitions.get(number, self._publisher)
                if event.message.value.is_after_loss:
                    partition.lose()
                await self._speaker.take(number, partition, trades, waited_s)
                records = event.message.value.records
                partition.hold(event, trades, (records[0].offset, records[-1].offset))
            self.metrics.took["measure"](time.perf_counter() - began_s)

    async def _save(self) -> None:
        assert self._publisher is not None
        await self.partitions.save(
            self._publisher, self._may_write, self.progress.has_read_all, self.metrics.took["save"]
        )

    async def _fill(self) -> None:
        assert self._publisher is not None
        await self._filler.run(self._publisher)

    async def _end_alerts(self) -> None:
        await self._endings.run()

    def _owned(self) -> list[int] | None:
        """Return the partitions whose states are here, None while they change hands or come back."""
        tables: Any = self.app.tables
        if self.app.rebalancing or tables.recovery.in_recovery:
            return None
        return [number for number in range(self.settings.partitions) if self._may_write(number)]

    async def _save_positions(self) -> None:
        """Store every second how far ticks and marks were read, until cancelled."""
        while True:
            await pause(1.0)
            consumer: Any = self.app.consumer
            await self.partitions.read.save(
                consumer.assignment(), consumer._committed_offset, self._may_write, self._send
            )

    def _is_assigned(self, number: int) -> bool:
        return TP(topics.LEG_TRADES.name, number) in self.app.consumer.assignment()

    def _may_write(self, number: int) -> bool:
        consumer: Any = self.app.consumer
        return self._is_assigned(number) and bool(consumer.is_member)

    async def _watch(self) -> None:
        """Count every second what no event counts, until cancelled; FatalError if nothing is read any more."""
        while True:
            await pause(1.0)
            self.partitions.count()
            self._speaker.pace(self.counters["pairs"])
            await self.progress.measure()
            self.heartbeat.lag_messages, self.heartbeat.lag_seconds = self.progress.lag
            if self.heartbeat.state in ("running", "degraded"):
                well = self.progress.answers
                self.heartbeat.state = "running" if well else "degraded"
                self.heartbeat.detail = None if well else "the broker does not answer"

    async def _forget(self, *_: Any, **__: Any) -> None:
        """Drop what is in memory, once the state that was sent is there: the next owner's is to come after it."""
        if self._publisher is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_FORGET_S):
                    await self._publisher.flush(topics.WINDOWS.name)
        self.partitions.forget()
        self._fan_out.forget()

    async def _follow_pairs(self) -> None:
        await self.pairs.follow(self.settings, configured(self.settings))

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        """Put aside messages that are bad, and return when the broker has them."""
        await self._dead_letters.put_all(letters)

    async def _beat(self) -> None:
        # Faust stops before its tasks do, and a task that then fails is a crash.
        await self.app.wait(self.heartbeat.beat(self._send))

    async def _send(self, topic: str, **message: Any) -> Any:
        assert self._publisher is not None
        return await self._publisher.send(topic, **message)
