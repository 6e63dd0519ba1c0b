"""The Faust wiring: which topics, which agents, which state. The thinking is in the modules beside it."""

import os
import threading
import time
from functools import partial
from typing import Any

import structlog
from faust.types import TP

from services.common import clock, kafka, topics
from services.common.cancellation import pause
from services.common.errors import BadMessageError, FatalError
from services.common.heartbeat import Pulse
from services.common.kafka import DeadLetters
from services.common.messages import LegTrade, LegTrades, Tick, TimeMark, decode
from services.common.metrics import published
from services.common.pair_configs import PairConfigs, configured
from services.stream_analytics.changelog import Changelog
from services.stream_analytics.fan_out import FanOut
from services.stream_analytics.faust_app import new_app
from services.stream_analytics.lag import Progress, Recovery
from services.stream_analytics.metrics import StreamMetrics
from services.stream_analytics.partition import Partition
from services.stream_analytics.routing import partition_of, routes
from services.stream_analytics.settings import StreamSettings
from services.stream_analytics.speaker import BEHIND_S, Speaker

# What is not committed by then will be read again.
_STOP_S = 4.0
_FAN_OUT_WAIT_S = 0.01
_SAVED_SHARE = 0.2
_COUNTERS = ("ticks", "signals", "live_signals", "alerts", "dead_letters", "late", "stale", "pairs")

log = structlog.get_logger()


def age_s(event: Any) -> float:
    """Return how long ago an event was written to its topic."""
    return clock.now_us() / clock.SECOND - float(event.message.timestamp)


class StreamAnalytics:
    """The app, its topics and its state, built from settings; nothing is opened before ``serve``."""

    def __init__(self, settings: StreamSettings) -> None:
        self.settings = settings
        self.pulse = Pulse("stream_analytics")
        self.counters = self.pulse.counters
        self.counters.update(dict.fromkeys(_COUNTERS, 0))
        self.app = new_app(settings)
        self.store = self.app.Table("windows", key_type=bytes, value_type=bytes)
        self.pairs = PairConfigs(self._bury)
        self.partitions: dict[int, Partition] = {}
        self._changelogs: dict[int, Changelog] = {}
        self._versions: dict[int, int] = {}
        self._late = 0
        self._every_trade = settings.signal_interval_ms == 0
        self._speaker = Speaker(
            self._produce, self.partitions, self.counters, settings.signal_interval_ms / 1000
        )
        self._fan_out = FanOut(self._send_trades, _FAN_OUT_WAIT_S)
        self._routed = -1
        self._dead_letters = DeadLetters(self._send, self.pulse.service)
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
        ):
            app.task(task)
        app.on_partitions_revoked.connect(self._forget, weak=False)

    async def serve(self) -> None:
        """Run until cancelled; a crash of Faust is a FatalError, for the supervisor to restart us."""
        with published(self.settings, self.pulse, self.metrics.registry):
            await self._serve()

    async def _serve(self) -> None:
        await kafka.wait_for_broker(self.settings)
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

    async def _read_ticks(self, stream: Any) -> None:
        """Send each trade to the partitions of the pairs it is a leg of."""
        async for event in stream.noack().events():
            try:
                tick = decode(event.value, Tick)
            except BadMessageError as error:
                await self._bury(event.message, error)
                event.ack()
                continue
            self.counters["ticks"] += 1
            await self._route(event, LegTrade(tick.symbol, tick.event_us, tick.trade_id, tick.price))

    async def _read_marks(self, stream: Any) -> None:
        """Send each time mark where the trades of its symbol go."""
        async for event in stream.noack().events():
            try:
                mark = decode(event.value, TimeMark)
            except BadMessageError as error:
                await self._bury(event.message, error)
                event.ack()
                continue
            await self._route(event, LegTrade(mark.symbol, mark.event_us, mark.trade_id))

    async def _route(self, event: Any, trade: LegTrade) -> None:
        if self._routed != self.pairs.version:
            await self.pairs.loaded.wait()
            self._fan_out.routes = routes(self.pairs.by_name.values(), self.settings.partitions)
            self._routed = self.pairs.version
        waited_s = age_s(event)
        self.progress.took(event.message.tp, waited_s)
        if not self._fan_out.is_filling:  # of each batch the oldest is enough
            self.metrics.took["ticks"](waited_s)
        is_past = waited_s > BEHIND_S
        await self._fan_out.put(event, trade, is_past or self._speaker.is_behind)
        if is_past:
            return
        # Of the pairs that live here the moment is known at once; what closes waits for the tape.
        for number in self._fan_out.routes.get(trade.symbol, ()):
            if (partition := self.partitions.get(number)) is not None:
                await self._speaker.say(number, *partition.glimpse(trade, self._every_trade), waited_s)

    async def _send_trades(self, partition: int, value: bytes) -> None:
        await self._produce(topics.LEG_TRADES.name, None, value, partition, None, None)

    async def _produce(self, *message: Any) -> Any:
        return await self.app.producer.send(*message)

    async def _measure(self, stream: Any) -> None:
        """Bring both legs of each pair together and publish what each closed second, and each moment, says."""
        await self.pairs.loaded.wait()
        async for event in stream.noack().events():
            number = event.message.partition
            # What was fetched before a rebalance is the next owner's.
            if not self._is_assigned(number):
                continue
            partition = self._partition(number)
            try:
                trades = decode(event.value, LegTrades).trades
            except BadMessageError as error:
                await self._bury(event.message, error)
                trades = ()
            waited_s = age_s(event)
            self.progress.took(event.message.tp, waited_s)
            self.metrics.took["leg_trades"](waited_s)
            began_s = time.perf_counter()
            outcomes, touched = partition.take(trades, self._every_trade)
            self.counters["stale"] += sum(
                one.signal.closed and one.signal.quality == "stale" for one in outcomes
            )
            await self._speaker.say(number, outcomes, touched, waited_s)
            partition.hold(event, trades)
            self.metrics.took["measure"](time.perf_counter() - began_s)

    async def _save(self) -> None:
        """Store the windows and acknowledge what they hold, a share of the pairs at a time, until cancelled."""
        while True:
            await pause(self.settings.save_interval_s * _SAVED_SHARE)
            for number in list(self.partitions):
                # A pair that was removed may have been the last one for which anything comes.
                partition = self._partition(number)
                is_ours = partial(self._is_ours, number, partition)
                if is_ours():
                    began_s = time.perf_counter()
                    partition.save(_SAVED_SHARE)
                    await self._changelogs[number].flush(is_ours)
                    # Meanwhile it may have gone to another worker.
                    if is_ours():
                        partition.acknowledge()
                    self.metrics.took["save"](time.perf_counter() - began_s)

    def _is_ours(self, number: int, partition: Partition) -> bool:
        return self.partitions.get(number) is partition and self._is_assigned(number)

    def _is_assigned(self, number: int) -> bool:
        return TP(topics.LEG_TRADES.name, number) in self.app.consumer.assignment()

    def _partition(self, number: int) -> Partition:
        """Return a partition with its pairs as they are configured now."""
        if (partition := self.partitions.get(number)) is None:
            changelog = self._changelogs[number] = Changelog(self.store, number, self._produce)
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

    async def _bury(self, message: Any, error: Exception) -> None:
        origin = f"{message.topic}/{message.partition}/{message.offset}"
        await self._dead_letters.put(message.value or b"", str(error), source=message.topic, origin=origin)
        self.counters["dead_letters"] = self._dead_letters.count
        log.warning("bad message", reason=str(error), origin=origin)

    async def _beat(self) -> None:
        # Faust stops its producer before its tasks, and a task that then fails is a crash.
        await self.app.wait(self.pulse.beat(self._send))

    async def _send(self, topic: str, **message: Any) -> Any:
        timestamp_ms = message.pop("timestamp_ms", None)
        return await self.app.producer.send(
            topic,
            key=message.get("key"),
            value=message.get("value"),
            partition=None,
            timestamp=timestamp_ms / 1000 if timestamp_ms else None,
            headers=message.get("headers"),
        )
