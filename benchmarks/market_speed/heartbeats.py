"""Heartbeats of the services."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.market_speed.reader import reading
from benchmarks.market_speed.result import slope
from services.common import clock
from services.common.clock import SECOND
from services.common.codec import decode
from services.contracts.messages import Heartbeat
from services.contracts.topics import HEARTBEATS

SERVICES = ("ingest", "stream_analytics", "alerting", "sink", "api")
# A lag that grows by more in a window does not stay where it is.
_GROWTH_S = 1.0
_LAG_S = 1.0


class Heartbeats:
    """The heartbeats so far."""

    def __init__(self) -> None:
        self.all: dict[str, list[Heartbeat]] = defaultdict(list)

    def take(self, _: str, value: bytes, __: int) -> None:
        """Take a message of the topic."""
        beat = decode(value, Heartbeat)
        self.all[beat.service].append(beat)

    def latest(self, service: str) -> Heartbeat | None:
        """Return the last one of a service."""
        found = self.all.get(service)
        return found[-1] if found else None

    def counter(self, service: str, name: str) -> int:
        """Return a total of a service since its start; 0 before it is heard of."""
        beat = self.latest(service)
        return 0 if beat is None else beat.counters.get(name, 0)

    def counted(self, service: str, name: str, start_us: int, end_us: int) -> int:
        """Return by how much a total grew between two moments, by the rate of the heartbeats between them."""
        heartbeats = [one for one in self.all.get(service, []) if start_us <= one.at_us <= end_us]
        if len(heartbeats) < 2:
            return 0
        grown = heartbeats[-1].counters.get(name, 0) - heartbeats[0].counters.get(name, 0)
        return round(grown * (end_us - start_us) / (heartbeats[-1].at_us - heartbeats[0].at_us))

    def lost(self) -> dict[str, dict[str, int]]:
        """Return by service and topic how many messages were deleted before they were read."""
        heartbeats = {service: self.latest(service) for service in SERVICES}
        return {
            service: dict(beat.lost) for service, beat in heartbeats.items() if beat is not None and beat.lost
        }

    def unread(self) -> int:
        """Return how many of the ticks that ingest has published stream_analytics has neither read nor waiting.

        Heartbeats are of different moments: what ingest published in two seconds may be missing in the other's.
        """
        beat, worker = self.latest("ingest"), self.latest("stream_analytics")
        if beat is None or worker is None:
            return 0
        fresh = self.counted("ingest", "ticks", beat.at_us - 5 * SECOND, beat.at_us) * 2 // 5
        published, read = beat.counters.get("ticks", 0), worker.counters.get("ticks", 0)
        return max(0, published - read - (worker.lag_messages or 0) - fresh)

    def late(self) -> int:
        """Return how many trades came too late to be measured."""
        return self.counter("stream_analytics", "late")

    def restarted(self) -> list[str]:
        """Return the services that were started more than once."""
        return [name for name in SERVICES if len({beat.started_us for beat in self.all.get(name, [])}) > 1]

    def unsettled(self) -> str | None:
        """Return what is still to come before the window can begin, None if nothing is."""
        for service in SERVICES:
            beat = self.latest(service)
            if beat is None or beat.at_us < clock.now_us() - 5 * SECOND:
                return f"{service} is not heard of"
            if beat.state not in ("running", "finished"):
                return f"{service} is {beat.state}"
            if beat.filling is not None:
                return f"history: {beat.filling.done_s:.0f} of {beat.filling.total_s:.0f} s played"
            if (beat.lag_seconds or 0.0) > _LAG_S:
                return f"{service} lags {beat.lag_messages:,} messages, {beat.lag_seconds:.1f} s"
        return None

    def lags(self, start_us: int, end_us: int) -> dict[str, dict[str, Any]]:
        """Return by service how its lag went between two moments, in messages and in seconds."""
        told = {}
        for service in SERVICES:
            heartbeats = [one for one in self.all.get(service, []) if start_us <= one.at_us <= end_us]
            messages = [(one.at_us / SECOND, float(one.lag_messages or 0)) for one in heartbeats]
            seconds = [(one.at_us / SECOND, one.lag_seconds or 0.0) for one in heartbeats]
            told[service] = {
                "messages": _course(messages, 1),
                "seconds": _course(seconds, 3),
                "is_flat": slope(seconds) * (end_us - start_us) / SECOND < _GROWTH_S,
            }
        return told


@contextmanager
def heartbeats_of(servers: str) -> Iterator[Heartbeats]:
    """Listen to a pipeline until the block ends."""
    heartbeats = Heartbeats()
    with reading(servers, [HEARTBEATS], heartbeats.take, wait_ms=500):
        yield heartbeats


def _course(points: list[tuple[float, float]], digits: int) -> dict[str, float]:
    values = [value for _, value in points] or [0.0]
    told = {"first": values[0], "last": values[-1], "max": max(values)}
    return {name: round(value, digits) for name, value in told.items()} | {
        "slope_per_s": round(slope(points), 5)
    }
