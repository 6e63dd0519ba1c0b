"""Threshold rule on the z-score: it fires at the entry level and resolves at the exit level."""

from services.contracts.messages import Alert, AlertState, PairConfig, Signal
from services.quant.threshold import Threshold

RULE_ID = "zscore"


class ThresholdRule(Threshold):
    """Turn the crossings of a `Threshold` into alerts.

    Only signals of quality ``ok`` are judged: what is stale or unknown neither fires nor resolves. With
    `only_while_reverting` it fires only while the spread is seen to revert; it resolves in any case.
    """

    def __init__(
        self,
        entry: float,
        exit: float,  # noqa: A002
        firing: bool = False,
        only_while_reverting: bool = False,
    ) -> None:
        super().__init__(entry, exit, firing)
        self._only_while_reverting = only_while_reverting

    @classmethod
    def of(cls, config: PairConfig, firing: bool = False) -> "ThresholdRule":
        """Return the rule of a pair."""
        return cls(config.entry_z, config.exit_z, firing, config.only_while_reverting)

    def judge(self, signal: Signal) -> Alert | None:
        """Return the transition this signal causes, if any; the same signals give the same alert ids."""
        may_fire = not self._only_while_reverting or signal.reversion == "reverting"
        if signal.quality != "ok" or signal.zscore is None or not self.update(signal.zscore, may_fire):
            return None
        state: AlertState = "firing" if self.firing else "resolved"
        threshold = self._entry if self.firing else self._exit
        reached = "reached" if self.firing else "is back within"
        reversion = signal.reversion or "unproven"
        seen = f", reversion {reversion}" if self.firing and reversion != "reverting" else ""
        return Alert(
            alert_id=f"{RULE_ID}:{signal.pair}:{signal.event_us}:{state}",
            rule_id=RULE_ID,
            pair=signal.pair,
            event_us=signal.event_us,
            state=state,
            value=signal.zscore,
            threshold=threshold,
            message=f"{signal.pair}: z-score {signal.zscore:+.2f} {reached} ±{threshold:g}{seen}",
            reversion=reversion,
        )
