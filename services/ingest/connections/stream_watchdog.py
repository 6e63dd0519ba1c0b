"""Watchdog: tells a dead stream from one with rare trades. Pure: times are passed in (epoch, us)."""

import math
from collections.abc import Collection
from typing import NamedTuple

from services.common.clock import MINUTE, SECOND
from services.ingest.feed import StreamKind
from services.ingest.venues.venue import Stream

# Time constant of the average of a stream's rate.
_MEMORY_US = 10 * MINUTE
# Of a Poisson stream, one silence in e^20 (500 million) lasts as long as 20 mean intervals.
_MEAN_INTERVALS = 20.0
# Trades come in bursts, so the mean interval alone says too little.
_LONGEST_SILENCES = 4.0
_MOST_US = 60 * MINUTE
# A stream that has never spoken: how many times the least silence it is given. Liquidations may be away for hours.
_FIRST: dict[StreamKind, float] = {"trades": 3.0, "quotes": 3.0, "mark-prices": 3.0, "liquidations": math.inf}
# Checks that lie further apart than this mean that the process slept, or that the clock was set.
_ASLEEP_US = 10 * SECOND


class Silence(NamedTuple):
    """Stale stream: how long it has been silent, and which silence would have been plausible (us)."""

    stream: Stream
    silent_us: int
    plausible_us: float


class WatchedStream:
    """One stream: when and how often it delivered, and whether it is taken for dead."""

    __slots__ = (
        "alarms",
        "connection",
        "expected_us",
        "first_us",
        "heard_us",
        "longest_us",
        "stream",
        "weight",
    )

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.expected_us: int | None = None
        self.heard_us = 0
        self.first_us = 0
        self.connection = 0
        self.weight = 0.0
        self.longest_us = 0.0
        self.alarms = 0

    def heard(self, at_us: int, connection: int) -> bool:
        """Take note of an event; return whether the stream had been taken for dead."""
        step_us = at_us - self.heard_us
        if not self.heard_us:
            self.first_us = at_us
        elif step_us > 0:
            fading = math.exp(-step_us / _MEMORY_US)
            self.weight *= fading
            self.longest_us *= fading
            # A silence that another connection has ended says nothing of the stream's rate.
            if connection == self.connection and step_us > self.longest_us:
                self.longest_us = step_us
        self.weight += 1
        self.heard_us = at_us
        if connection > self.connection:
            self.connection = connection
        was_stale, self.alarms = self.alarms > 0, 0
        return was_stale

    def plausible_us(self, least_us: float) -> float:
        """Return the longest silence that is no reason to worry; each alarm in a row doubles it."""
        if self.weight < 2:
            plausible_us = max(least_us * _FIRST[self.stream.kind], _LONGEST_SILENCES * self.longest_us)
        else:
            known_us = _MEMORY_US * -math.expm1(-(self.heard_us - self.first_us) / _MEMORY_US)
            mean_us = known_us / self.weight
            plausible_us = max(least_us, _MEAN_INTERVALS * mean_us, _LONGEST_SILENCES * self.longest_us)
        if math.isinf(plausible_us):
            return plausible_us
        return max(min(plausible_us * 2.0 ** min(self.alarms, 64), _MOST_US), least_us)


class StreamWatchdog:
    """The streams of one venue. Those whose connection is down are not expected to deliver, and not judged."""

    def __init__(self, least_us: float) -> None:
        """`least_us` is a silence that is plausible of any stream."""
        self._least_us = least_us
        self._watched: dict[tuple[StreamKind, str], WatchedStream] = {}
        self._halted: frozenset[str] = frozenset()
        self._checked_us: int | None = None
        self._awake_us = 0

    def know(self, stream: Stream) -> None:
        """Take a stream for one that is wanted, but do not judge its silence before it is expected."""
        self._watched.setdefault((stream.kind, stream.symbol), WatchedStream(stream))

    def expect(self, stream: Stream, at_us: int) -> None:
        """Begin to judge the silence of a known stream: it has been asked for on a connection."""
        if watched := self.get(stream.kind, stream.symbol):
            watched.expected_us = at_us

    def excuse(self, stream: Stream) -> None:
        """Stop judging the stream until it is expected again: its connection is down."""
        if watched := self.get(stream.kind, stream.symbol):
            watched.expected_us = None

    def refused(self, stream: Stream) -> None:
        """Take the stream for dead until it delivers."""
        if watched := self.get(stream.kind, stream.symbol):
            watched.alarms += 1

    def forget(self, stream: Stream) -> None:
        """Forget the stream: it is no longer wanted."""
        self._watched.pop((stream.kind, stream.symbol), None)

    def halt(self, symbols: Collection[str], at_us: int) -> list[Stream]:
        """Judge no silence of these symbols, which do not trade, and of others again from now on.

        Return the streams that had been taken for dead.
        """
        halted, self._halted = self._halted, frozenset(symbols)
        stale = []
        for watched in self._watched.values():
            symbol = watched.stream.symbol
            if symbol in self._halted and watched.alarms:
                watched.alarms = 0
                stale.append(watched.stream)
            elif symbol in halted - self._halted and watched.expected_us is not None:
                watched.expected_us = at_us
        return stale

    def get(self, kind: StreamKind, symbol: str) -> WatchedStream | None:
        """Return the state of a stream, None if it is not wanted."""
        return self._watched.get((kind, symbol))

    def check(self, at_us: int) -> list[Silence]:
        """Return the streams that have become stale; each once, and again if as long a silence again follows."""
        if self._checked_us is None or not 0 <= at_us - self._checked_us <= _ASLEEP_US:
            self._wake(at_us)
        self._checked_us = at_us
        silences = []
        for watched in self._watched.values():
            if watched.expected_us is None or watched.stream.symbol in self._halted:
                continue
            silent_us = at_us - max(watched.expected_us, watched.heard_us, self._awake_us)
            if silent_us <= self._least_us:
                continue
            plausible_us = watched.plausible_us(self._least_us)
            if silent_us > plausible_us:
                watched.alarms += 1
                watched.expected_us = at_us
                silences.append(Silence(watched.stream, silent_us, plausible_us))
        return silences

    def _wake(self, at_us: int) -> None:
        self._awake_us = at_us
        for watched in self._watched.values():
            watched.heard_us = min(watched.heard_us, at_us)
            if watched.expected_us is not None:
                watched.expected_us = min(watched.expected_us, at_us)
