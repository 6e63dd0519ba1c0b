"""Tampering with the trades of one symbol on their way to the stream."""

from collections.abc import Iterable
from typing import assert_never

from tests.fake_venue.damage import damaged, decorated
from tests.fake_venue.faults import Damage, Decorate, Mangle, Reorder, Repeat, Skip
from tests.fake_venue.frames import Frames, frames, trade_stream
from tests.fake_venue.market import Trade


class Tampering:
    """Turns the trades of one symbol into frames, well or badly, and remembers which ones nobody got whole."""

    def __init__(self) -> None:
        self.lost: list[int] = []
        """Ids left out or damaged on the stream."""
        self.damaged_frames = 0
        self._skip = self._repeat = self._reorder = self._decorate = 0
        self._damage: Damage | None = None
        self._damages: int | None = 0
        self._held: list[Frames] = []

    def begin(self, fault: Skip | Repeat | Reorder | Decorate | Mangle) -> None:
        """Do this to the trades that come next."""
        match fault:
            case Skip():
                self._skip += fault.count
            case Repeat():
                self._repeat += fault.count
            case Reorder():
                self._reorder += fault.count
            case Decorate():
                self._decorate += fault.count
            case Mangle():
                self._damage, self._damages = fault.damage, fault.count
            case never:
                assert_never(never)

    def calm(self) -> None:
        """Do nothing more; what is held back goes out with the next trade."""
        self._skip = self._repeat = self._decorate = 0
        self._reorder = min(self._reorder, 1)
        self._damage = None

    def frames(self, trades: Iterable[Trade], sent_ms: int) -> list[Frames]:
        """Return what goes to the stream for these trades."""
        out: list[Frames] = []
        for trade in trades:
            if self._skip:
                self._skip -= 1
                self.lost.append(trade.trade_id)
            elif self._damage is not None and self._damages != 0:
                if self._damages is not None:
                    self._damages -= 1
                self.lost.append(trade.trade_id)
                self.damaged_frames += 1
                out.append(damaged(trade.symbol, trade.frame(sent_ms), self._damage))
            else:
                out += self._good(trade, sent_ms)
        return out

    def _good(self, trade: Trade, sent_ms: int) -> list[Frames]:
        payload = trade.frame(sent_ms)
        if self._decorate:
            self._decorate -= 1
            payload = dict(decorated(payload))
        self._held.append(frames(trade_stream(trade.symbol), payload))
        if self._repeat:
            self._repeat -= 1
            self._held.append(self._held[-1])
        if self._reorder:
            self._reorder -= 1
            if self._reorder:
                return []
            self._held.reverse()
        due, self._held = self._held, []
        return due
