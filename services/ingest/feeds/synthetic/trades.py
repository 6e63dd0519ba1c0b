"""Trades of the synthetic market, minute by minute."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.common.clock import MINUTE
from services.ingest.feeds.synthetic.market import INSTRUMENTS, SyntheticMarket
from services.ingest.feeds.synthetic.noise import PERIOD_S, Floats, generator

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


class SyntheticTrade(NamedTuple):
    """One made-up trade; the fields are a Tick's."""

    event_us: int
    symbol: str
    trade_id: int
    price: float
    size: float
    buyer_is_maker: bool


class SyntheticMinute(NamedTuple):
    """One symbol's trades of one minute, in order of time and id."""

    event_ms: NDArray[np.int64]
    price: Floats
    size: Floats
    buyer_is_maker: NDArray[np.bool_]


class SyntheticTrades:
    """Trades as a pure function of seed, symbols, rate (per second, all symbols) and time."""

    def __init__(self, seed: int, symbols: tuple[str, ...], rate: float) -> None:
        self._seed = seed
        self._symbols = symbols
        self._market = SyntheticMarket(seed)
        # The same number in every minute, so that ids are consecutive without counting from the start.
        self.per_minute = round(rate * _MINUTE_S / len(symbols))

    def minute(self, index: int) -> Iterator[SyntheticTrade]:
        """Yield every symbol's trades of the minute `index` since the epoch, in order of time."""
        if self.per_minute == 0:
            return
        minutes = [self.of(symbol, index) for symbol in self._symbols]
        event_us, price, size, side = (np.concatenate(column) for column in zip(*minutes, strict=True))
        event_us = index * MINUTE + event_us * 1000
        leg = np.repeat(np.arange(len(self._symbols)), self.per_minute)
        trade_id = np.tile(index * self.per_minute + np.arange(self.per_minute), len(self._symbols))
        order = np.argsort(event_us, kind="stable")
        names = np.array(self._symbols, dtype=object)[leg]
        columns = (event_us, names, trade_id, price, size, side)
        for start in range(0, len(order), _CHUNK):
            rows = order[start : start + _CHUNK]
            yield from map(SyntheticTrade, *(column[rows].tolist() for column in columns))

    def of(self, symbol: str, index: int) -> SyntheticMinute:
        """Return one symbol's trades of the minute `index`; `event_ms` counts from its start."""
        count, instrument = self.per_minute, INSTRUMENTS[symbol]
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
        factors = np.ones(self.per_minute)
        span, minute = divmod(index, _ABSURD_MINUTES)
        rng = generator(self._seed, f"{symbol} absurd", span)
        if minute == rng.integers(_ABSURD_MINUTES):
            factors[rng.integers(self.per_minute)] += rng.choice((-1, 1)) * rng.uniform(*_ABSURD)
        return factors


def _arrivals(rng: np.random.Generator, count: int, burstiness: float) -> NDArray[np.int64]:
    """Return `count` sorted times in one minute, in ms: the share `burstiness` follows the start of a burst."""
    times = rng.uniform(0, _MINUTE_MS, count)
    starts = rng.uniform(0, _MINUTE_MS, count // _TRADES_PER_BURST + 1)
    bursts = rng.choice(starts, count) + rng.exponential(_BURST_MS, count)
    times = np.where(rng.random(count) < burstiness, bursts % _MINUTE_MS, times)
    return np.sort(times.astype(np.int64))
