"""Threshold rule of every pair, on its z-score: it fires at the entry level and resolves at the exit level."""

from services.contracts.alert_messages import DEFAULT_RULE, DEFAULT_RULE_ID, ZSCORE
from services.contracts.messages import Alert, AlertState, PairConfig, Signal
from services.contracts.threshold import Threshold


class ThresholdRule(Threshold):
    """Turn the crossings of a `Threshold` into alerts."""

    @classmethod
    def of(cls, config: PairConfig, firing: bool = False) -> "ThresholdRule":
        """Return the rule of a pair."""
        return cls(config.entry_z, config.exit_z, firing, config.only_while_reverting)

    def judge(self, signal: Signal) -> Alert | None:
        """Return the transition this signal causes, if any; the same signals give the same alert ids."""
        if not self.observe(signal) or signal.zscore is None:
            return None
        reached = "reached" if self.firing else "is back within"
        return self._alert(signal, signal.zscore, reached)

    def announce(self, signal: Signal) -> Alert | None:
        """Return the alert of a rule that fires since an unpublished moment; `signal` is the current one."""
        if signal.zscore is None:
            return None
        return self._alert(signal, signal.zscore, "had been beyond")

    def _alert(self, signal: Signal, zscore: float, reached: str) -> Alert:
        state: AlertState = "firing" if self.firing else "resolved"
        threshold = self.entry if self.firing else self.exit
        reversion = signal.reversion or "unproven"
        seen = f", reversion {reversion}" if self.firing and reversion != "reverting" else ""
        return Alert(
            alert_id=f"{DEFAULT_RULE_ID}:{signal.pair}:{signal.event_us}:{state}",
            rule_id=DEFAULT_RULE_ID,
            pair=signal.pair,
            event_us=signal.event_us,
            state=state,
            value=zscore,
            threshold=threshold,
            message=f"{signal.pair}: z-score {zscore:+.2f} {reached} ±{threshold:g}{seen}",
            reversion=reversion,
            rule=DEFAULT_RULE,
            metric=ZSCORE,
            subject=signal.pair,
            values={ZSCORE: zscore, "entry": self.entry, "exit": self.exit},
        )
