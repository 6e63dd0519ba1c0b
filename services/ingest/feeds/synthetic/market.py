"""Market of the synthetic feed: the value of each symbol at every second, reproducible at any time.

Which symbols belong together, and how, is in ``venue.py``; here that becomes prices.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from services.ingest.feeds.synthetic.noise import PERIOD_S, Floats, generator, reverting, walk
from services.ingest.feeds.synthetic.venue import SIZE, Relation, venue

_BREAK_S = 1800
_PERIODS_PER_HOUR = 3600 // PERIOD_S
_PERIODS_PER_BREAK = _BREAK_S // PERIOD_S

# Per root second: 1e-4 is 56 % a year.
_MARKET_VOLATILITY = 1e-4
_OWN_VOLATILITY = 0.8e-4
_BREAK_VOLATILITY = 1.5e-4
_SPREAD = 1e-3
# What of the market is in the walk of a group, and the least and the most that is in the walk of a single symbol.
_GROUP_BETA = 0.6
_LONE_BETAS = (0.3, 1.0)


class Regime(NamedTuple):
    """The weather of ten minutes: `volatility` scales moves, `burstiness` is the share of trades in bursts."""

    name: str
    volatility: float
    burstiness: float


REGIMES = (Regime("calm", 0.6, 0.3), Regime("normal", 1.0, 0.5), Regime("storm", 2.2, 0.8))
_ODDS = (0.3, 0.5, 0.2)


class SyntheticMarket:
    """Prices as a pure function of the seed and the time; a copy made later continues where this one is."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._venue = venue(seed)
        # The log price relative to the symbol's level, for one period; of other symbols see `_leg`.
        self._legs: dict[str, Callable[[int], Floats]] = {
            "BTCUSDT": self._btc,
            "ETHUSDT": self._eth,
            "BNBUSDT": self._bnb,
            "SOLUSDT": self._sol,
        }
        # Of every symbol the period that ends and the one that begins, of which many share the walks.
        self._period = lru_cache(maxsize=2 * SIZE + 64)(self._compute)
        self._shared_walk = lru_cache(maxsize=256)(self._walk)
        self.regime = lru_cache(maxsize=64)(self._regime)
        """The regime of a period of ten minutes since the epoch."""

    def prices(self, symbol: str, second: int, count: int) -> Floats:
        """Return the fair prices at `count` whole seconds from `second` since the epoch."""
        periods = range(second // PERIOD_S, (second + count - 1) // PERIOD_S + 1)
        path = np.concatenate([self._period(symbol, period) for period in periods])
        return path[second - periods.start * PERIOD_S :][:count]

    def _compute(self, symbol: str, period: int) -> Floats:
        leg = self._legs[symbol](period) if symbol in self._legs else self._leg(symbol, period)
        prices: Floats = self._venue.instruments[symbol].level * np.exp(leg)
        return prices

    def _regime(self, period: int) -> Regime:
        return REGIMES[int(generator(self._seed, "regime", period).choice(len(REGIMES), p=_ODDS))]

    def _leg(self, symbol: str, period: int) -> Floats:
        found = self._venue.relation_of(symbol)
        if found is None:
            beta = generator(self._seed, f"{symbol} beta", 0).uniform(*_LONE_BETAS)
            return beta * self._btc(period) + _OWN_VOLATILITY * self._walk(symbol, period)
        place, relation = found
        own = _OWN_VOLATILITY * self._shared_walk(f"group {place}", period)
        common = _GROUP_BETA * self._btc(period) + own
        return dict(zip(relation.symbols, relation.betas, strict=True))[symbol] * common + self._spread(
            symbol, relation, period
        )

    def _spread(self, symbol: str, relation: Relation, period: int) -> Floats:
        if relation.kind == "broken" and symbol == relation.symbols[1]:
            return self._breaking(symbol, period, relation.half_life_s)
        return self._reverting(f"{symbol} spread", period, relation.half_life_s, lambda _: False)

    def _btc(self, period: int) -> Floats:
        return _MARKET_VOLATILITY * self._shared_walk("market", period)

    def _eth(self, period: int) -> Floats:
        spread = self._reverting("eth spread", period, 60.0, lambda _: False)
        return 1.1 * self._btc(period) + spread

    def _bnb(self, period: int) -> Floats:
        return 0.7 * self._btc(period) + _OWN_VOLATILITY * self._walk("bnb", period)

    def _sol(self, period: int) -> Floats:
        return 1.2 * self._bnb(period) + self._breaking("sol", period, 30.0)

    def _breaking(self, name: str, period: int, half_life_s: float) -> Floats:
        """Return a spread that reverts in the first half of every hour only."""
        # Broken, nothing pulls the spread back: the shocks that revert stop, and others stay. Whole, those
        # stand still, so the pair holds again, at another level.
        spread = self._reverting(f"{name} spread", period, half_life_s, _is_broken)
        hour, part = divmod(period, _PERIODS_PER_HOUR)
        away = _BREAK_VOLATILITY * walk(self._seed, f"{name} break", hour, 1.0, _BREAK_S)
        start = (part - _PERIODS_PER_HOUR + _PERIODS_PER_BREAK) * PERIOD_S
        lasting = away[start : start + PERIOD_S] if _is_broken(period) else away[0]
        return spread + lasting

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
