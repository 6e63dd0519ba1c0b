"""Filling of a pair: its past first, on tapes of its own, then what came meanwhile; then it is like all others."""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from services.common.clock import SECOND, to_iso
from services.contracts.messages import LegTrade, PairConfig
from services.contracts.pairs import Pair
from services.quant.estimators.registry import MOVING
from services.stream_analytics.corrections import Outcome
from services.stream_analytics.filled import NOTHING, Filled
from services.stream_analytics.pair_storage import storage_of
from services.stream_analytics.pair_tracker import PairTracker
from services.stream_analytics.pair_window import RANKED, RANKED_EVERY_US
from services.stream_analytics.state_storage import Store
from services.stream_analytics.symbol_tape import SymbolTape
from services.stream_analytics.tape_input import feed

# Of an estimator that forgets exponentially less than 1e-12 is left of what is older than so many windows.
_WINDOWS_REMEMBERED = 14
# The steps after which a Kalman filter has forgotten its beginning, whatever its window.
_STEPS_REMEMBERED = 9_000
_EVENT = attrgetter("event_us")


class Span(NamedTuple):
    """Wanted part of a symbol's past: from `start_us` to the first live trade, `before_id` at `first_us`.

    Nothing that was known by then is later than `end_us`.
    """

    start_us: int
    first_us: int
    end_us: int
    before_id: int


class LegHistory(NamedTuple):
    """Past of a symbol: last trades of `stored` seconds, and `recent` trades; before `bars_until_us` some are of bars.

    The recent ones are in the order in which they came, so that what comes late is known when it came.
    """

    stored: Sequence[LegTrade] = ()
    bars_until_us: int = 0
    recent: Sequence[LegTrade] = ()

    def before(self, span: Span) -> Sequence[LegTrade]:
        """Return what came before the first trade of `span`."""
        ids = [trade.trade_id for trade in self.recent]
        recent = (
            self.recent[: ids.index(span.before_id)]
            if span.before_id in ids
            else [trade for trade in self.recent if trade.trade_id < span.before_id]
        )
        begins_at = recent[0].trade_id if recent else span.before_id
        stored = [trade for trade in self.stored if (trade.first_id or trade.trade_id) < begins_at]
        return [trade for trade in [*stored, *recent] if trade.event_us >= span.start_us]


def needed_us(config: PairConfig) -> int:
    """Return how far back a pair's numbers reach (µs): its window, and the z-scores among which one has its rank."""
    samples = config.window
    if config.method in MOVING:
        samples *= _WINDOWS_REMEMBERED
    if config.method == "kalman":
        samples = max(samples, _STEPS_REMEMBERED)
    return samples * SECOND + RANKED * RANKED_EVERY_US


class PairFilling:
    """A pair whose past is not here yet.

    What comes meanwhile is kept, in its order, from the first trade or mark of each leg on: what came before that must
    be in the history, which may overlap. Seconds of the history are judged and learned like any other, and not
    published. Where that begins is stored, so that after a crash the pair is filled to the same second.
    """

    def __init__(self, config: PairConfig, store: Store, new_tape: Callable[[], SymbolTape]) -> None:
        self.config = config
        self.pair = Pair.parse(config.pair)
        self.tapes = {symbol: new_tape() for symbol in self.pair}
        self.tracker = PairTracker(config, self.tapes[self.pair.y], self.tapes[self.pair.x], store)
        self.filled = NOTHING
        self._storage = storage_of(config, store)
        self._first_us: dict[str, int] = {}
        self._first_id: dict[str, int] = {}
        self._follows_id: dict[str, int] = {}
        self._newest_us: dict[str, int] = {}
        self._history: Iterator[LegTrade] | None = None
        self._is_past = False
        self._waiting: deque[LegTrade] = deque()

    def put(self, trade: LegTrade) -> None:
        """Keep what comes while the pair is filled."""
        self._waiting.append(trade)
        if not trade.lost and not self.is_begun:
            symbol, event_us = trade.symbol, trade.event_us
            # A mark may come before the trade that it follows.
            self._first_us[symbol] = min(event_us, self._first_us.get(symbol, event_us))
            self._newest_us[symbol] = max(event_us, self._newest_us.get(symbol, event_us))
            if trade.price is not None:
                self._first_id.setdefault(symbol, trade.first_id or trade.trade_id)
            else:
                self._follows_id[symbol] = trade.trade_id + 1

    @property
    def is_heard(self) -> bool:
        """Tell whether everything that comes of both legs comes here by now."""
        return len(self._first_us) == len(self.tapes)

    @property
    def is_begun(self) -> bool:
        """Tell whether the history is here."""
        return self._history is not None

    @property
    def is_done(self) -> bool:
        """Tell whether nothing waits any more."""
        return self._is_past and not self._waiting

    def spans(self) -> Mapping[str, Span]:
        """Return what is wanted of the past of each leg; both must be heard."""
        return {symbol: self._span(symbol) for symbol in self.pair}

    def _span(self, symbol: str) -> Span:
        first_id = self._first_id.get(symbol, self._follows_id.get(symbol, 0))
        return Span(max(0, self._wanted_us), self._first_us[symbol], self._newest_us[symbol], first_id)

    @property
    def _wanted_us(self) -> int:
        return _floor(min(self._first_us.values()) - needed_us(self.config))

    def begin(self, histories: Mapping[str, LegHistory]) -> None:
        """Take the history of both legs."""
        wanted_us = self._wanted_us
        last_us = max(self._first_us.values())
        begins_us = self._storage.begin(last_us - last_us % SECOND)
        legs = [histories.get(symbol, LegHistory()) for symbol in self.pair]
        pasts = [leg.before(self._span(symbol)) for leg, symbol in zip(legs, self.pair, strict=True)]
        first_us = [past[0].event_us for past in pasts if past]
        looks_from_us = 0
        if len(first_us) == len(legs) and (start_us := _floor(max(first_us))) < begins_us:
            self.filled = Filled(_text(start_us, begins_us, legs), begins_us)
            # Of a past that reaches further back than the window the first windows would not have been short.
            if start_us <= wanted_us + self.config.stale_after_s * SECOND:
                looks_from_us = start_us + self.config.window * SECOND
        self.tracker.fill(begins_us, _floor(last_us) + SECOND, self.filled, looks_from_us)
        self._history = heapq.merge(*pasts, key=_EVENT)

    def step(self, count: int) -> list[Outcome]:
        """Go along so many trades more, and return what is to be published of it."""
        assert self._history is not None, "its history is here"
        outcomes: list[Outcome] = []
        for _ in range(count):
            if (trade := next(self._history, None)) is None:
                self._is_past = True
                if not self._waiting:
                    break
                trade = self._waiting.popleft()
            tape = self.tapes[trade.symbol]
            closed_us = tape.closed_us
            feed(tape, trade)
            if tape.closed_us > closed_us:
                outcomes += self.tracker.close()
        for tape in self.tapes.values():
            tape.forget(self.tracker.remembers(tape))
        return outcomes

    def reconfigure(self, config: PairConfig) -> bool:
        """Tell that any other configuration is filled anew."""
        return config == self.config

    def erase(self) -> None:
        """Remove what is stored."""
        self._storage.erase()


def _floor(us: int) -> int:
    return us - us % SECOND


def _text(start_us: int, until_us: int, legs: Iterable[LegHistory]) -> str:
    bars_until_us = min(max(leg.bars_until_us for leg in legs), until_us)
    if bars_until_us <= start_us:
        return f"ticks {_second(start_us)} to {_second(until_us)}"
    bars = f"bars {_second(start_us)} to {_second(bars_until_us)}"
    return bars if bars_until_us >= until_us else f"{bars}, ticks to {_second(until_us)}"


def _second(us: int) -> str:
    return to_iso(us).replace(".000000", "")
