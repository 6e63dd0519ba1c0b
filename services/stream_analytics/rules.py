"""The threshold rule on the z-score: it fires at the entry level and resolves at the exit level."""

from services.common.messages import Alert, AlertState, PairConfig, Signal

RULE_ID = "zscore"


class ThresholdRule:
    """Fire when \\|z\\| >= `entry`, resolve when \\|z\\| <= `exit`; the gap keeps a noisy z from chattering.

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
        if not 0 <= exit < entry:
            raise ValueError(f"expected 0 <= exit < entry, received exit {exit} and entry {entry}")
        self._entry = entry
        self._exit = exit
        self._only_while_reverting = only_while_reverting
        self.firing = firing

    @classmethod
    def of(cls, config: PairConfig, firing: bool = False) -> "ThresholdRule":
        """Return the rule of a pair."""
        return cls(config.entry_z, config.exit_z, firing, config.only_while_reverting)

    def crosses(self, zscore: float | None) -> bool:
        """Take a z-score and tell whether it changes the state."""
        if zscore is None:
            return False
        if self.firing == (abs(zscore) > self._exit if self.firing else abs(zscore) >= self._entry):
            return False
        self.firing = not self.firing
        return True

    def judge(self, signal: Signal) -> Alert | None:
        """Return the transition this signal causes, if any; the same signals give the same alert ids."""
        if signal.quality != "ok" or signal.zscore is None:
            return None
        if self._only_while_reverting and not self.firing and signal.reversion != "reverting":
            return None
        if not self.crosses(signal.zscore):
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
