"""The Faust wiring: which topics, which agents, which state. The thinking is in the modules beside it."""

import asyncio
import os
import tempfile
import threading
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import faust
import structlog

from services.common import clock, kafka, topics
from services.common.clock import SECOND
from services.common.errors import BadMessageError, FatalError
from services.common.heartbeat import Pulse
from services.common.kafka import DeadLetters
from services.common.messages import Alert, PairEvent, Signal, Tick, decode, encode
from services.common.pairs import Pair
from services.stream_analytics import transport
from services.stream_analytics.acknowledgement import InOrder
from services.stream_analytics.settings import StreamSettings
from services.stream_analytics.tracker import PairTracker, routes

# What is not committed by then will be read again.
_STOP_S = 4.0

log = structlog.get_logger()


class StreamAnalytics:
    """The app, its topics and its state, built from settings; nothing is opened before ``serve``."""

    def __init__(self, settings: StreamSettings) -> None:
        self.settings = settings
        self.pulse = Pulse("stream_analytics")
        self.counters = self.pulse.counters
        self.counters.update(ticks=0, signals=0, alerts=0, dead_letters=0, late=0)
        self.app = _new_app(settings)
        self.ticks = self._topic(topics.TICKS)
        self.pair_events = self._topic(topics.PAIR_EVENTS)
        self.signals = self._topic(topics.SIGNALS)
        self.alerts = self._topic(topics.ALERTS)
        self.store = self.app.Table("windows", key_type=bytes, value_type=bytes)
        self.trackers: dict[Pair, PairTracker] = {}
        self._heard_at: dict[tuple[Pair, str], float] = {}
        self._routes = routes(settings.pairs)
        self._held: defaultdict[int, InOrder] = defaultdict(InOrder)
        self._dead_letters = DeadLetters(self._send, self.pulse.service)
        self.app.agent(self.ticks, name="fan_out")(self._fan_out)
        self.app.agent(self.pair_events, name="measure")(self._measure)
        self.app.timer(settings.idle_timeout_s / 3)(self._pass_time)
        self.app.task(self._beat)
        self.app.on_partitions_revoked.connect(self._forget, weak=False)

    async def serve(self) -> None:
        """Run until cancelled; a crash of Faust is a FatalError, for the supervisor to restart us."""
        await kafka.wait_for_broker(self.settings)
        try:
            await self.app.start()
            self.pulse.state = "running"
            log.info("running", pairs=",".join(map(str, self.settings.pairs)), window=self.settings.window)
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

    def _topic(self, topic: topics.Topic) -> Any:
        return self.app.topic(topic.name, key_type=bytes, value_type=bytes)

    async def _fan_out(self, stream: Any) -> None:
        """Send each trade to every pair it is a leg of, keyed by pair."""
        async for event in stream.events():
            try:
                tick = decode(event.value, Tick)
            except BadMessageError as error:
                await self._bury(event, error)
                continue
            self.counters["ticks"] += 1
            for pair, leg in self._routes.get(tick.symbol, ()):
                name = str(pair)
                message = PairEvent(
                    pair=name, leg=leg, event_us=tick.event_us, trade_id=tick.trade_id, price=tick.price
                )
                await self.pair_events.send(key=name.encode(), value=encode(message))

    async def _measure(self, stream: Any) -> None:
        """Bring both legs of each pair together and publish what each closed second says."""
        async for event in stream.noack().events():
            held = self._held[event.message.partition]
            try:
                message = decode(event.value, PairEvent)
                pair = Pair.parse(message.pair)
                if pair not in self.settings.pairs:
                    held.hold(event, _is_over)
                    continue
                tracker = self._tracker(pair)
                outcomes = tracker.take(message)
            except (BadMessageError, ValueError, OverflowError) as error:
                await self._bury(event, error)
                held.hold(event, _is_over)
                continue
            if message.leg != "clock":
                self._heard_at[pair, message.leg] = asyncio.get_running_loop().time()
            for signal, alert in outcomes:
                await self._publish(signal, alert)
            held.hold(event, partial(_is_closed, message, tracker))

    async def _publish(self, signal: Signal, alert: Alert | None) -> None:
        self.counters["signals"] += 1
        await self.signals.send(key=signal.pair.encode(), value=encode(signal))
        if alert is not None:
            self.counters["alerts"] += 1
            log.info("alert", message=alert.message, state=alert.state, at=clock.to_iso(alert.event_us))
            await self.alerts.send(key=alert.pair.encode(), value=encode(alert))

    async def _pass_time(self) -> None:
        """Tell each pair of which a leg went quiet that time has passed for both.

        Not while messages wait to be read: then a leg may only seem quiet, because it is behind.
        """
        self.counters["late"] = sum(tracker.alignment.late for tracker in self.trackers.values())
        self.pulse.lag_messages = lag = self._lag()
        if lag != 0:
            return
        long_ago = asyncio.get_running_loop().time() - self.settings.idle_timeout_s
        for pair, tracker in list(self.trackers.items()):
            quiet = [self._heard_at[pair, leg] < long_ago for leg in ("y", "x")]
            if any(quiet) and tracker.alignment.waiting_since is not None:
                name, now_us = str(pair), tracker.alignment.known_until
                if all(quiet):  # nobody is left to end the last second
                    now_us += SECOND - now_us % SECOND
                message = PairEvent(pair=name, leg="clock", event_us=now_us)
                await self.pair_events.send(key=name.encode(), value=encode(message))

    def _lag(self) -> int | None:
        """Return how many messages of the assigned partitions are not read yet, None while that is unknown."""
        consumer: Any = self.app.consumer
        lag = 0
        for partition in consumer.assignment():
            if partition.topic in (topics.TICKS.name, topics.PAIR_EVENTS.name):
                read, end = consumer._read_offset[partition], consumer.highwater(partition)
                if end is None:
                    return None
                lag += max(0, end - (0 if read is None else read + 1))
        return lag

    def _tracker(self, pair: Pair) -> PairTracker:
        if pair not in self.trackers:
            self.trackers[pair] = PairTracker(pair, self.settings, self.store)
            now = asyncio.get_running_loop().time()
            self._heard_at |= {(pair, "y"): now, (pair, "x"): now}
        return self.trackers[pair]

    async def _forget(self, *_: Any, **__: Any) -> None:
        """Drop what is in memory: after a rebalance, state comes from the store and events come again."""
        self.trackers.clear()
        self._held.clear()

    async def _bury(self, event: Any, error: Exception) -> None:
        origin = f"{event.message.topic}/{event.message.partition}/{event.message.offset}"
        await self._dead_letters.put(
            event.value or b"", str(error), source=event.message.topic, origin=origin
        )
        self.counters["dead_letters"] = self._dead_letters.count
        log.warning("bad message", reason=str(error), origin=origin)

    async def _beat(self) -> None:
        await self.pulse.beat(self._send)

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


def _is_closed(event: PairEvent, tracker: PairTracker) -> bool:
    return event.leg == "clock" or tracker.alignment.closed_until > event.event_us


def _is_over() -> bool:
    return True


def _new_app(settings: StreamSettings) -> faust.App:
    app = faust.App(
        "stream-analytics",
        broker=[f"kafka://{server}" for server in settings.brokers.split(",")],
        broker_credentials=transport.credentials(settings),
        broker_commit_interval=settings.commit_interval_s,
        broker_max_poll_records=1000,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 5,
        cython_optimizations=True,
        # Bytes in, bytes out: Faust acknowledges what it cannot decode, so decoding is ours.
        key_serializer="raw",
        value_serializer="raw",
        # Messages that leave in one batch are fetched in one: 4 times the rate on the embedded broker.
        producer_linger=0.005,
        stream_buffer_maxsize=8192,
        stream_wait_empty=False,
        # It makes its directories also when its store is memory.
        datadir=str(Path(tempfile.gettempdir(), f"pairstream-faust-{os.getuid()}")),
        store="memory://",
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=settings.partitions,
        web_enabled=False,
    )
    transport.install(app, settings)
    return app
