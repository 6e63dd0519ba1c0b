"""Pair tracker: from the two tapes of a pair to its signals and alerts."""

from collections.abc import Iterable, Iterator

from msgspec import structs

from services.common.clock import SECOND
from services.contracts.messages import Alert, PairConfig, Signal
from services.contracts.pairs import Pair
from services.stream_analytics.alignment import EVER, Alignment, Leg, Sample
from services.stream_analytics.corrections import Outcome, PublishedSecond, revised
from services.stream_analytics.filled import Filled
from services.stream_analytics.pair_state import PairState
from services.stream_analytics.pair_storage import name_of, storage_of
from services.stream_analytics.pair_window import PairWindow, ranked
from services.stream_analytics.state_storage import Store, StoredState
from services.stream_analytics.symbol_tape import SymbolTape
from services.stream_analytics.threshold_rule import ThresholdRule
from services.stream_analytics.trades import TapeTrade

# Messages after which an unchanged state is stored again, as it holds the read positions.
_MOVED = 1_000
# While one leg has no trade at all, those of the other stay unacknowledged this long.
_PATIENCE_US = 600 * SECOND
# And this long they stay in memory: in a replay one partition may be far ahead of another.
_MEMORY_US = 100_000 * SECOND
# If trades have come late all the time for so long, the state is stored nevertheless: after a crash, revisions of the
# last seconds may then count otherwise. What they end with is the same.
_DISORDER_US = 600 * SECOND


class PairTracker:
    """Tracker of one pair; ``save`` puts its state into `store`, from which another one continues bit for
    bit.

    Two heads go along the tapes. The newest closes each second as soon as both legs have passed it, and what it says is
    published. The final one comes after it, where nothing can change any more; it is what is stored. When trades come
    late, the newest goes back to where the final one stands and along the seconds again, and what then is another is a
    correction. When this is done depends on the tapes alone, so all that is ever said does, too.
    """

    def __init__(self, config: PairConfig, y: SymbolTape, x: SymbolTape, store: Store) -> None:
        self.pair = Pair.parse(config.pair)
        self.config = config
        self.legs = (y, x)
        self._final = PairState(
            Alignment(y, x, _stale_after_us(config)),
            PairWindow(config),
            ThresholdRule.of(config),
        )
        self._newest = self._final.copy()
        self._live_rule = ThresholdRule.of(config)
        self._history = storage_of(config, store, self._final.window)
        self._said: dict[int, PublishedSecond] = {}
        """By the end of the second, those that are not final."""
        self._heeded_us = 0
        """Changes of the past that the tape learned before this second are applied."""
        self._judged_from = 0
        """Alerts of seconds before it are of other thresholds and stay as they are."""
        self._begun_at = 0
        self._last_us: int | None = None
        self._is_saved = True
        self._saved_until = 0
        self._saved_position = -1
        self._begins_us = self._saves_from_us = 0
        self._announced_us: int | None = None
        self._announces = False
        """True until the first published second has reported that the rule fires already."""
        self.settled_until = 0
        """Nothing that is known of the time before it can change anything any more, not even after a crash."""

    def restore(self) -> bool:
        """Continue from the stored state; False if there is none."""
        if (stored := self._history.load()) is None:
            return False
        head, samples, zscores = stored
        self._begun_at, self._last_us = head.begun_at, head.last_us
        self._final.rule.firing = self._live_rule.firing = head.firing
        self._final.window.restore(head.window, samples, zscores, head.last_us)
        self._final.window.filled, self._announces = head.filled, head.announces
        self._begin(head.closed_until, head.y, head.x)
        self._saved_until = self.settled_until = head.closed_until
        for tape, trade, loses in zip(self.legs, (head.y, head.x), head.loses, strict=True):
            if trade is None:
                tape.begin()
            else:
                tape.restore(trade)
            if loses:
                tape.lose(until_gap=True)
        return True

    def skip(self) -> None:
        """Begin at the present position: earlier seconds were not tracked."""
        self._begin(min(tape.closed_us for tape in self.legs), None, None)

    def fill(self, begins_us: int, saves_from_us: int, filled: Filled, looks_from_us: int) -> None:
        """Go along the past first: seconds that end until `begins_us` are not published, and nothing of them is missed.

        What comes again after a crash begins with the second that ends at `saves_from_us`: no earlier state is stored.
        Before `looks_from_us` no window is looked at as a whole.
        """
        self._begins_us, self._saves_from_us, self._announces = begins_us, saves_from_us, True
        for head in (self._final, self._newest):
            head.window.filled, head.window.looks_from_us = filled, looks_from_us

    def share(self, y: SymbolTape, x: SymbolTape) -> None:
        """Go on along these tapes, which know all that is still needed of those so far."""
        # They may know seconds of before that the newest head has not seen, where there was no history of them.
        newest_us = self._newest.alignment.closed_until
        self._final.alignment.skip(min(self._said, default=newest_us + SECOND) - SECOND)
        self.legs = (y, x)
        for head in (self._final, self._newest):
            head.alignment.follow(y, x)
        self._live_rule.firing = self._newest.rule.firing

    def _begin(self, at_us: int, y: TapeTrade | None, x: TapeTrade | None) -> None:
        self._final.alignment.restore(at_us, y, x)
        self._newest = self._final.copy()
        self._heeded_us = at_us

    def reconfigure(self, config: PairConfig) -> bool:
        """Take new thresholds; false if more has changed and only a new tracker will do."""
        if name_of(config) != name_of(self.config):
            return False
        self.config = config
        for head in (self._final, self._newest):
            head.reconfigure(config, _stale_after_us(config))
        self._live_rule = ThresholdRule.of(config, self._live_rule.firing)
        self._judged_from = self._newest.alignment.closed_until
        return True

    def close(self) -> list[Outcome]:
        """Return the outcomes of the seconds that have closed, oldest first, with what corrects earlier ones."""
        until = min(tape.closed_us for tape in self.legs)
        outcomes: list[Outcome] = []
        if any(tape.changes for tape in self.legs):
            for at_us in self._learned_before(until):
                outcomes += self._go_along(at_us - SECOND)
                self._newest = self._final.copy()
                outcomes += self._go_along(at_us - SECOND, at_us)
        outcomes += self._go_along(until)
        self._heeded_us = max(self._heeded_us, until)
        self._settle()
        return outcomes

    def _learned_before(self, until: int) -> Iterable[int]:
        """Return the ends, up to `until`, of the seconds of the tapes in which something was learned of the past."""
        return sorted(
            {
                learned_us + SECOND
                for tape in self.legs
                for _, learned_us in tape.changes
                if self._heeded_us <= learned_us < until
            }
        )

    def _go_along(self, until: int, at_us: int | None = None) -> Iterator[Outcome]:
        """Bring the newest head to `until`, and yield outcomes that are new or have changed.

        With `at_us` seconds are taken as they are known then, otherwise each as it is known at its end.
        """
        head = self._newest
        for sample in head.alignment.close(until, at_us):
            signal, alert = head.judge(sample)
            if self._announces and signal.quality == "ok" and sample.end_us > self._begins_us:
                alert = self._announced(signal, alert, head.rule)
            before = self._said.get(sample.end_us)
            if before is not None and sample.end_us <= self._judged_from:
                head.rule.firing, alert = before.is_firing, before.alert
            said, outcome = revised(before, signal, alert and _aged(alert, sample), head.rule.firing)
            self._said[sample.end_us] = said._replace(minute=head.window.minute)
            if outcome is not None and sample.end_us > self._begins_us:
                yield outcome

    def _announced(self, signal: Signal, alert: Alert | None, rule: ThresholdRule) -> Alert | None:
        """Return the alert of a second; of the first one it is that the rule fires, though it began to before."""
        if self._announced_us is None:
            self._announced_us = signal.event_us
        if signal.event_us != self._announced_us or (alert is not None and alert.state == "firing"):
            return alert
        return rule.announce(signal) if rule.firing else None

    def _settle(self) -> None:
        """Bring the final head to where nothing changes any more: all outcomes up to there are published.

        Whoever goes on from there must say again what was said: so it stays before a change as long as seconds after it
        were closed without knowing of that change.
        """
        final_us = until = min(tape.final_us for tape in self.legs)
        for first_us, learned_us in sorted(change for tape in self.legs for change in tape.changes)[::-1]:
            if first_us < until < learned_us:
                until = first_us - first_us % SECOND
        until = max(until, final_us - _DISORDER_US)
        for sample in self._final.alignment.close(until, EVER):
            if self._final.renew(sample):
                self._begun_at = self._history.samples.count
            said = self._said.pop(sample.end_us)
            self._final.learn(sample, said.signal, said.minute)
            self._final.rule.firing = said.is_firing
            if sample.is_whole:
                self._history.add(sample.y, sample.x, sample.end_us, ranked(said.signal))
                self._last_us = sample.end_us
            self._announces &= sample.end_us != self._announced_us
            self._is_saved = False

    def crosses_threshold(self) -> bool:
        """Take the prices of this moment and tell whether they cross a threshold; stale ones cross none."""
        moment = self._moment()
        return (
            moment is not None
            and moment.is_whole
            and self._live_rule.update(self._newest.window.zscore(moment.y, moment.x))
        )

    def now(self) -> Signal | None:
        """Return the signal of this moment, None until both legs have traded or if a close has published it already."""
        if (moment := self._moment()) is None:
            return None
        return structs.replace(self._newest.window.judge(moment, closed=False), late=self.late)

    def _moment(self) -> Sample | None:
        """Return the latest prices unless they are in the window: that must not judge what it has seen."""
        tapes = self.legs
        y, x = tapes[0].newest, tapes[1].newest
        if y is None or x is None:
            return None
        end_us = max(y.event_us, x.event_us)
        if end_us < self._newest.alignment.closed_until:
            return None
        oldest = max(end_us, tapes[0].known_us, tapes[1].known_us) - _stale_after_us(self.config)
        if y.event_us >= oldest and x.event_us >= oldest:
            return Sample(end_us, y, x)
        legs: tuple[tuple[Leg, TapeTrade], ...] = (("y", y), ("x", x))
        return Sample(end_us, y, x, tuple(leg for leg, trade in legs if trade.event_us < oldest))

    @property
    def late(self) -> int:
        """Number of trades of both legs that came too late to count, since this worker has the pair."""
        return self.legs[0].late + self.legs[1].late

    def save(self, position: int = -1) -> None:
        """Write the state, if it has changed; it holds all that came before the offset `position`."""
        alignment = self._final.alignment
        until = alignment.closed_until
        if until < self._saves_from_us:
            return
        self.settled_until = alignment.passed_us
        has_moved = position - self._saved_position >= _MOVED
        if self._is_saved and until == self._saved_until and not has_moved:
            return
        y, x = alignment.legs
        self._history.save(
            StoredState(
                closed_until=until,
                y=y,
                x=x,
                count=self._history.samples.count,
                begun_at=self._begun_at,
                last_us=self._last_us,
                firing=self._final.rule.firing,
                window=self._final.window.state(),
                tail=self._history.samples.tail(),
                zscores=self._history.zscores.count,
                zscores_tail=self._history.zscores.tail(),
                loses=(self.legs[0].loses_after(until), self.legs[1].loses_after(until)),
                position=position,
                filled=self._final.window.filled,
                announces=self._announces,
            )
        )
        self._is_saved, self._saved_until, self._saved_position = True, until, position

    def erase(self) -> None:
        """Remove the stored state."""
        self._history.erase()

    def needs(self, tape: SymbolTape) -> int:
        """Return the event time from which on trades of `tape` are still to be closed and stored."""
        if self._final.alignment.is_heard:
            return self.settled_until
        return max(self.settled_until, tape.known_us - _PATIENCE_US)

    def remembers(self, tape: SymbolTape) -> int:
        """Return the event time from which on trades of `tape` are still to be closed."""
        alignment = self._final.alignment
        until = alignment.closed_until
        return until if alignment.is_heard else max(until, tape.known_us - _MEMORY_US)


def _aged(alert: Alert, sample: Sample) -> Alert:
    y_age_us, x_age_us = sample.end_us - sample.y.event_us, sample.end_us - sample.x.event_us
    return structs.replace(alert, y_age_s=y_age_us / SECOND, x_age_s=x_age_us / SECOND)


def _stale_after_us(config: PairConfig) -> int:
    return round(config.stale_after_s * SECOND)
