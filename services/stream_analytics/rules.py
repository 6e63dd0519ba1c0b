"""The threshold rule on the z-score: it fires at the entry level and resolves at the exit level."""

from services.common.messages import Alert, AlertState, Signal

RULE_ID = "zscore"


class ThresholdRule:
    """Fire when \\|z\\| >= `entry`, resolve when \\|z\\| <= `exit`; the gap keeps a noisy z from chattering.

    Only signals of quality ``ok`` are judged: what is stale or unknown neither fires nor resolves.
    """

    def __init__(self, entry: float, exit: float) -> None:  # noqa: A002
        if not 0 <= exit < entry:
            raise ValueError(f"expected 0 <= exit < entry, received exit {exit} and entry {entry}")
        self._entry = entry
        self._exit = exit
        self.firing = False

    def judge(self, signal: Signal) -> Alert | None:
        """Return the transition this signal causes, if any; the same signals give the same alert ids."""
        if signal.quality != "ok" or signal.zscore is None:
            return None
        if not self.firing and abs(signal.zscore) >= self._entry:
            return self._transition(signal, signal.zscore, "firing", self._entry)
        if self.firing and abs(signal.zscore) <= self._exit:
            return self._transition(signal, signal.zscore, "resolved", self._exit)
        return None

    def _transition(self, signal: Signal, zscore: float, state: AlertState, threshold: float) -> Alert:
        self.firing = state == "firing"
        reached = "reached" if self.firing else "is back within"
        return Alert(
            alert_id=f"{RULE_ID}:{signal.pair}:{signal.event_us}:{state}",
            rule_id=RULE_ID,
            pair=signal.pair,
            event_us=signal.event_us,
            state=state,
            value=zscore,
            threshold=threshold,
            message=f"{signal.pair}: z-score {zscore:+.2f} {reached} ±{threshold:g}",
        )
