"""State of a pair now: its last signal, whether that can be relied on and why not, and what fires."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.contracts.messages import Signal
from services.ui.api.types import HandledAlert, WatchedPair
from services.ui.state.live_state import LiveState, Now

PAST = "of the past, which is played first"
PAUSED = "Paused: nothing is measured until the pair is resumed."
LOST = "the stream is lost, this is the last known"

Condition = Literal["ok", "waiting", "collecting", "stale", "paused", "lost"]


@dataclass(frozen=True)
class PairState:
    """A pair, its last `signal` and what it is worth; `reason` says why it is not ``ok``.

    ``lost``: the dashboard has no stream, so nothing is known of now. `firing` is the newest alert of the pair that is
    neither resolved nor retracted.
    """

    pair: WatchedPair
    condition: Condition
    reason: str = ""
    signal: Signal | None = None
    age_s: float | None = None
    firing: HandledAlert | None = None

    @property
    def zscore(self) -> float | None:
        """Return the last z-score that is known."""
        return self.signal.zscore if self.signal else None

    @property
    def is_old(self) -> bool:
        """Return whether its numbers are not of now."""
        return self.condition in ("stale", "lost", "paused")


def states(market: LiveState, now: Now) -> dict[str, PairState]:
    """Return the state of every watched pair, by its name."""
    firing = {alert.pair: alert for alert in reversed(market.alarms.firing()) if alert.pair is not None}
    return {name: _state(pair, market, firing, now) for name, pair in sorted((market.pairs or {}).items())}


def _state(pair: WatchedPair, market: LiveState, firing: Mapping[str, HandledAlert], now: Now) -> PairState:
    seen = market.signals.get(pair.pair)
    signal = seen.message if seen else None
    age_s = market.age_s(seen, now) if seen else None
    condition, reason = _condition(pair, market, signal, age_s)
    alert = None if pair.paused else firing.get(pair.pair)
    return PairState(pair, condition, reason, signal, age_s, alert)


def _condition(
    pair: WatchedPair, market: LiveState, signal: Signal | None, age_s: float | None
) -> tuple[Condition, str]:
    if pair.paused:
        return "paused", PAUSED
    if signal is None or age_s is None:
        return ("waiting", "no signal yet") if market.connected else ("lost", "no signal yet")
    if not market.connected:
        return "lost", LOST
    if signal.quality == "not_enough_data":
        return "collecting", signal.reason or f"{signal.samples} of {pair.min_samples} samples"
    if signal.quality == "stale":
        return "stale", signal.reason or "no reason was given"
    if age_s > pair.stale_after_s:
        return "stale", PAST if market.is_filling else f"no signal for more than {pair.stale_after_s:g} s"
    return "ok", ""
