"""Stream composer: builds each message once for all clients with the same filter and position. No I/O."""

import heapq
import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Literal, NamedTuple, Protocol, get_args
from weakref import WeakSet

import msgspec

from services.api.serialization.rows import Row, encode
from services.api.stream.live_state import LiveState, LogEntry, RecentMessages
from services.contracts.messages import Alert
from services.contracts.pairs import Pair, is_symbol

Topic = Literal["ticks", "signals", "alerts", "radar", "status"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
SNAPSHOT_ALERTS = 50
SNAPSHOT_RADAR = 200
STATUS_EVERY_S = 1.0
LOOK_EVERY_S = 0.25
# Of closes, alerts and events of radars: a client that comes back after long gets them in messages of about this size.
MESSAGE_BYTES = 256 * 1024
# Spreads clients over four phases of the interval, so that they are not all served at one instant.
PHASES = (0.0, 0.5, 0.25, 0.75)


class LaggingError(Exception):
    """The client reads so slowly that messages it did not get are no longer in memory."""


class Present(Protocol):
    """Live state as the composer reads it."""

    live_state: LiveState

    @property
    def feed(self) -> str | None:
        """Return the feed's name, None until known."""

    def status(self) -> Row:
        """Return what ``/v1/status`` answers."""

    def problems(self) -> list[str]:
        """Return why messages may be old or incomplete."""


class Client(Protocol):
    """Client of the stream, as the composer sees it."""

    interval_ms: int


@dataclass(frozen=True)
class Filter:
    """Only these topics, and only these symbols and pairs unless empty.

    An alert of a pair goes by the pairs, one of a symbol by the symbols, and one of anything else is always wanted. An
    event of a radar goes by the pairs, either way round.
    """

    topics: frozenset[Topic]
    symbols: frozenset[str] = frozenset()
    pairs: frozenset[str] = frozenset()

    def wants(self, topic: Topic, of: str | Alert) -> bool:
        """Return whether news is wanted `of` a symbol (of ``ticks``), a pair, or whatever an alert is of."""
        if isinstance(of, Alert):
            is_of_symbol = of.pair is None and is_symbol(of.subject)
            names = self.symbols if is_of_symbol else self.pairs if of.pair else frozenset[str]()
            return topic in self.topics and (not names or (of.pair or of.subject) in names)
        if topic not in self.topics:
            return False
        names = self.symbols if topic == "ticks" else self.pairs
        if not names or of in names:
            return True
        return topic == "radar" and str(Pair.parse(of).swapped) in names


class StreamPosition(NamedTuple):
    """Position of a client: the newest of each key as of `seen`, all that is logged one by one as of `told`."""

    seen: int = 0
    told: int = 0
    status: int = 0
    problems: int = 0


class StreamMessage(NamedTuple):
    """A message, None where there is nothing to say, and how far who reads it is then."""

    place: StreamPosition
    kind: Literal["snapshot", "update"] = "update"
    id: str = ""
    text: str | None = None


class StreamComposer:
    """Composes the messages to clients; clients with the same filter and position share a message."""

    def __init__(self, present: Present, seconds: Callable[[], float]) -> None:
        """`seconds` is a monotonic clock."""
        self.seconds = seconds
        self._present = present
        self._phases = cycle(PHASES)
        self._clients: WeakSet[Client] = WeakSet()
        self._shared: dict[tuple[Filter, StreamPosition], StreamMessage] = {}
        self._shared_at = (0, 0, 0)
        self._status = msgspec.Raw()
        self._status_number = 0
        self._status_due = self._look_due = float("-inf")
        self._problems: list[str] = []
        self._problems_number = 0

    @property
    def live_state(self) -> LiveState:
        """Return what the news are of."""
        return self._present.live_state

    def interval_s(self) -> float:
        """Return the shortest interval of all clients; infinity without any."""
        return min((client.interval_ms for client in self._clients), default=math.inf) / 1000

    def join(self, client: Client) -> None:
        """Count a client for as long as it is referenced."""
        self._clients.add(client)

    def phase(self) -> float:
        """Return the share of an interval at which the next client gets its messages."""
        return next(self._phases)

    def status_due_s(self) -> float:
        """Return the seconds until there is another status."""
        return max(0.0, self._status_due - self.seconds())

    def place_of(self, event_id: str | None, wanted: Filter) -> StreamPosition | None:
        """Return the position after the message of that id; None if later messages are no longer in memory."""
        epoch, _, number = (event_id or "").partition("-")
        if epoch != self.live_state.epoch or not (number.isascii() and number.isdigit()):
            return None
        told = int(number)
        return StreamPosition(told=told) if self._oldest(wanted) <= told <= self.live_state.version else None

    def snapshot(self, wanted: Filter, is_back: bool = False) -> StreamMessage:
        """Return everything there is now.

        A client that `is_back` is then told all closes and alerts that are kept, too: it has missed some, and the store
        may not have them yet.
        """
        self._ask_status()
        self._look()
        told = self._oldest(wanted) if is_back else self.live_state.version
        place = StreamPosition(self.live_state.version, told, self._status_number, self._problems_number)
        more: dict[str, Any] = {"scope": "all", "resumed": False}
        more |= {"degraded": self._problems} if self._problems else {}
        return self._compose("snapshot", place, more, self._newest(wanted.wants, wanted.topics))

    def added(self, wanted: Filter, before: Filter, place: StreamPosition) -> StreamMessage:
        """Return a snapshot of what `before` did not include; `place` stays the client's position."""
        self._ask_status()
        content = self._newest(
            lambda topic, of: wanted.wants(topic, of) and not before.wants(topic, of),
            wanted.topics - before.topics,
        )
        return self._compose("snapshot", place, {"scope": "added"}, content)

    def update(self, wanted: Filter, place: StreamPosition, resumed: bool = False) -> StreamMessage:
        """Return the updates since `place`; LaggingError if some of them are lost."""
        if "status" in wanted.topics:
            self._ask_status()
        self._look()
        now = (self.live_state.version, self._status_number, self._problems_number)
        if self._shared_at != now:
            self._shared.clear()
            self._shared_at = now
        if resumed:
            return self._update(wanted, place, {"resumed": True})
        if (wanted, place) not in self._shared:
            self._shared[wanted, place] = self._update(wanted, place, {})
        return self._shared[wanted, place]

    def _update(self, wanted: Filter, place: StreamPosition, more: dict[str, Any]) -> StreamMessage:
        live_state = self.live_state
        if self._oldest(wanted) > place.told:
            raise LaggingError(
                "read too slowly, closes, alerts or events of radars are lost: connect again for a new snapshot"
            )
        missed, told = self._missed(wanted, place.told)
        content: dict[Topic, Any] = {
            "ticks": _newer("ticks", live_state.ticks.items(), wanted, place.seen),
            "signals": missed["signals"] + _newer("signals", live_state.live.items(), wanted, place.seen),
            "alerts": missed["alerts"],
            "radar": missed["radar"],
        }
        if "status" in wanted.topics and self._status_number > place.status:
            content["status"] = self._status
        content = {topic: news for topic, news in content.items() if news}
        if self._problems_number > place.problems:
            more = {**more, "degraded": self._problems}
        after = StreamPosition(live_state.version, told, self._status_number, self._problems_number)
        return self._compose("update", after, more, content) if content or more else StreamMessage(after)

    def _newest(
        self, wants: Callable[[Topic, str | Alert], bool], named: Collection[Topic]
    ) -> dict[Topic, Any]:
        """Return the newest of what is wanted; the topics `named` also where there is nothing."""
        live_state = self.live_state
        alerts = (one for one in live_state.last_alerts() if wants("alerts", one.message))
        radar = (one for one in live_state.radar.newest_first() if wants("radar", one.message.pair))
        newest: dict[Topic, Any] = {
            "ticks": [one.json() for name, one in live_state.ticks.items() if wants("ticks", name)],
            "signals": [
                one.json()
                for signals in (live_state.signals, live_state.live)
                for name, one in signals.items()
                if wants("signals", name)
            ],
            "alerts": [one.json() for one in islice(alerts, SNAPSHOT_ALERTS)],
            "radar": [one.json() for one in islice(radar, SNAPSHOT_RADAR)],
        }
        newest = {topic: found for topic, found in newest.items() if found or topic in named}
        return newest | ({"status": self._status} if "status" in named else {})

    def _missed(self, wanted: Filter, told: int) -> tuple[dict[Topic, list[msgspec.Raw]], int]:
        """Return what is logged one by one after `told`, oldest first, as much as fits, and up to where it goes."""
        missed = heapq.merge(
            *(
                [(one.version, topic, one) for one in history.after(told)]
                for topic, history in self._kept(wanted)
            ),
        )
        found: dict[Topic, list[msgspec.Raw]] = {"signals": [], "alerts": [], "radar": []}
        size = 0
        for version, topic, entry in missed:
            if size > MESSAGE_BYTES:
                return found, told
            told = version
            message = entry.message
            if wanted.wants(topic, message if isinstance(message, Alert) else message.pair):
                found[topic].append(entry.json())
                size += len(entry.json())
        return found, self.live_state.version

    def _kept(self, wanted: Filter) -> list[tuple[Topic, RecentMessages[Any]]]:
        histories: list[tuple[Topic, RecentMessages[Any]]] = [
            ("signals", self.live_state.closes),
            ("alerts", self.live_state.alerts),
            ("radar", self.live_state.radar),
        ]
        return [(topic, history) for topic, history in histories if topic in wanted.topics]

    def _oldest(self, wanted: Filter) -> int:
        return max((history.lost_version for _, history in self._kept(wanted)), default=0)

    def _ask_status(self) -> None:
        if self.status_due_s() == 0:
            self._status = msgspec.Raw(encode(self._present.status()))
            self._status_number += 1
            self._status_due = self.seconds() + STATUS_EVERY_S

    def _look(self) -> None:
        """Look now and then whether there are other problems: it costs more than most messages."""
        if self._look_due <= self.seconds():
            self._look_due = self.seconds() + LOOK_EVERY_S
            if (problems := self._present.problems()) != self._problems:
                self._problems = problems
                self._problems_number += 1

    def _compose(
        self,
        kind: Literal["snapshot", "update"],
        place: StreamPosition,
        more: dict[str, Any],
        content: dict[Topic, Any],
    ) -> StreamMessage:
        event_id = f"{self.live_state.epoch}-{place.told}"
        head = {"type": kind, "id": event_id, "feed": self._present.feed}
        return StreamMessage(place, kind, event_id, encode(head | more | content).decode())


def _newer(
    topic: Topic, entries: Iterable[tuple[str, LogEntry[Any]]], wanted: Filter, seen: int
) -> list[msgspec.Raw]:
    return [one.json() for name, one in entries if one.version > seen and wanted.wants(topic, name)]
