"""Synthetic venue: its size, and whether the planted truth is in its prices."""

import numpy as np
import pytest
from statsmodels.tsa.stattools import coint

from services.contracts.pairs import is_symbol
from services.ingest.feeds.synthetic import venue as listing
from services.ingest.feeds.synthetic.market import SyntheticMarket
from services.ingest.feeds.synthetic.rates import per_minute
from services.ingest.feeds.synthetic.trades import SyntheticTrades
from services.ingest.feeds.synthetic.venue import INSTRUMENTS, SIZE, venue

HOUR_S = 3_600
NOON = 1_794_916_800 // HOUR_S * HOUR_S
HALF = HOUR_S // 2
MARKET = SyntheticMarket(1)


def p_value(y: str, x: str, second: int, count: int) -> float:
    legs = (np.log(MARKET.prices(symbol, second, count)) for symbol in (y, x))
    return float(coint(*legs, maxlag=1, autolag=None)[1])


@pytest.mark.parametrize("seed", [1, 2, 2**63])
def test_a_venue_has_its_symbols_each_once_and_in_one_relation(seed: int) -> None:
    found = venue(seed)
    assert len(found.instruments) == SIZE
    assert all(map(is_symbol, found.instruments))
    assert {name: found.instruments[name] for name in INSTRUMENTS} == INSTRUMENTS
    related = [symbol for relation in found.relations for symbol in relation.symbols]
    assert len(related) == len(set(related))
    assert set(related) <= found.instruments.keys()
    assert len(found.sparse) == listing.SPARSE
    assert not found.sparse & set(related)
    kinds = [relation.kind for relation in found.relations]
    assert (kinds.count("cointegrated"), kinds.count("broken")) == (
        listing.GROUPS + 1,
        listing.BROKEN_PAIRS + 1,
    )


def test_the_truth_is_of_the_seed_and_names_do_not_tell_it() -> None:
    assert venue(1) == venue(1)
    assert venue(1).relations != venue(2).relations
    assert venue(1).instruments.keys() == venue(2).instruments.keys()


def test_groups_are_cointegrated_at_any_time() -> None:
    groups = [one for one in venue(1).relations if one.kind == "cointegrated"][1:9]
    found = [p_value(one.symbols[1], one.symbols[0], NOON, 2 * HOUR_S) for one in groups]
    found += [p_value(one.symbols[2], one.symbols[1], NOON + 5 * HOUR_S, 2 * HOUR_S) for one in groups]
    assert max(found) < 0.05


def test_broken_pairs_are_cointegrated_until_the_half_hour_only() -> None:
    broken = [one for one in venue(1).relations if one.kind == "broken"][1:9]
    whole = [p_value(one.symbols[1], one.symbols[0], NOON, HALF) for one in broken]
    after = [p_value(one.symbols[1], one.symbols[0], NOON + HALF, HALF) for one in broken]
    assert sum(p < 0.05 for p in whole) >= 7
    assert np.median(after) > 0.1


def test_symbols_of_no_relation_are_nobodys_partner() -> None:
    found = venue(1)
    alone = [name for name in found.instruments if found.relation_of(name) is None][:20]
    p_values = [p_value(y, x, NOON, HOUR_S) for y, x in zip(alone[::2], alone[1::2], strict=True)]
    # One in twenty is found by chance.
    assert sum(p < 0.05 for p in p_values) <= 2


def test_prices_are_positive_finite_and_move_by_ticks_of_their_own() -> None:
    found = venue(1)
    for name, instrument in list(found.instruments.items())[::25]:
        prices = MARKET.prices(name, NOON, HOUR_S)
        assert np.isfinite(prices).all()
        assert instrument.level / 3 < prices.min() < prices.max() < instrument.level * 3
        assert 10.0**-instrument.price_decimals / instrument.level < 2e-4


def test_sparse_symbols_trade_a_few_times_a_minute_and_a_given_rate_is_shared() -> None:
    found = venue(1)
    own = per_minute(found.instruments, None, found.instruments)
    assert {own[name] for name in found.sparse} <= {1, 2, 3, 4}
    assert {own[name] for name in INSTRUMENTS} == {600}
    shared = per_minute(found.instruments, 5_000.0, found.instruments)
    assert sum(shared.values()) == pytest.approx(300_000, rel=0.01)
    assert min(shared.values()) >= 1
    assert per_minute(["BTCUSDT", "ETHUSDT"], 20.0, found.instruments) == {"BTCUSDT": 600, "ETHUSDT": 600}
    assert per_minute(["BTCUSDT"], 0.0, found.instruments) == {"BTCUSDT": 0}


def test_a_whole_minute_of_the_venue_is_in_order_and_of_every_symbol() -> None:
    found = venue(1)
    trades = list(
        SyntheticTrades(1, per_minute(found.instruments, None, found.instruments)).minute(29_915_280)
    )
    assert {trade.symbol for trade in trades} == found.instruments.keys()
    assert [trade.event_us for trade in trades] == sorted(trade.event_us for trade in trades)
    assert all(trade.price > 0 and trade.size > 0 for trade in trades)
