"""Threshold rule of a z-score: entry to its bands and exit; live alerts and analyses of the past share it."""


class Threshold:
    """Fire when \\|z\\| >= `entry`, resolve when \\|z\\| <= `exit`; the gap keeps a noisy z from chattering."""

    def __init__(self, entry: float, exit: float, firing: bool = False) -> None:  # noqa: A002
        if not 0 <= exit < entry:
            raise ValueError(f"expected 0 <= exit < entry, received exit {exit} and entry {entry}")
        self._entry = entry
        self._exit = exit
        self.firing = firing

    def update(self, zscore: float | None, may_fire: bool = True) -> bool:
        """Take a z-score and tell whether it changes the state; what may not fire can only resolve."""
        if zscore is None or not (self.firing or may_fire):
            return False
        if self.firing == (abs(zscore) > self._exit if self.firing else abs(zscore) >= self._entry):
            return False
        self.firing = not self.firing
        return True
