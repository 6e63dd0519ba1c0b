"""Pair partition: the pairs of one partition and the tapes they share."""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Protocol

from services.contracts.messages import LegTrade, PairConfig
from services.contracts.pairs import Pair
from services.stream_analytics.corrections import Outcome
from services.stream_analytics.pair_filling import PairFilling
from services.stream_analytics.pair_storage import storage_of
from services.stream_analytics.pair_tracker import PairTracker
from services.stream_analytics.state_storage import Store
from services.stream_analytics.symbol_tape import SymbolTape
from services.stream_analytics.tape_input import feed
from services.stream_analytics.trades import TapeTrade


class Acknowledge(Protocol):
    """Acknowledgement of a Faust event."""

    def ack(self) -> bool:
        """Allow the commit of the offset."""


class PairPartition:
    """Turn trades into outcomes. Trades are acknowledged in order, once all they change is stored."""

    def __init__(
        self, store: Store, lateness_us: int = 0, horizon_us: int = 0, has_history: bool = False
    ) -> None:
        """`lateness_us` and `horizon_us` are those of the tapes.

        Where somebody `has_history`, a pair of which no state is stored is filled before it is among the `trackers`.
        """
        self._store = store
        self._has_history = has_history
        self._new_tape = partial(SymbolTape, lateness_us, horizon_us)
        self.trackers: dict[str, PairTracker] = {}
        self.tapes: dict[str, SymbolTape] = {}
        self.fillings: dict[str, PairFilling] = {}
        self._filling_of: dict[str, list[PairFilling]] = {}
        self._of_symbol: dict[str, list[PairTracker]] = {}
        self._held: deque[tuple[Acknowledge, dict[str, int], int]] = deque()
        self._next = -1
        self._fresh = True

    def configure(self, configs: Mapping[str, PairConfig]) -> None:
        """Follow exactly the pairs of `configs`; a pair that is new or resumed starts here.

        The first time, pairs go on where their stored state ends. Writes to the store.
        """
        for name in [*self.trackers, *self.fillings]:
            if name not in configs or configs[name].paused:
                self._remove(name, erase=name not in configs)
        for name, config in configs.items():
            known = self.trackers.get(name) or self.fillings.get(name)
            if config.paused or (known is not None and known.config == config):
                continue
            if known is None or not known.reconfigure(config):
                if known is not None:
                    self._remove(name, erase=True)
                self._add(config)
        self._fresh = False

    def take(
        self, trades: Iterable[LegTrade], every_trade: bool = False, is_pressed: bool = False
    ) -> tuple[list[Outcome], set[str]]:
        """Take trades and return the seconds they close and crossings, in order, and the pairs whose prices
        changed.

        With `every_trade` each one that changes a price has an outcome of its own. While the worker `is_pressed`
        nobody looks what crosses between closes.
        """
        outcomes: list[Outcome] = []
        touched: set[str] = set()
        for trade in trades:
            if self._filling_of:
                for filling in self._filling_of.get(trade.symbol, ()):
                    filling.put(trade)
            if (tape := self.tapes.get(trade.symbol)) is None:
                continue
            trackers, closed_us = self._of_symbol[trade.symbol], tape.closed_us
            is_latest = feed(tape, trade)
            if tape.closed_us > closed_us:
                for tracker in trackers:
                    outcomes += tracker.close()
            if is_latest:
                outcomes += self._look(trade.symbol, every_trade, is_pressed, touched)
        return outcomes, touched

    def peek(
        self, trades: Iterable[LegTrade], every_trade: bool = False, is_pressed: bool = False
    ) -> tuple[list[Outcome], set[str]]:
        """Look at trades before they come to ``take``: as that, but nothing closes."""
        outcomes: list[Outcome] = []
        touched: set[str] = set()
        for trade in trades:
            tape = self.tapes.get(trade.symbol)
            if tape is None or trade.price is None:
                continue
            if tape.peek(TapeTrade(trade.event_us, trade.price, trade.trade_id)):
                outcomes += self._look(trade.symbol, every_trade, is_pressed, touched)
        return outcomes, touched

    def _look(self, symbol: str, every_trade: bool, is_pressed: bool, touched: set[str]) -> list[Outcome]:
        if is_pressed:
            touched.update(tracker.config.pair for tracker in self._of_symbol[symbol])
            return []
        outcomes = []
        for tracker in self._of_symbol[symbol]:
            if not (tracker.crosses_threshold() or every_trade):
                touched.add(tracker.config.pair)
            elif (signal := tracker.now()) is not None:
                outcomes.append(Outcome(signal))
        return outcomes

    def hold(
        self, event: Acknowledge, trades: Iterable[LegTrade], offsets: tuple[int, int] = (-1, -1)
    ) -> None:
        """Keep `event`, with its trades and its first and last offset, until they are closed and stored."""
        last: dict[str, int] = {}
        for trade in trades:
            # A mark says nothing of its own moment, only of what was before; a loss is of no moment.
            event_us = trade.event_us - (trade.price is None)
            if trade.marks:
                event_us = max(event_us, trade.marks[-1] - 1)
            if event_us > last.get(trade.symbol, -1):
                last[trade.symbol] = event_us
        self._held.append((event, last, offsets[0]))
        self._next = offsets[1] + 1 if offsets[1] >= 0 else -1

    def save(self, share: float = 1.0) -> None:
        """Write what has changed of a `share` of the pairs, those that have waited longest, to the store."""
        position = self._held[0][2] if self._held else self._next
        for _ in range(math.ceil(len(self.trackers) * share)):
            name = next(iter(self.trackers))
            tracker = self.trackers[name] = self.trackers.pop(name)
            tracker.save(position)

    def acknowledge(self) -> None:
        """Acknowledge, from the front, inputs that are closed and saved, and forget them.

        The writes of ``save`` must have been sent.
        """
        needed: dict[str, int] = dict.fromkeys(self._filling_of, 0)
        for symbol, tape in self.tapes.items():
            trackers = self._of_symbol[symbol]
            if symbol not in needed:
                needed[symbol] = min(tracker.needs(tape) for tracker in trackers)
            tape.forget(min(tracker.remembers(tape) for tracker in trackers))
        while self._held:
            event, last, _ = self._held[0]
            if any(event_us >= needed.get(symbol, event_us + 1) for symbol, event_us in last.items()):
                break
            self._held.popleft()
            event.ack()

    def lose(self) -> None:
        """Know of every symbol that trades of it may have been lost before the next one."""
        for tape in self.tapes.values():
            tape.lose()
        for filling in self.fillings.values():
            for symbol in filling.pair:
                filling.put(LegTrade(symbol, 0, 0, lost=True))

    def release(self) -> int:
        """Acknowledge the older half of the held inputs, though not stored, and return how many events.

        For a broker that keeps no more, while a leg is silent: after a crash they are not read again.
        """
        count = (len(self._held) + 1) // 2
        for _ in range(count):
            self._held.popleft()[0].ack()
        return count

    def join(self, name: str) -> None:
        """Move a filled pair to the others, on the shared tapes."""
        filling = self.fillings[name]
        for symbol, own in filling.tapes.items():
            if (shared := self.tapes.setdefault(symbol, own)) is not own:
                shared.adopt(own)
        self._end_filling(filling)
        filling.tracker.share(self.tapes[filling.pair.y], self.tapes[filling.pair.x])
        self._follow(filling.tracker)

    def _add(self, config: PairConfig) -> None:
        pair = Pair.parse(config.pair)
        is_stored = self._fresh and storage_of(config, self._store).is_stored
        if self._has_history and not is_stored:
            self._fill(config)
            return
        for symbol in pair:
            if symbol not in self.tapes:
                self.tapes[symbol] = self._new_tape()
        tracker = PairTracker(config, self.tapes[pair.y], self.tapes[pair.x], self._store)
        is_restored = tracker.restore()
        if self._has_history and not is_restored:
            for symbol in pair:
                if symbol not in self._of_symbol:
                    del self.tapes[symbol]
            self._fill(config)
            return
        if not self._fresh:
            tracker.skip()
        elif not is_restored:
            for tape in tracker.legs:
                tape.begin()
        self._follow(tracker)

    def _follow(self, tracker: PairTracker) -> None:
        self.trackers[tracker.config.pair] = tracker
        for symbol in tracker.pair:
            self._of_symbol.setdefault(symbol, []).append(tracker)

    def _fill(self, config: PairConfig) -> None:
        filling = self.fillings[config.pair] = PairFilling(config, self._store, self._new_tape)
        if not self._fresh:
            # What a pause has left is older than what is stored, and would be gone on from after a crash.
            filling.erase()
        for symbol in filling.pair:
            self._filling_of.setdefault(symbol, []).append(filling)

    def _end_filling(self, filling: PairFilling) -> None:
        del self.fillings[filling.config.pair]
        for symbol in filling.pair:
            self._filling_of[symbol].remove(filling)
            if not self._filling_of[symbol]:
                del self._filling_of[symbol]

    def _remove(self, name: str, erase: bool) -> None:
        if (filling := self.fillings.get(name)) is not None:
            self._end_filling(filling)
            if erase:
                filling.erase()
            return
        tracker = self.trackers.pop(name)
        if erase:
            tracker.erase()
        for symbol in tracker.pair:
            self._of_symbol[symbol].remove(tracker)
            if not self._of_symbol[symbol]:
                del self._of_symbol[symbol], self.tapes[symbol]
