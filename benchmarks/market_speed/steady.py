"""A steady load, which the cases `latency` and `many` share: a made tape at its own speed, and who reads the topics."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.load import pairs, symbols
from benchmarks.market_speed import tape
from benchmarks.market_speed.reader import reading
from benchmarks.market_speed.replay import START_US
from services.common.clock import SECOND
from services.common.codec import decode
from services.contracts.messages import Alert, Signal, Tick
from services.contracts.topics import ALERTS, SIGNALS, TICKS

PER_SECOND = 1_000
# Of the tape, until windows have z-scores and what starting costs is over.
WARM_S = 45
# Mock or not, a fetch that waits so long is what a client that is in a hurry asks for.
_WAIT_MS = 2
_TICKS_WAIT_MS = 50


class Load:
    """A tape of so many symbols and pairs, 1,000 ticks a second, and the flags to replay it."""

    def __init__(self, place: Path, count: int, watched: int, seconds: float) -> None:
        names = symbols(count)
        self.pairs = pairs(names, watched)
        ticks = tape.made(names, PER_SECOND, START_US, WARM_S + round(seconds))
        self.start_us = START_US + WARM_S * SECOND
        self.end_us = START_US + (WARM_S + round(seconds)) * SECOND
        self.moments = tape.Moments(ticks)
        file = place / "ticks.ndjson"
        tape.write(file, ticks)
        self.flags = tape.flags(file, "1", names, self.pairs)


class Said(NamedTuple):
    """A signal and when it was read from its topic (epoch, us)."""

    signal: Signal
    at_us: int


class Heard:
    """What was read from the topics, and when; of ticks when each was published, by its event time."""

    def __init__(self) -> None:
        self.published: dict[int, int] = {}
        self.newest_us = 0
        self.signals: list[Said] = []
        self.alerts: list[tuple[Alert, int]] = []
        self.live: dict[str, int] = {}
        """The event time of the latest live signal of each pair."""

    def tick(self, _: str, value: bytes, __: int) -> None:
        """Take a tick."""
        tick = decode(value, Tick)
        self.published[tick.event_us] = tick.received_us
        self.newest_us = max(self.newest_us, tick.event_us)

    def said(self, topic: str, value: bytes, at_us: int) -> None:
        """Take a signal or an alert."""
        if topic == ALERTS.name:
            self.alerts.append((decode(value, Alert), at_us))
            return
        signal = decode(value, Signal)
        self.signals.append(Said(signal, at_us))
        if not signal.closed:
            self.live[signal.pair] = signal.event_us

    def since(self, event_us: int | None, at_us: int) -> float | None:
        """Return how many milliseconds after the publishing of a trade it was `at_us`; None if that is not known."""
        published = None if event_us is None else self.published.get(event_us)
        return None if published is None else (at_us - published) / 1e3


@contextmanager
def listening(servers: str) -> Iterator[Heard]:
    """Read ticks, signals and alerts until the block ends."""
    heard = Heard()
    with (
        reading(servers, [TICKS], heard.tick, _TICKS_WAIT_MS),
        reading(servers, [SIGNALS, ALERTS], heard.said, _WAIT_MS),
    ):
        yield heard


def known(delays: Sequence[float | None]) -> list[float]:
    """Return the delays that are known."""
    return [one for one in delays if one is not None]


def closed_count(signals: Sequence[Said], start_us: int, end_us: int) -> dict[str, int]:
    """Return how many seconds of each pair were closed in a part of the tape."""
    counts: dict[str, int] = defaultdict(int)
    for signal, _ in signals:
        if signal.closed and start_us < signal.event_us <= end_us:
            counts[signal.pair] += 1
    return counts
