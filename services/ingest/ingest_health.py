"""Health of ingest: what the feed says, the share of damaged frames, and what the broker has not taken."""

import time
from typing import NoReturn

import structlog

from services.common.cancellation import pause
from services.common.clock import SECOND
from services.common.heartbeat import HeartbeatState
from services.common.kafka.publisher import Publisher
from services.contracts.messages import Filling
from services.contracts.topics import TICKS
from services.ingest.delivery_lag import DeliveryLags, behind_s
from services.ingest.feed import FeedStatus
from services.ingest.rejections import Rejections
from services.ingest.trade_rates import TradeRates

# What a frame that is not damaged is counted as.
_TAKEN = ("ticks", "skipped", "duplicates", "quotes", "mark_prices", "liquidations")
_FILLING_SAID_EVERY_S = 5
# Waits for readers are frequent, and seldom this long.
_WAIT_SAID_S = 5.0

log = structlog.get_logger()


class IngestHealth:
    """The service's state: what the feed says, unless too many frames are damaged."""

    def __init__(
        self,
        heartbeat: HeartbeatState,
        rejected_share: float,
        out: Publisher,
        delivery: DeliveryLags,
        clock: str,
    ) -> None:
        self._out, self._delivery, self._clock = out, delivery, clock
        self._behind: str | None = None
        self._behind_is_said = False
        self._heartbeat = heartbeat
        self._rejections = Rejections(rejected_share)
        self._status = FeedStatus(heartbeat.state, heartbeat.detail)
        self._alarm: str | None = None
        self._waits: str | None = None
        self._stuck: str | None = None
        self._filling_s = 0
        self.rates = TradeRates()
        """Of the trades that are published."""

    def told(self, status: FeedStatus) -> None:
        """Take the feed's word."""
        self._status = status
        reasons = (self._alarm, self._stuck, self._waits, self._behind, status.detail)
        words = [word for word in reasons if word]
        degraded = (self._alarm or self._stuck) is not None and status.state == "running"
        self._heartbeat.state = "degraded" if degraded else status.state
        self._heartbeat.detail = "; ".join(words) or None
        self._heartbeat.filling = status.filling

    def ended(self) -> None:
        """Note that the feed is over; its last state stays."""
        self._waits = self._stuck = None
        self._follow_delivery()
        self.told(FeedStatus("finished", self._status.detail))

    async def watch(self) -> NoReturn:
        """Judge the share of rejected frames, and what the broker has not taken, every second.

        While the past is played a line says now and then how much of it has been.
        """
        while True:
            await pause(1.0)
            self._heartbeat.lag_messages, self._heartbeat.lag_seconds = lag = self._out.lag()
            late, has_room = (lag.seconds or 0.0) > _WAIT_SAID_S, self._out.has_room(TICKS.name)
            self._waits = "waits for the readers of ticks" if late and not has_room else None
            self._stuck = "the broker does not answer" if late and has_room else None
            self._follow_delivery()
            self._follow_rates()
            self._say_filling(self._heartbeat.filling)
            counters = self._heartbeat.counters
            taken = sum(counters.get(name, 0) for name in _TAKEN)
            alarm = self._rejections.judge(taken, counters["dead_letters"])
            if (alarm is None) != (self._alarm is None):
                log.error("too many rejected frames", reason=alarm) if alarm else log.info(
                    "the share of rejected frames is below the limit again"
                )
            self._alarm = alarm
            self.told(self._status)

    def _follow_delivery(self) -> None:
        self._heartbeat.delivery = self._delivery.by_symbol()
        self._heartbeat.clock_behind_us = behind_us = self._delivery.behind_us
        seconds = behind_us / SECOND if behind_us else behind_s(self._heartbeat.delivery)
        self._behind = None if seconds is None else _off(self._clock, seconds, bool(behind_us))
        if self._behind and not self._behind_is_said:
            log.warning(self._behind, expected="a correct clock", advice="synchronise the clock")
        self._behind_is_said = self._behind is not None

    def _follow_rates(self) -> None:
        if self._heartbeat.filling is not None:
            self.rates.restart()
        self.rates.mark(time.monotonic())
        self._heartbeat.trade_rates = self.rates.by_symbol()

    def _say_filling(self, filling: Filling | None) -> None:
        self._filling_s = 0 if filling is None else self._filling_s + 1
        if filling is not None and self._filling_s % _FILLING_SAID_EVERY_S == 0:
            log.info(f"filling: {int(filling.done_s)} of {int(filling.total_s)} s")


def _off(clock: str, behind_s: float, is_put_right: bool) -> str:
    """Return how wrong a clock is, in words."""
    side = "behind" if behind_s > 0 else "ahead of"
    return f"{clock} {abs(behind_s):.1f} s {side} the venue's" + (", which counts" if is_put_right else "")
