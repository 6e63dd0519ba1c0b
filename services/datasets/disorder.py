"""Order of bars: finds those that come before the bar above them in the file."""

import numpy as np

from services.common import clock
from services.datasets.blocks import Bars, Symbols


class BarOrder:
    """Follows the bars of each symbol; `strict` until one is not later than the one before it."""

    def __init__(self, symbols: Symbols) -> None:
        self.strict = True
        self._symbols = symbols
        self._last: dict[int, int] = {}

    def disorder(self, bars: Bars) -> list[tuple[int, str]]:
        """Return the line of each bar earlier than the one before it of its symbol, and the problem in words."""
        order = np.argsort(bars["symbol"], kind="stable")
        symbols, starts = bars["symbol"][order], bars["start_us"][order]
        firsts = np.flatnonzero(np.diff(symbols, prepend=-1))
        before = np.concatenate(([0], starts[:-1]))
        before[firsts] = [self._last.get(int(symbols[n]), -1) for n in firsts]
        self.strict = self.strict and bool((starts > before).all())
        lasts = np.concatenate((firsts[1:] - 1, [len(bars) - 1] if len(bars) else []))
        self._last |= {int(symbols[n]): int(starts[n]) for n in lasts.astype(int)}
        names = list(self._symbols)
        found = sorted((int(bars["line"][order[n]]), int(n)) for n in np.flatnonzero(starts < before))
        return [
            (
                line,
                f"expected a bar of {names[symbols[n]]} after {clock.to_iso(int(before[n]))}, "
                f"received {clock.to_iso(int(starts[n]))}",
            )
            for line, n in found
        ]
