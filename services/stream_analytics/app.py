"""The Faust wiring: which topics, which agents, which state. The thinking is in the modules beside it."""

import asyncio
import os
import threading
import time
from functools import partial
from typing import Any

import structlog
from faust.types import TP

from services.common import clock, kafka, topics
from services.common.cancellation import pause
from services.common.dead_letters import DeadLetters
from services.common.errors import FatalError
from services.common.heartbeat import Pulse
from services.common.messages import LegTrades
from services.common.metrics import published
from services.common.pair_configs import PairConfigs, configured
from services.common.publisher import Publisher, publisher
from services.stream_analytics.back_pressure import BackPressure
from services.stream_analytics.changelog import Changelog
from services.stream_analytics.fan_out import FanOut
from services.stream_analytics.faust_app import new_app
from services.stream_analytics.history import pair_of
from services.stream_analytics.lag import Progress, Recovery
from services.stream_analytics.metrics import COUNTERS, Stage, StreamMetrics
from services.stream_analytics.partition import Partition
from services.stream_analytics.router import Router, messages
from services.stream_analytics.routing import partition_of
from services.stream_analytics.settings import StreamSettings
from services.stream_analytics.speaker import Speaker

# What is not committed by then will be read again.
_STOP_S = 4.0
_FAN_OUT_WAIT_S = 0.01
_SAVED_SHARE = 0.2
log = structlog.get_logger()


class StreamAnalytics:
    """The app, its topics and its state, built from settings; nothing is opened before ``serve``."""

    def __init__(self, settings: StreamSettings) -> None:
        self.settings = settings
        self.pulse = Pulse("stream_analytics")
        self.counters = self.pulse.counters
        self.counters.update(dict.fromkeys(COUNTERS, 0))
        self._fan_out = FanOut(self._send_trades, _FAN_OUT_WAIT_S)
        self._back_pressure = BackPressure(self._has_room, lambda: self._fan_out.in_flight)
        self.app = new_app(settings, self._back_pressure.held, self._lost)
        self.store = self.app.Table("windows", key_type=bytes, value_type=bytes)
        self.pairs = PairConfigs(self.bury, self.pulse.outrun)
        self.partitions: dict[int, Partition] = {}
        self._changelogs: dict[int, Changelog] = {}
        self._versions: dict[int, int] = {}
        self._late = 0
        self._publisher: Publisher | None = None
        self._speaker = Speaker(
            self._send,
            self.partitions,
            self.counters,
            settings.signal_interval_ms / 1000,
            lambda: self._has_room(topics.SIGNALS),
        )
        self._router = Router(
            self._fan_out,
            self.pairs,
            self._speaker,
            settings.partitions,
            settings.signal_interval_ms == 0,
            self,
        )
        self._dead_letters = DeadLetters(self._send, self.pulse.service, self.counters)
        self.progress = Progress(self.app, settings.stall_timeout_s)
        self._recovery = Recovery(self.app)
        self.metrics = StreamMetrics(
            self.pulse,
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
        for task in (
            self._beat,
            self._follow_pairs,
            self._fan_out.run,
            self._speaker.run,
            self._save,
            self._watch,
            self._publish,
        ):
            app.task(task)
        app.on_partitions_revoked.connect(self._forget, weak=False)

    async def serve(self) -> None:
        """Run until cancelled; a crash of Faust is a FatalError, for the supervisor to restart us."""
        with published(self.settings, self.pulse, self.metrics.registry):
            await kafka.wait_for_broker(self.settings)
            async with publisher(self.settings) as self._publisher:
                await self._serve()

    async def _serve(self) -> None:
        try:
            await self.app.start()
            await self.pairs.loaded.wait()
            self.pulse.state = "running"
            log.info("running", pairs=len(self.pairs.by_name))
            await self.app.wait_until_stopped()
        finally:
            self.pulse.state = "stopping"
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

    async def _lost(self, partition: TP, count: int) -> None:
        """Count what the broker had deleted; of the seconds it belonged to nobody may say that nothing traded."""
        self.pulse.outrun(partition.topic, partition.partition, count)
        if partition.topic == topics.TICKS.name:
            await self._router.lost(partition.partition)
        elif partition.topic == topics.LEG_TRADES.name:
            self._partition(partition.partition).lose()

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
            partition = self._partition(number)
            found = await messages(event, LegTrades, self)
            trades = [trade for message in found for trade in message.trades]
            waited_s = self.took(event, "leg_trades")
            began_s = time.perf_counter()
            outcomes = await self._speaker.take(number, trades, waited_s)
            self.counters["stale"] += sum(
                one.signal.closed and one.signal.quality == "stale" for one in outcomes
            )
            partition.hold(event, trades)
            self.metrics.took["measure"](time.perf_counter() - began_s)

    async def _save(self) -> None:
        """Store the windows and acknowledge what they hold, a share of the pairs at a time, until cancelled."""
        while True:
            await pause(self.settings.save_interval_s * _SAVED_SHARE)
            for number in list(self.partitions):
                # A pair that was removed may have been the last one for which anything comes.
                await self._save_share(number, self._partition(number))

    async def _save_share(self, number: int, partition: Partition) -> None:
        is_ours = partial(self._is_ours, number, partition)
        if not is_ours():
            return
        assert self._publisher is not None
        began_s = time.perf_counter()
        partition.save(_SAVED_SHARE)
        await self._changelogs[number].flush(is_ours)
        await self._publisher.flush(topics.WINDOWS.name, topics.SIGNALS.name, topics.ALERTS.name)
        # Meanwhile it may have gone to another worker.
        if is_ours():
            partition.acknowledge()
            if not self._has_room(topics.LEG_TRADES) and self.progress.fetched() == 0:
                self._release(partition)
        self.metrics.took["save"](time.perf_counter() - began_s)

    def _release(self, partition: Partition) -> None:
        """Let go of what waits for a silent leg: all is read, and the broker takes no more before it is let go."""
        if released := partition.release():
            self.counters["released"] += released
            log.warning(
                "trades are acknowledged before they are stored: a leg is silent, and the broker keeps no more",
                bundles=released,
            )

    def _is_ours(self, number: int, partition: Partition) -> bool:
        return self.partitions.get(number) is partition and self._is_assigned(number)

    def _is_assigned(self, number: int) -> bool:
        return TP(topics.LEG_TRADES.name, number) in self.app.consumer.assignment()

    def _partition(self, number: int) -> Partition:
        """Return a partition with its pairs as they are configured now."""
        if (partition := self.partitions.get(number)) is None:
            changelog = self._changelogs[number] = Changelog(
                self.store,
                number,
                self._send,
                self.settings.broker_keeps_bytes,
                lambda key: partition_of(pair_of(key), self.settings.partitions) == number,
            )
            lateness_us = round(self.settings.allowed_lateness_s * clock.SECOND)
            partition = self.partitions[number] = Partition(changelog, lateness_us)
        if self._versions.get(number) != self.pairs.version:
            count = self.settings.partitions
            partition.configure(
                {
                    name: config
                    for name, config in self.pairs.by_name.items()
                    if partition_of(name, count) == number
                }
            )
            self._versions[number] = self.pairs.version
        return partition

    async def _watch(self) -> None:
        """Count every second what no event counts, until cancelled; FatalError if nothing is read any more."""
        while True:
            await pause(1.0)
            tapes = [tape for partition in self.partitions.values() for tape in partition.tapes.values()]
            self.counters["late"] = self._late + sum(tape.late for tape in tapes)
            self.counters["pairs"] = sum(len(partition.trackers) for partition in self.partitions.values())
            self._speaker.pace(self.counters["pairs"])
            await self.progress.look()
            self.pulse.lag_messages, self.pulse.lag_seconds = self.progress.lag

    async def _forget(self, *_: Any, **__: Any) -> None:
        """Drop what is in memory: after a rebalance, state comes from the store and events come again."""
        for partition in self.partitions.values():
            self._late += sum(tape.late for tape in partition.tapes.values())
        self.partitions.clear()
        self._changelogs.clear()
        self._versions.clear()
        self._fan_out.forget()

    async def _follow_pairs(self) -> None:
        await self.pairs.follow(self.settings, configured(self.settings))

    async def bury(self, message: Any, error: Exception) -> None:
        """Put aside a message that is bad, with its place."""
        origin = f"{message.topic}/{message.partition}/{message.offset}"
        await self._dead_letters.put(message.value or b"", str(error), source=message.topic, origin=origin)

    async def _beat(self) -> None:
        # Faust stops before its tasks do, and a task that then fails is a crash.
        await self.app.wait(self.pulse.beat(self._send))

    async def _send(self, topic: str, **message: Any) -> Any:
        assert self._publisher is not None
        return await self._publisher.send(topic, **message)
