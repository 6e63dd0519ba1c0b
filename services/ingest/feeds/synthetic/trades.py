"""Trades of the synthetic market, minute by minute."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.common.clock import MINUTE
from services.contracts.messages import Tick
from services.ingest.feeds.synthetic.market import SyntheticMarket
from services.ingest.feeds.synthetic.noise import PERIOD_S, Floats, generator
from services.ingest.feeds.synthetic.venue import venue

_MINUTE_S = 60
_MINUTE_MS = 60_000
# Minutes per outlier, and the range of its relative size.
_ABSURD_MINUTES = 240
_ABSURD = (0.03, 0.10)
_HALF_SPREAD = 2e-5
_TRADES_PER_BURST = 8
_BURST_MS = 150.0
_SIZE_SIGMA = 1.1
_CHUNK = 4096


class SyntheticTrade(Struct, frozen=True, gc=False):
    """One made-up trade; the fields are a Tick's."""

    event_us: int
    symbol: str
    trade_id: int
    price: float
    size: float
    buyer_is_maker: bool


Trade = SyntheticTrade | Tick


class SyntheticMinute(NamedTuple):
    """One symbol's trades of one minute, in order of time and id."""

    event_ms: NDArray[np.int64]
    price: Floats
    size: Floats
    buyer_is_maker: NDArray[np.bool_]


class Numbering(NamedTuple):
    """Ids of one symbol's trades: `shift` is added to each; only those above `after_id` are made."""

    shift: int = 0
    after_id: int = -1


_AS_MADE = Numbering()


class SyntheticTrades:
    """Trades as a pure function of seed, symbol, its own rate and time: other symbols change nothing."""

    def __init__(self, seed: int, per_minute: Mapping[str, int]) -> None:
        """`per_minute` is how many trades each symbol has in every minute.

        It is the same number in each, so that ids are consecutive without counting from the start.
        """
        self.per_minute = per_minute
        self.numbering: dict[str, Numbering] = {}
        """Numbering of each symbol whose ids continue those of another tape."""
        self._seed = seed
        self._market = SyntheticMarket(seed)
        self._instruments = venue(seed).instruments

    def minute(self, index: int) -> Iterator[SyntheticTrade]:
        """Yield every symbol's trades of the minute `index` since the epoch, in order of time."""
        symbols = [symbol for symbol, count in self.per_minute.items() if count]
        if not symbols:
            return
        minutes = [self.of(symbol, index) for symbol in symbols]
        event_us, price, size, side = (np.concatenate(column) for column in zip(*minutes, strict=True))
        event_us = index * MINUTE + event_us * 1000
        leg = np.repeat(np.arange(len(symbols)), [self.per_minute[symbol] for symbol in symbols])
        trade_id = np.concatenate([self._ids(symbol, index) for symbol in symbols])
        after_id = np.array([self._numbering(symbol).after_id for symbol in symbols])
        order = np.argsort(event_us, kind="stable")
        order = order[(trade_id > after_id[leg])[order]]
        names = np.array(symbols, dtype=object)[leg]
        columns = (event_us, names, trade_id, price, size, side)
        for start in range(0, len(order), _CHUNK):
            rows = order[start : start + _CHUNK]
            yield from map(SyntheticTrade, *(column[rows].tolist() for column in columns))

    def first_id(self, symbol: str, at_us: int) -> int:
        """Return the id of a symbol's first trade at `at_us` or later."""
        index = at_us // MINUTE
        before = np.searchsorted(self.of(symbol, index).event_ms * 1000, at_us - index * MINUTE)
        return index * self.per_minute[symbol] + self._numbering(symbol).shift + int(before)

    def shifts(self, trade: Trade) -> set[int]:
        """Return how much higher the ids of `trade` and its like are than here; empty if it is of another tape.

        There are several only if two trades of a millisecond are alike.
        """
        index = trade.event_us // MINUTE
        if not self.per_minute[trade.symbol]:
            return set()
        one = self.of(trade.symbol, index)
        is_it = (index * MINUTE + one.event_ms * 1000 == trade.event_us) & (one.price == trade.price)
        is_it &= (one.size == trade.size) & (one.buyer_is_maker == trade.buyer_is_maker)
        first_id = index * self.per_minute[trade.symbol]
        return {trade.trade_id - first_id - int(place) for place in np.flatnonzero(is_it)}

    def _numbering(self, symbol: str) -> Numbering:
        return self.numbering.get(symbol, _AS_MADE)

    def _ids(self, symbol: str, index: int) -> NDArray[np.int64]:
        count = self.per_minute[symbol]
        return index * count + self._numbering(symbol).shift + np.arange(count)

    def of(self, symbol: str, index: int) -> SyntheticMinute:
        """Return one symbol's trades of the minute `index`; `event_ms` counts from its start."""
        count, instrument = self.per_minute[symbol], self._instruments[symbol]
        rng = generator(self._seed, f"{symbol} trades", index)
        second = index * _MINUTE_S
        event_ms = _arrivals(rng, count, self._market.regime(second // PERIOD_S).burstiness)
        grid = self._market.prices(symbol, second, _MINUTE_S + 1)
        fair = np.interp(event_ms / 1000, np.arange(_MINUTE_S + 1), grid)
        buyer_is_maker = rng.random(count) < 0.5
        half_spread = np.maximum(_HALF_SPREAD * fair, 0.5 * 10.0**-instrument.price_decimals)
        price = np.where(buyer_is_maker, fair - half_spread, fair + half_spread)
        price *= self._absurdity(symbol, index)
        size = instrument.median_size * np.exp(_SIZE_SIGMA * rng.standard_normal(count))
        step = 10.0**-instrument.size_decimals
        return SyntheticMinute(
            event_ms,
            price.round(instrument.price_decimals),
            np.maximum(size, step).round(instrument.size_decimals),
            buyer_is_maker,
        )

    def _absurdity(self, symbol: str, index: int) -> Floats:
        factors = np.ones(self.per_minute[symbol])
        span, minute = divmod(index, _ABSURD_MINUTES)
        at, place, size = _absurd(self._seed, symbol, span, len(factors))
        if minute == at:
            factors[place] += size
        return factors


@lru_cache(maxsize=4096)
def _absurd(seed: int, symbol: str, span: int, count: int) -> tuple[int, int, float]:
    """Return the minute of the one absurd trade of a stretch, its place among `count` trades, and its relative size."""
    rng = generator(seed, f"{symbol} absurd", span)
    at, place = int(rng.integers(_ABSURD_MINUTES)), int(rng.integers(count))
    return at, place, float(rng.choice((-1, 1)) * rng.uniform(*_ABSURD))


def _arrivals(rng: np.random.Generator, count: int, burstiness: float) -> NDArray[np.int64]:
    """Return `count` sorted times in one minute, in ms: the share `burstiness` follows the start of a burst."""
    times = rng.uniform(0, _MINUTE_MS, count)
    starts = rng.uniform(0, _MINUTE_MS, count // _TRADES_PER_BURST + 1)
    bursts = rng.choice(starts, count) + rng.exponential(_BURST_MS, count)
    times = np.where(rng.random(count) < burstiness, bursts % _MINUTE_MS, times)
    return np.sort(times.astype(np.int64))
