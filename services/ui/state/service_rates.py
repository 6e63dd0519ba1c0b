"""Service rates: throughput and lag of each service over the last minutes."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from services.ui.api.types import ProcessHealth, ServiceHealth

EVERY_S = 0.5
KEPT_S = 300
RATE_S = 10.0
"""Rates are of that many seconds."""
PAGE = "dashboard"
MESSAGES = "messages"


class ServiceRate(NamedTuple):
    """Counters of a service at a monotonic second, and how many messages waited for it."""

    at_s: float
    counters: Mapping[str, int]
    lag: int | None


class ServiceRates:
    """Counters of each service in the last minutes, oldest first; the dashboard's own count as those of `PAGE`.

    Rates are those of its processes together: one that comes or goes changes their sum, and no message has.
    """

    def __init__(self) -> None:
        self._beats: dict[str, deque[ServiceRate]] = {}
        self._processes: dict[str, dict[str | None, deque[ServiceRate]]] = {}

    def add(self, services: Iterable[ServiceHealth], messages: int, now_s: float) -> None:
        """Take in what the services say, and how many messages the dashboard has read, at most twice a second."""
        for service in services:
            name = service.service
            _add(self._beats.setdefault(name, deque()), ServiceRate(now_s, {}, service.lag_messages))
            processes: dict[str | None, ProcessHealth | ServiceHealth] = {None: service}
            if service.instances:
                processes = {one.instance: one for one in service.instances}
            before = self._processes.get(name, {})
            self._processes[name] = {instance: before.get(instance, deque()) for instance in processes}
            for instance, one in processes.items():
                _add(self._processes[name][instance], ServiceRate(now_s, one.counters, one.lag_messages))
        page = self._processes.setdefault(PAGE, {None: deque()})
        _add(page[None], ServiceRate(now_s, {MESSAGES: messages}, None))

    def rate(self, service: str, *counters: str) -> float | None:
        """Return how many a second these counters grew together; None without two heartbeats that have one of them."""
        rates = [_rate(beats, counters) for beats in self._processes.get(service, {}).values()]
        known = [rate for rate in rates if rate is not None]
        return sum(known) if known else None

    def lags(self, service: str) -> list[tuple[float, int]]:
        """Return the messages that waited for a service, with their monotonic seconds."""
        return [(beat.at_s, beat.lag) for beat in self._beats.get(service, ()) if beat.lag is not None]


def _rate(beats: Iterable[ServiceRate], counters: Collection[str]) -> float | None:
    known = [beat for beat in beats if any(counter in beat.counters for counter in counters)]
    if len(known) < 2:
        return None
    last = known[-1]
    first = next(beat for beat in known if last.at_s - beat.at_s <= RATE_S or beat is known[-2])
    grown = sum(last.counters.get(name, 0) - first.counters.get(name, 0) for name in counters)
    return grown / (last.at_s - first.at_s)


def _add(beats: deque[ServiceRate], beat: ServiceRate) -> None:
    if beats:
        last = beats[-1]
        if beat.at_s - last.at_s < EVERY_S:
            return
        # A process that began again counts from zero.
        if any(beat.counters.get(name, 0) < count for name, count in last.counters.items()):
            beats.clear()
    while beats and beat.at_s - beats[0].at_s > KEPT_S:
        beats.popleft()
    beats.append(beat)
