"""What one client of the stream has seen, and what is new to it. No I/O."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal, Protocol, get_args

import msgspec

from services.api.hub import Entry, Hub
from services.api.rows import Row, encode, message_row

Topic = Literal["ticks", "signals", "alerts", "status"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
SNAPSHOT_ALERTS = 50
STATUS_EVERY_S = 1.0


class LaggingError(Exception):
    """The client has read so little that alerts it did not get are no longer kept."""


class Present(Protocol):
    """What a subscription looks at."""

    hub: Hub

    @property
    def feed(self) -> str | None:
        """Return the feed's name, None until known."""

    def status(self) -> Row:
        """Return what ``/v1/status`` answers."""


class Subscription:
    """Composes the messages of one client; only these topics, and only these symbols and pairs unless empty."""

    def __init__(
        self,
        present: Present,
        topics: Collection[Topic],
        symbols: Collection[str],
        pairs: Collection[str],
        seconds: Callable[[], float],
    ) -> None:
        """`seconds` is a monotonic clock."""
        self._present = present
        self._topics = topics
        self._symbols = symbols
        self._pairs = pairs
        self._seconds = seconds
        self._seen = 0
        self._status_due = 0.0

    def snapshot(self) -> bytes:
        """Return the first message: everything there is now."""
        hub = self._present.hub
        message: dict[str, Any] = {"type": "snapshot", "feed": self._present.feed}
        for topic in TOPICS:
            if topic in self._topics:
                message[topic] = []
        self._seen = 0
        message |= self._latest(hub)
        if "alerts" in self._topics:
            alerts = [alert for alert in hub.last_alerts() if not self._pairs or alert.pair in self._pairs]
            message["alerts"] = [message_row(alert) for alert in alerts[:SNAPSHOT_ALERTS]]
        message |= self._status()
        self._seen = hub.version
        return encode(message)

    def update(self) -> bytes | None:
        """Return what is new since the last message, None if nothing is; LaggingError if alerts are lost."""
        hub = self._present.hub
        news = self._latest(hub)
        if "alerts" in self._topics:
            if hub.lost_version > self._seen:
                raise LaggingError("read too slowly, alerts are lost: connect again for a new snapshot")
            alerts = [
                entry.json()
                for entry in hub.alerts_after(self._seen)
                if not self._pairs or entry.message.pair in self._pairs
            ]
            if alerts:
                news["alerts"] = alerts[::-1]
        if self._seconds() >= self._status_due:
            news |= self._status()
        self._seen = hub.version
        return encode({"type": "update", "feed": self._present.feed, **news}) if news else None

    def status_due_s(self) -> float | None:
        """Return the seconds until a message is due that only time brings, None if there is none."""
        return max(0.0, self._status_due - self._seconds()) if "status" in self._topics else None

    def _latest(self, hub: Hub) -> dict[str, Any]:
        news: dict[str, Any] = {}
        if "ticks" in self._topics and (ticks := self._newer(hub.ticks, self._symbols)):
            news["ticks"] = ticks
        if "signals" in self._topics and (signals := self._newer(hub.signals, self._pairs)):
            news["signals"] = signals
        return news

    def _newer(self, entries: Mapping[str, Entry[Any]], names: Iterable[str]) -> list[msgspec.Raw]:
        wanted = [entries[name] for name in names if name in entries] if names else entries.values()
        return [entry.json() for entry in wanted if entry.version > self._seen]

    def _status(self) -> dict[str, Any]:
        if "status" not in self._topics:
            return {}
        self._status_due = self._seconds() + STATUS_EVERY_S
        return {"status": self._present.status()}
