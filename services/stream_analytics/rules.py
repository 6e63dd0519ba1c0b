"""The threshold rule on the z-score: it fires at the entry level and resolves at the exit level."""

from services.common.messages import Alert, AlertState, Signal
from services.quant.threshold import Threshold

RULE_ID = "zscore"


class ThresholdRule(Threshold):
    """Turn the crossings of a `Threshold` into alerts.

    Only signals of quality ``ok`` are judged: what is stale or unknown neither fires nor resolves.
    """

    def judge(self, signal: Signal) -> Alert | None:
        """Return the transition this signal causes, if any; the same signals give the same alert ids."""
        if signal.quality != "ok" or signal.zscore is None or not self.crosses(signal.zscore):
            return None
        state: AlertState = "firing" if self.firing else "resolved"
        threshold = self._entry if self.firing else self._exit
        reached = "reached" if self.firing else "is back within"
        return Alert(
            alert_id=f"{RULE_ID}:{signal.pair}:{signal.event_us}:{state}",
            rule_id=RULE_ID,
            pair=signal.pair,
            event_us=signal.event_us,
            state=state,
            value=signal.zscore,
            threshold=threshold,
            message=f"{signal.pair}: z-score {signal.zscore:+.2f} {reached} ±{threshold:g}",
        )
