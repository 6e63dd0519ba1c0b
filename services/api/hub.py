"""The present: the newest tick of each symbol, the newest signal of each pair, the last alerts. No I/O."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from services.api.rows import encode, message_row
from services.common.messages import Alert, Signal, Tick

ALERTS_KEPT = 1_000

M = TypeVar("M", bound=Struct)


class Entry(Generic[M]):
    """A message and the version of the hub it came with; its JSON is made once, however many clients want it."""

    __slots__ = ("_json", "message", "stored", "version")

    def __init__(self, version: int, message: M, stored: bool = False) -> None:
        self.version = version
        self.message = message
        self.stored = stored
        self._json: msgspec.Raw | None = None

    def json(self) -> msgspec.Raw:
        """Return the message as it is answered."""
        if self._json is None:
            self._json = msgspec.Raw(encode(message_row(self.message)))
        return self._json


class Hub:
    """What clients read at their own pace: each remembers the version it has seen and asks for what is newer.

    So a tick costs one dict write, whoever listens, and a client that does not read costs nothing. Newest is
    by event time, so a late message never replaces one that is later; but what came from the store gives way
    to the topic, which may be replaying an old tape.
    """

    def __init__(self) -> None:
        self.version = 0
        self.lost_version = 0
        """The version of the last alert that is no longer kept."""
        self.ticks: dict[str, Entry[Tick]] = {}
        self.signals: dict[str, Entry[Signal]] = {}
        self._alerts: deque[Entry[Alert]] = deque()
        self._alert_ids: set[str] = set()
        self._earlier: tuple[Alert, ...] = ()

    def put_tick(self, tick: Tick) -> None:
        """Take a tick from the topic."""
        known = self.ticks.get(tick.symbol)
        if known is None or known.stored or _tick_order(known.message) < _tick_order(tick):
            self.version += 1
            self.ticks[tick.symbol] = Entry(self.version, tick)

    def put_signal(self, signal: Signal) -> None:
        """Take a signal from the topic."""
        known = self.signals.get(signal.pair)
        if known is None or known.stored or known.message.event_us < signal.event_us:
            self.version += 1
            self.signals[signal.pair] = Entry(self.version, signal)

    def put_alert(self, alert: Alert) -> None:
        """Take an alert from the topic; a repetition is no news."""
        if alert.alert_id in self._alert_ids:
            return
        self.version += 1
        self._alerts.append(Entry(self.version, alert))
        self._alert_ids.add(alert.alert_id)
        if len(self._alerts) > ALERTS_KEPT:
            lost = self._alerts.popleft()
            self._alert_ids.remove(lost.message.alert_id)
            self.lost_version = lost.version

    def seed(self, ticks: Iterable[Tick], signals: Iterable[Signal], alerts: Iterable[Alert]) -> None:
        """Take from the store what no topic has brought yet; its alerts are history, not news."""
        self.version += 1
        for tick in ticks:
            self.ticks.setdefault(tick.symbol, Entry(self.version, tick, stored=True))
        for signal in signals:
            self.signals.setdefault(signal.pair, Entry(self.version, signal, stored=True))
        self._earlier = tuple(alerts)

    def last_alerts(self) -> list[Alert]:
        """Return the alerts kept and those from the store, newest first."""
        known = {alert.alert_id: alert for alert in self._earlier}
        known |= {entry.message.alert_id: entry.message for entry in self._alerts}
        return sorted(known.values(), key=lambda alert: (alert.event_us, alert.alert_id), reverse=True)

    def alerts_after(self, version: int) -> Iterator[Entry[Alert]]:
        """Yield the alerts that came after `version`, newest first."""
        for entry in reversed(self._alerts):
            if entry.version <= version:
                return
            yield entry


def _tick_order(tick: Tick) -> tuple[int, int]:
    return tick.event_us, tick.trade_id
