"""Market of the synthetic feed: the value of each symbol at every second, reproducible at any time.

Two pairs: ETHUSDT-BTCUSDT is cointegrated always, SOLUSDT-BNBUSDT in the first half of every hour only.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from services.ingest.feeds.synthetic.noise import PERIOD_S, Floats, generator, reverting, walk

_BREAK_S = 1800
_PERIODS_PER_HOUR = 3600 // PERIOD_S
_PERIODS_PER_BREAK = _BREAK_S // PERIOD_S

# Per root second: 1e-4 is 56 % a year.
_MARKET_VOLATILITY = 1e-4
_OWN_VOLATILITY = 0.8e-4
_BREAK_VOLATILITY = 1.5e-4
_SPREAD = 1e-3
_ETH_HALF_LIFE_S = 60.0
_SOL_HALF_LIFE_S = 30.0


class Regime(NamedTuple):
    """The weather of ten minutes: `volatility` scales moves, `burstiness` is the share of trades in bursts."""

    name: str
    volatility: float
    burstiness: float


REGIMES = (Regime("calm", 0.6, 0.3), Regime("normal", 1.0, 0.5), Regime("storm", 2.2, 0.8))
_ODDS = (0.3, 0.5, 0.2)


class SyntheticInstrument(NamedTuple):
    """A symbol's level in USDT, the decimals of its prices and sizes, and its median size."""

    level: float
    price_decimals: int
    size_decimals: int
    median_size: float


INSTRUMENTS = {
    "BTCUSDT": SyntheticInstrument(67_000.0, 1, 3, 0.02),
    "ETHUSDT": SyntheticInstrument(3_500.0, 2, 3, 0.3),
    "BNBUSDT": SyntheticInstrument(600.0, 2, 2, 1.0),
    "SOLUSDT": SyntheticInstrument(150.0, 3, 0, 8.0),
}


class SyntheticMarket:
    """Prices as a pure function of the seed and the time; a copy made later continues where this one is."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        # The log price relative to the symbol's level, for one period.
        self._legs: dict[str, Callable[[int], Floats]] = {
            "BTCUSDT": self._btc,
            "ETHUSDT": self._eth,
            "BNBUSDT": self._bnb,
            "SOLUSDT": self._sol,
        }
        self._period = lru_cache(maxsize=64)(self._compute)

    def regime(self, period: int) -> Regime:
        """Return the regime of a period of ten minutes since the epoch."""
        return REGIMES[int(generator(self._seed, "regime", period).choice(len(REGIMES), p=_ODDS))]

    def prices(self, symbol: str, second: int, count: int) -> Floats:
        """Return the fair prices at `count` whole seconds from `second` since the epoch."""
        periods = range(second // PERIOD_S, (second + count - 1) // PERIOD_S + 1)
        path = np.concatenate([self._period(symbol, period) for period in periods])
        return path[second - periods.start * PERIOD_S :][:count]

    def _compute(self, symbol: str, period: int) -> Floats:
        prices: Floats = INSTRUMENTS[symbol].level * np.exp(self._legs[symbol](period))
        return prices

    def _btc(self, period: int) -> Floats:
        return _MARKET_VOLATILITY * self._walk("market", period)

    def _eth(self, period: int) -> Floats:
        spread = self._reverting("eth spread", period, _ETH_HALF_LIFE_S, lambda _: False)
        return 1.1 * self._btc(period) + spread

    def _bnb(self, period: int) -> Floats:
        return 0.7 * self._btc(period) + _OWN_VOLATILITY * self._walk("bnb", period)

    def _sol(self, period: int) -> Floats:
        # Broken, nothing pulls the spread back: the shocks that revert stop, and others stay. Whole, those
        # stand still, so the pair holds again, at another level.
        spread = self._reverting("sol spread", period, _SOL_HALF_LIFE_S, _is_broken)
        hour, part = divmod(period, _PERIODS_PER_HOUR)
        away = _BREAK_VOLATILITY * walk(self._seed, "sol break", hour, 1.0, _BREAK_S)
        start = (part - _PERIODS_PER_HOUR + _PERIODS_PER_BREAK) * PERIOD_S
        lasting = away[start : start + PERIOD_S] if _is_broken(period) else away[0]
        return 1.2 * self._bnb(period) + spread + lasting

    def _walk(self, name: str, period: int) -> Floats:
        return walk(self._seed, name, period, self.regime(period).volatility)

    def _reverting(
        self, name: str, period: int, half_life_s: float, is_broken: Callable[[int], bool]
    ) -> Floats:
        before, now = (
            0.0 if is_broken(at) else math.sqrt(self.regime(at).volatility) for at in (period - 1, period)
        )
        return _SPREAD * reverting(self._seed, name, period, half_life_s, (before, now))


def _is_broken(period: int) -> bool:
    return period % _PERIODS_PER_HOUR >= _PERIODS_PER_HOUR - _PERIODS_PER_BREAK
