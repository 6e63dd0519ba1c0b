"""Synthetic market: one cointegrated pair, one that breaks half-way, regimes."""

import numpy as np
import pytest
from statsmodels.tsa.stattools import coint

from services.ingest.feeds.synthetic.market import REGIMES, SyntheticMarket
from services.ingest.feeds.synthetic.venue import INSTRUMENTS

HOUR_S = 3600
NOON = 1_794_916_800 // HOUR_S * HOUR_S
HOURS = [NOON + hour * HOUR_S for hour in range(24)]


def coint_p(market: SyntheticMarket, y: str, x: str, second: int, count: int) -> float:
    legs = (np.log(market.prices(symbol, second, count)) for symbol in (y, x))
    # The made-up spreads are AR(1): one lag is enough, and fifty times as fast as the choice of one.
    return float(coint(*legs, maxlag=1, autolag=None)[1])


def test_eth_and_btc_are_cointegrated_all_the_time() -> None:
    market = SyntheticMarket(1)
    assert max(coint_p(market, "ETHUSDT", "BTCUSDT", hour, HOUR_S) for hour in HOURS) < 0.05


def test_sol_and_bnb_are_cointegrated_until_the_half_hour_only() -> None:
    market, half = SyntheticMarket(1), HOUR_S // 2
    whole = [coint_p(market, "SOLUSDT", "BNBUSDT", hour, half) for hour in HOURS]
    broken = [coint_p(market, "SOLUSDT", "BNBUSDT", hour + half, half) for hour in HOURS]
    assert max(whole) < 0.05
    # Two random walks pass the test by chance now and then.
    assert sum(p < 0.05 for p in broken) <= 4
    assert np.median(broken) > 0.1


def test_prices_do_not_depend_on_what_was_asked_before() -> None:
    whole = SyntheticMarket(3).prices("SOLUSDT", NOON - 5000, 10_000)
    later = SyntheticMarket(3)
    assert np.array_equal(later.prices("SOLUSDT", NOON, 100), whole[5000:5100])
    assert np.array_equal(later.prices("SOLUSDT", NOON - 1, 1), whole[4999:5000])
    assert not np.array_equal(SyntheticMarket(4).prices("SOLUSDT", NOON, 100), whole[5000:5100])


@pytest.mark.parametrize("symbol", INSTRUMENTS)
def test_prices_are_realistic_and_continuous(symbol: str) -> None:
    prices = np.concatenate(
        [SyntheticMarket(1).prices(symbol, NOON + day * 86_400, HOUR_S) for day in range(0, 120, 10)]
    )
    level = INSTRUMENTS[symbol].level
    assert level / 3 < prices.min() < prices.max() < level * 3
    moves = np.abs(np.diff(np.log(SyntheticMarket(1).prices(symbol, NOON, 6 * HOUR_S))))
    assert moves.max() < 0.003


def test_storms_move_more_than_calm() -> None:
    market, period = SyntheticMarket(1), NOON // 600
    moves: dict[str, list[float]] = {regime.name: [] for regime in REGIMES}
    for number in range(100):
        prices = market.prices("BTCUSDT", (period + number) * 600, 600)
        moves[market.regime(period + number).name].append(float(np.diff(np.log(prices)).std()))
    calm, normal, storm = (np.mean(moves[regime.name]) for regime in REGIMES)
    assert 1.5 * calm < 1.2 * normal < storm
