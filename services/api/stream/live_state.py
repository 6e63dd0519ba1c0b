"""Live state: newest tick of each symbol, newest signals of each pair, and recent messages. No I/O."""

import uuid
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import takewhile
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct, structs

from services.api.serialization.rows import Row, encode, message_row
from services.common.errors import BadMessageError
from services.contracts.messages import Alert, RadarEvent, Signal, Tick
from services.contracts.pairs import is_pair

ALERTS_KEPT = 1_000
CLOSES_KEPT = 20_000
RADAR_KEPT = 1_000

M = TypeVar("M", bound=Struct)


class AlertAction(Struct, frozen=True, kw_only=True):
    """Change of an alert: its retraction, or an action of a user."""

    retracted_by: str | None = None
    acked_us: int | None = None
    acked_by: str | None = None
    snoozed_until_us: int | None = None


class LogEntry(Generic[M]):
    """Message, and the version of the live state it came with; its JSON is made once for all clients."""

    __slots__ = ("_json", "handling", "message", "stored", "version")

    def __init__(
        self, version: int, message: M, stored: bool = False, handling: AlertAction | None = None
    ) -> None:
        self.version = version
        self.message = message
        self.stored = stored
        self.handling = handling
        self._json: msgspec.Raw | None = None

    def row(self) -> Row:
        """Return the message as it is answered."""
        made = message_row(self.message)
        return made if self.handling is None else made | message_row(self.handling)

    def json(self) -> msgspec.Raw:
        """Return the row as JSON."""
        if self._json is None:
            self._json = msgspec.Raw(encode(self.row()))
        return self._json


class RecentMessages(Generic[M]):
    """The last messages of a kind in the order they came, of each key the last one alone."""

    def __init__(self, key: Callable[[M], Hashable], kept: int) -> None:
        self.lost_version = 0
        """Version of the last message that is no longer in memory."""
        self._key = key
        self._kept = kept
        self._entries: dict[Hashable, LogEntry[M]] = {}

    def __contains__(self, message: M) -> bool:
        return self._key(message) in self._entries

    def get(self, key: Hashable) -> LogEntry[M] | None:
        """Return the recent messages of a key."""
        return self._entries.get(key)

    def put(self, entry: LogEntry[M]) -> None:
        """Add the newest message of a key; it replaces an older one."""
        key = self._key(entry.message)
        self._entries.pop(key, None)
        self._entries[key] = entry
        if len(self._entries) > self._kept:
            self.lost_version = self._entries.pop(next(iter(self._entries))).version

    def newest_first(self) -> Iterator[LogEntry[M]]:
        """Yield all recent messages."""
        return reversed(self._entries.values())

    def after(self, version: int) -> list[LogEntry[M]]:
        """Return what came after `version`, in its order."""
        return list(takewhile(lambda entry: entry.version > version, self.newest_first()))[::-1]


class LiveState:
    """Live state that clients read at their own pace: each remembers its last version and asks for what is
    newer.

    So a tick costs one dict write, whoever listens, and a client that does not read costs nothing. Newest is
    by event time, so a late message never replaces one that is later; but what came from the store gives way
    to the topic, which may be replaying an old tape. Closed signals, alerts and events of radars are kept one by
    one; a correction takes the place of the second it corrects, and is told like any news.
    """

    def __init__(self) -> None:
        self.epoch = uuid.uuid4().hex[:12]
        """Identity of this live state: versions of another one, as before a restart, mean nothing here."""
        self.version = 0
        self.ticks: dict[str, LogEntry[Tick]] = {}
        self.signals: dict[str, LogEntry[Signal]] = {}
        """The newest closed signal of each pair."""
        self.live: dict[str, LogEntry[Signal]] = {}
        """The newest signal of each pair between closes."""
        self.closes: RecentMessages[Signal] = RecentMessages(_second, CLOSES_KEPT)
        self.alerts: RecentMessages[Alert] = RecentMessages(lambda alert: alert.alert_id, ALERTS_KEPT)
        self.radar: RecentMessages[RadarEvent] = RecentMessages(lambda event: event.event_id, RADAR_KEPT)
        self._earlier: dict[str, LogEntry[Alert]] = {}
        self._retractions: dict[str, str] = {}

    def put_tick(self, tick: Tick) -> None:
        """Take a tick from the topic."""
        known = self.ticks.get(tick.symbol)
        if known is None or known.stored or _tick_order(known.message) < _tick_order(tick):
            self.ticks[tick.symbol] = self._entry(tick)

    def put_ticks(self, ticks: Iterable[Tick]) -> int:
        """Take valid ticks from the topic; the result is that of taking them one by one."""
        newest: dict[str, Tick] = {}
        for tick in ticks:
            known = newest.get(tick.symbol)
            if known is None or known.event_us < tick.event_us or _tick_order(known) < _tick_order(tick):
                newest[tick.symbol] = tick
        for tick in newest.values():
            self.put_tick(tick)
        return 0

    def put_signal(self, signal: Signal) -> None:
        """Take a signal from the topic; a repetition is no news, nor is a revision that another has replaced."""
        told = self.closes.get(_second(signal)) if signal.closed else None
        if told is not None and told.message.revision >= signal.revision:
            return
        newest = self.signals if signal.closed else self.live
        is_newest = _is_newer(signal, newest.get(signal.pair))
        if not signal.closed and not is_newest:
            return
        entry = self._entry(signal)
        if signal.closed:
            self.closes.put(entry)
        if is_newest:
            newest[signal.pair] = entry

    def put_alert(self, alert: Alert) -> None:
        """Take an alert from the topic; a repetition is no news. One that retracts another is news of that, too."""
        if alert not in self.alerts:
            earlier = self._earlier.get(alert.alert_id)
            known = AlertAction() if earlier is None or earlier.handling is None else earlier.handling
            self.alerts.put(self._entry(alert, self._retracted(alert, known)))
            self._take_retraction(alert)

    def put_radar_event(self, event: RadarEvent) -> None:
        """Take an event of a radar; a repetition is no news. BadMessageError if it is of no pair."""
        if not is_pair(event.pair):
            raise BadMessageError(f"expected a pair Y-X, received {event.pair!r}")
        if event not in self.radar:
            self.radar.put(self._entry(event))

    def handle(self, alert: Alert, handling: AlertAction) -> None:
        """Tell everybody what became of an alert; a repetition is no news."""
        known, handling = self._known(alert.alert_id), self._retracted(alert, handling)
        if known is None or known.handling != handling:
            self.alerts.put(self._entry(alert, handling))

    def forget(self, pair: str) -> None:
        """Drop the present of a pair that is no longer analysed."""
        self.signals.pop(pair, None)
        self.live.pop(pair, None)

    def seed(self, ticks: Iterable[Tick], signals: Iterable[Signal]) -> None:
        """Take from the store what no topic has brought yet."""
        self.version += 1
        for tick in ticks:
            self.ticks.setdefault(tick.symbol, LogEntry(self.version, tick, stored=True))
        for signal in signals:
            known = self.signals.get(signal.pair)
            # A correction may be of a second long before the last one.
            is_old = known is not None and known.message.revision and _order(known.message) < _order(signal)
            if known is None or is_old:
                self.signals[signal.pair] = LogEntry(self.version, signal, stored=True)

    def seed_alerts(self, alerts: Iterable[tuple[Alert, AlertAction]]) -> None:
        """Take alerts from the store as history; of known alerts only the actions on them."""
        for alert, handling in alerts:
            if self._known(alert.alert_id) is not None:
                self.handle(alert, handling)
            else:
                completed = self._retracted(alert, handling)
                self._earlier[alert.alert_id] = LogEntry(0, alert, stored=True, handling=completed)

    def last_alerts(self) -> list[LogEntry[Alert]]:
        """Return the recent alerts and those from the store, newest first."""
        known = self._earlier | {entry.message.alert_id: entry for entry in self.alerts.newest_first()}
        return sorted(
            known.values(), key=lambda one: (one.message.event_us, one.message.alert_id), reverse=True
        )

    def _known(self, alert_id: str) -> LogEntry[Alert] | None:
        return self.alerts.get(alert_id) or self._earlier.get(alert_id)

    def _retracted(self, alert: Alert, handling: AlertAction) -> AlertAction:
        """Add what the topic has retracted: the store may not know it yet."""
        by = handling.retracted_by or self._retractions.get(alert.alert_id)
        return structs.replace(handling, retracted_by=by)

    def _take_retraction(self, alert: Alert) -> None:
        if alert.retracts is None:
            return
        self._retractions[alert.retracts] = alert.alert_id
        if len(self._retractions) > ALERTS_KEPT:
            del self._retractions[next(iter(self._retractions))]
        if (known := self._known(alert.retracts)) is not None:
            self.handle(known.message, known.handling or AlertAction())

    def _entry(self, message: M, handling: AlertAction | None = None) -> LogEntry[M]:
        self.version += 1
        return LogEntry(self.version, message, handling=handling)


def _second(signal: Signal) -> tuple[str, int]:
    return signal.pair, signal.event_us


def _order(signal: Signal) -> tuple[int, int]:
    return signal.event_us, signal.revision


def _is_newer(signal: Signal, known: LogEntry[Signal] | None) -> bool:
    """Return whether a signal is the newest of its pair: no correction says that a tape has begun again."""
    if known is None or (known.stored and not signal.revision):
        return True
    return _order(known.message) < _order(signal)


def _tick_order(tick: Tick) -> tuple[int, int]:
    return tick.event_us, tick.trade_id
