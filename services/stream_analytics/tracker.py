"""One pair from its two tapes to its signals and alerts."""

from typing import NamedTuple

from msgspec import structs

from services.common.clock import SECOND
from services.common.messages import Alert, PairConfig, Signal
from services.common.pairs import Pair
from services.stream_analytics.alignment import Alignment, Leg, Sample
from services.stream_analytics.history import Head, History, Store
from services.stream_analytics.rules import ThresholdRule
from services.stream_analytics.tape import SymbolTape, Trade
from services.stream_analytics.windows import PairWindow

# One more whenever an estimator's saved numbers change their meaning: older state is then not found.
_STATE = 2
# For a leg that was never heard of, trades of the other one are kept from being acknowledged so long.
_PATIENCE_US = 600 * SECOND
# And so long they are remembered: reading a recording, one partition may be far ahead of another.
_MEMORY_US = 100_000 * SECOND


class Outcome(NamedTuple):
    """What one closed second, or the prices of this moment, say."""

    signal: Signal
    alert: Alert | None = None


class PairTracker:
    """Follow one pair; ``save`` puts its state into `store`, from which another one goes on to the last bit."""

    def __init__(self, config: PairConfig, y: SymbolTape, x: SymbolTape, store: Store) -> None:
        self.pair = Pair.parse(config.pair)
        self.config = config
        self.legs = (y, x)
        self.alignment = Alignment(y, x, round(config.stale_after_s * SECOND))
        self._window = PairWindow(config)
        self._rule = ThresholdRule(config.entry_z, config.exit_z)
        self._live_rule = ThresholdRule(config.entry_z, config.exit_z)
        self._history = History(store, _name(config), self._window.memory)
        self._begun_at = 0
        self._last_us: int | None = None
        self._is_saved = True
        self._saved_until = 0
        self.settled_until = 0
        """Nothing that is known of the time before it can change anything any more, not even after a crash."""

    def restore(self) -> bool:
        """Go on where the stored state ends; false if there is none."""
        if (stored := self._history.load()) is None:
            return False
        head, samples = stored
        self._begun_at, self._last_us, self._rule.firing = head.begun_at, head.last_us, head.firing
        self._live_rule.firing = head.firing
        self._window.restore(head.state, samples, head.last_us)
        self.alignment.restore(head.closed_until, head.y, head.x)
        self._saved_until = self.settled_until = head.closed_until
        for tape, trade in zip(self.legs, (head.y, head.x), strict=True):
            if trade is not None:
                tape.restore(trade)
        return True

    def skip(self) -> None:
        """Begin at what is known now: nobody looked at the seconds before."""
        self.alignment.restore(min(tape.final_us for tape in self.legs), None, None)

    def reconfigure(self, config: PairConfig) -> bool:
        """Take new thresholds; false if more has changed and only a new tracker will do."""
        if _name(config) != _name(self.config):
            return False
        self.config = config
        self.alignment.stale_after_us = round(config.stale_after_s * SECOND)
        self._window.reconfigure(config)
        self._rule = ThresholdRule(config.entry_z, config.exit_z, self._rule.firing)
        self._live_rule = ThresholdRule(config.entry_z, config.exit_z, self._live_rule.firing)
        return True

    def close(self) -> list[Outcome]:
        """Return the outcomes of the seconds that have become final, oldest first."""
        return [self._conclude(sample) for sample in self.alignment.close()]

    def crosses(self) -> bool:
        """Take the prices of this moment and tell whether they cross a threshold; stale ones cross none."""
        moment = self._moment()
        return (
            moment is not None
            and moment.is_whole
            and self._live_rule.crosses(self._window.zscore(moment.y, moment.x))
        )

    def now(self) -> Signal | None:
        """Return the signal of this moment, None until both legs have traded or if a close has said it already."""
        if (moment := self._moment()) is None:
            return None
        return structs.replace(self._window.judge(moment, closed=False), late=self.late)

    def _moment(self) -> Sample | None:
        """Return the latest prices unless they are in the window: that must not judge what it has seen."""
        tapes = self.legs
        y, x = tapes[0].newest, tapes[1].newest
        if y is None or x is None:
            return None
        end_us = max(y.event_us, x.event_us)
        if end_us < self.alignment.closed_until:
            return None
        oldest = max(end_us, tapes[0].known_us, tapes[1].known_us) - self.alignment.stale_after_us
        if y.event_us >= oldest and x.event_us >= oldest:
            return Sample(end_us, y, x)
        legs: tuple[tuple[Leg, Trade], ...] = (("y", y), ("x", x))
        return Sample(end_us, y, x, tuple(leg for leg, trade in legs if trade.event_us < oldest))

    @property
    def late(self) -> int:
        """How many trades of both legs came too late to count, since this worker has them."""
        return self.legs[0].late + self.legs[1].late

    def save(self) -> None:
        """Write the state, if it has changed."""
        until = self.alignment.closed_until
        self.settled_until = self.alignment.passed_us
        if self._is_saved and until == self._saved_until:
            return
        y, x = self.alignment.legs
        self._history.save(
            Head(
                closed_until=until,
                y=y,
                x=x,
                count=self._history.count,
                begun_at=self._begun_at,
                last_us=self._last_us,
                firing=self._rule.firing,
                state=self._window.state(),
                tail=self._history.tail(),
            )
        )
        self._is_saved, self._saved_until = True, until

    def erase(self) -> None:
        """Remove the stored state."""
        self._history.erase()

    def needs(self, tape: SymbolTape) -> int:
        """Return the event time from which on trades of `tape` are still to be closed and stored."""
        if self.alignment.is_heard:
            return self.settled_until
        return max(self.settled_until, tape.known_us - _PATIENCE_US)

    def remembers(self, tape: SymbolTape) -> int:
        """Return the event time from which on trades of `tape` are still to be closed."""
        until = self.alignment.closed_until
        return until if self.alignment.is_heard else max(until, tape.known_us - _MEMORY_US)

    def _conclude(self, sample: Sample) -> Outcome:
        if self._window.is_outdated(sample.end_us):
            self._window.clear()
            self._begun_at = self._history.count
        signal = self._window.judge(sample)
        alert = self._rule.judge(signal)
        if sample.is_whole:
            self._window.learn(sample)
            self._history.add(sample.y.price, sample.x.price)
            self._last_us = sample.end_us
        self._is_saved = False
        return Outcome(signal, alert)


def _name(config: PairConfig) -> str:
    """Name what the samples and the state are good for."""
    method = config.method if config.intercept else "ols_origin"
    return f"{config.pair}/{config.window}/{method}/{config.transform}/{_STATE}"
