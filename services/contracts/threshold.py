"""Threshold rule of a z-score: entry to its bands and exit; alerts, past entries and chart marks share it."""

from services.contracts.signals import Signal

ENTRY_Z = 2.0
"""Default |z| at which an alert fires."""
EXIT_Z = 0.5
"""Default |z| at which it resolves."""


class Threshold:
    """Fire when \\|z\\| >= `entry`, resolve when \\|z\\| <= `exit`; the gap keeps a noisy z from chattering.

    With `only_while_reverting` a signal fires it only while its spread is seen to revert; it resolves in any case.
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
        self.entry = entry
        self.exit = exit
        self.firing = firing
        self._only_while_reverting = only_while_reverting

    def update(self, zscore: float | None, may_fire: bool = True) -> bool:
        """Take a z-score and tell whether it changes the state; what may not fire can only resolve."""
        if zscore is None or not (self.firing or may_fire):
            return False
        if self.firing == (abs(zscore) > self.exit if self.firing else abs(zscore) >= self.entry):
            return False
        self.firing = not self.firing
        return True

    def observe(self, signal: Signal) -> bool:
        """Take a signal and tell whether it changes the state: one that is stale or unknown does not."""
        may_fire = not self._only_while_reverting or signal.reversion == "reverting"
        return signal.quality == "ok" and self.update(signal.zscore, may_fire)
