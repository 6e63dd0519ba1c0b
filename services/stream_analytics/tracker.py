"""One pair from its events to its signals and alerts, with a state small enough to store at every step."""

from collections.abc import Mapping, MutableMapping
from typing import NamedTuple

import msgspec
from msgspec import Struct

from services.common.messages import Alert, PairEvent, Signal
from services.common.pairs import Pair
from services.common.settings import PairSettings
from services.stream_analytics.alignment import Alignment, Leg, Sample, Trade
from services.stream_analytics.rules import ThresholdRule
from services.stream_analytics.windows import PairWindow

Store = MutableMapping[bytes, bytes]


class Outcome(NamedTuple):
    """What one closed second says."""

    signal: Signal
    alert: Alert | None


class Progress(Struct, frozen=True):
    """Where a pair stands: the last closed second, how many samples there were, whether the rule fires.

    ``begun_at`` is the number of the first sample of the window that is not outdated.
    """

    sample: Sample
    count: int
    begun_at: int
    firing: bool


class PairTracker:
    """Follow one pair. Its state lives in `store`, one small value per sample and one for the progress.

    A restart feeds the window every sample since the turn of its stacks before the last one, up to twice its
    length, and so rounds exactly as if it had never stopped. The ring is three windows long: when a crash cuts
    a flush short, the slots already overwritten are older than the stored progress can ask for.
    """

    def __init__(self, pair: Pair, settings: PairSettings, store: Store) -> None:
        self.pair = pair
        self.alignment = Alignment(round(settings.stale_after_s * 1e6))
        self._window = PairWindow(pair, settings.window, settings.min_samples)
        self._rule = ThresholdRule(settings.entry_z, settings.exit_z)
        self._store = store
        self._size = settings.window
        self._count = self._begun_at = 0
        self._restore()

    def take(self, event: PairEvent) -> list[Outcome]:
        """Take one event and return the outcomes of the seconds it closes, oldest first."""
        if event.leg == "clock":
            samples = self.alignment.advance(event.event_us)
        elif event.price is None:
            raise ValueError(f"expected a price on leg {event.leg} of {self.pair}, received none")
        else:
            samples = self.alignment.add(event.leg, Trade(event.event_us, event.price, event.trade_id))
        return [self._conclude(sample) for sample in samples]

    def _conclude(self, sample: Sample) -> Outcome:
        if self._window.is_outdated(sample):
            self._window.clear()
            self._begun_at = self._count
        signal = self._window.observe(sample)
        alert = self._rule.judge(signal)
        if not sample.stale:
            self._store[self._slot(self._count)] = msgspec.json.encode(sample)
            self._count += 1
        progress = Progress(sample, self._count, self._begun_at, self._rule.firing)
        self._store[self._key("progress")] = msgspec.json.encode(progress)
        return Outcome(signal, alert)

    def _restore(self) -> None:
        if (raw := self._store.get(self._key("progress"))) is None:
            return
        progress = msgspec.json.decode(raw, type=Progress)
        turns = (progress.count - progress.begun_at) // self._size
        first = progress.begun_at + max(0, turns - 1) * self._size
        for number in range(first, progress.count):
            self._window.learn(msgspec.json.decode(self._store[self._slot(number)], type=Sample))
        self._count, self._begun_at = progress.count, progress.begun_at
        self._rule.firing = progress.firing
        self.alignment.restore(progress.sample.end_us, progress.sample.y, progress.sample.x)

    def _slot(self, number: int) -> bytes:
        return self._key(str(number % (3 * self._size)))

    def _key(self, name: str) -> bytes:
        return f"{self.pair}/{self._size}/{name}".encode()


def routes(pairs: tuple[Pair, ...]) -> Mapping[str, list[tuple[Pair, Leg]]]:
    """Return, for each symbol, the pairs it is a leg of."""
    table: dict[str, list[tuple[Pair, Leg]]] = {}
    for pair in pairs:
        table.setdefault(pair.y, []).append((pair, "y"))
        table.setdefault(pair.x, []).append((pair, "x"))
    return table
