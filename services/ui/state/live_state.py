"""Live state: the newest messages of the API, and when each arrived."""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from services.common.clock import SECOND
from services.contracts.messages import FeedName, Signal, Tick
from services.ui.api.types import (
    HandledAlert,
    ServiceHealth,
    Snapshot,
    SymbolStats,
    SymbolTape,
    Update,
    WatchedPair,
)
from services.ui.state.alert_state import AlertState
from services.ui.state.event_log import EventLog
from services.ui.state.service_rates import ServiceRates
from services.ui.state.wake_up_signal import WakeUpSignal
from services.ui.widgets.formatting import decimals_of

# More than come between two frames of a session: after a silence several seconds close at once.
CLOSES_KEPT = 16

T = TypeVar("T", Tick, Signal)


@dataclass(frozen=True)
class Now:
    """One moment on both clocks: ``us`` since the epoch, ``s`` on the monotonic clock."""

    us: int
    s: float


@dataclass(frozen=True)
class Received(Generic[T]):
    """A message and the monotonic second it arrived."""

    message: T
    at_s: float


@dataclass
class LiveState:
    """The newest tick of each symbol, signal of each pair, alerts and health; latest wins."""

    connected: bool = False
    connected_before: bool = False
    changed_s: float = 0.0
    error: str | None = None
    degraded: tuple[str, ...] = ()
    """Reason why messages of the stream may be old or incomplete."""
    feed: FeedName | None = None
    ticks: dict[str, Received[Tick]] = field(default_factory=dict)
    signals: dict[str, Received[Signal]] = field(default_factory=dict)
    closes: dict[str, deque[Signal]] = field(default_factory=dict)
    """The last closed signals of each pair, in the order they came, each as it was corrected last."""
    corrections: defaultdict[str, EventLog[Signal]] = field(default_factory=lambda: defaultdict(EventLog))
    """Closed signals of each pair that correct an earlier signal of their second."""
    late: dict[str, int] = field(default_factory=dict)
    """Number of trades of each pair that came after their second had closed, since its worker began."""
    alarms: AlertState = field(default_factory=AlertState)
    services: tuple[ServiceHealth, ...] = ()
    services_s: float | None = None
    """Time of the last status of the services, on the monotonic clock."""
    left_out: int = 0
    """Heartbeats of processes that are too many to list."""
    beats: ServiceRates = field(default_factory=ServiceRates)
    tapes: tuple[SymbolTape, ...] = ()
    messages: int = 0
    """Number of messages from the stream."""
    symbols: dict[str, SymbolStats] = field(default_factory=dict)
    pairs: dict[str, WatchedPair] | None = None
    decimals: dict[str, int] = field(default_factory=dict)
    watchers: set[object] = field(default_factory=set)
    """Number of open streams to browser tabs."""
    wake_up: WakeUpSignal = field(default_factory=WakeUpSignal)
    """Wake-up signal, fired by alerts."""

    @property
    def alerts(self) -> tuple[HandledAlert, ...]:
        """Return the last alerts, newest first."""
        return self.alarms.recent

    @property
    def is_filling(self) -> bool:
        """Return whether what comes is of the past, which is played at the start."""
        return self.connected and any(service.filling is not None for service in self.services)

    def apply(self, message: Snapshot | Update, now: Now) -> None:
        """Take in one message of the stream; a snapshot replaces what was known."""
        self.messages += 1
        if isinstance(message, Snapshot):
            self.ticks.clear()
            self.signals.clear()
            self.closes.clear()
            for journal in self.corrections.values():
                journal.lose()
            self.alarms.clear()
            self.feed = message.feed
        if message.degraded is not None or (isinstance(message, Snapshot) and message.scope == "all"):
            self.degraded = message.degraded or ()
        for tick in message.ticks:
            self._count_decimals(tick.symbol, tick.price)
            _keep(self.ticks, tick.symbol, tick, now)
        for signal in message.signals:
            _keep(self.signals, signal.pair, signal, now)
            if not signal.closed:
                self.late[signal.pair] = signal.late
                continue
            if signal.revision:
                self.corrections[signal.pair].add(signal)
            _keep_close(self.closes.setdefault(signal.pair, deque(maxlen=CLOSES_KEPT)), signal)
        if message.alerts:
            self.alarms.take(message.alerts)
            self.wake_up.fire()
        if message.status is not None:
            self.services, self.services_s = message.status.services, now.s
            self.tapes, self.left_out = message.status.symbols, message.status.left_out
            self.beats.add(self.services, self.messages, now.s)
            self.feed = message.status.feed or self.feed

    def watch(self, pairs: Iterable[WatchedPair], symbols: Iterable[SymbolStats]) -> None:
        """Take in the pairs being watched and the symbols' last day."""
        self.pairs = {pair.pair: pair for pair in pairs}
        self.symbols = {stats.symbol: stats for stats in symbols}
        for stats in self.symbols.values():
            if stats.last_price is not None:
                self._count_decimals(stats.symbol, stats.last_price)

    def link(self, connected: bool, now: Now, error: str | None = None) -> None:
        """Note that the stream came up, or why it went down."""
        if connected != self.connected:
            self.changed_s = now.s
        self.connected_before |= connected
        self.connected = connected
        self.error = error

    def age_s(self, seen: Received[Tick] | Received[Signal], now: Now) -> float:
        """Return how old a number is in seconds.

        A replay runs on the clock of its recording, so there only the arrival counts.
        """
        since_arrival = now.s - seen.at_s
        if self.feed == "replay":
            return since_arrival
        return max(since_arrival, (now.us - seen.message.event_us) / SECOND)

    def _count_decimals(self, symbol: str, price: float) -> None:
        self.decimals[symbol] = max(self.decimals.get(symbol, 0), decimals_of(price))


def _keep_close(closes: deque[Signal], signal: Signal) -> None:
    """Add a close; a correction takes the place of what it corrects, and is not the last if that is not kept."""
    place = next((n for n, close in enumerate(closes) if close.event_us == signal.event_us), None)
    if place is not None and (signal.revision or place == len(closes) - 1):
        closes[place] = signal
    elif not signal.revision or not closes or signal.event_us > closes[-1].event_us:
        closes.append(signal)


def _keep(seen: dict[str, Received[T]], key: str, message: T, now: Now) -> None:
    old = seen.get(key)
    if old is None or message.event_us >= old.message.event_us:
        seen[key] = Received(message, now.s)
