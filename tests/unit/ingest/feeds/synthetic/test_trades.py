"""Trades of the synthetic market."""

import numpy as np
import pytest
from msgspec import structs

from services.ingest.feeds.synthetic.market import SyntheticMarket
from services.ingest.feeds.synthetic.rates import per_minute
from services.ingest.feeds.synthetic.trades import Numbering, SyntheticTrade, SyntheticTrades
from services.ingest.feeds.synthetic.venue import INSTRUMENTS

SYMBOLS = ("BTCUSDT", "SOLUSDT")
INDEX = 29_915_280


def made(rate: float, seed: int = 1, symbols: tuple[str, ...] = SYMBOLS) -> SyntheticTrades:
    return SyntheticTrades(seed, per_minute(symbols, rate, INSTRUMENTS))


def trades(first: int = INDEX, minutes: int = 3, seed: int = 1, rate: float = 20.0) -> list[SyntheticTrade]:
    source = made(rate, seed)
    return [trade for index in range(first, first + minutes) for trade in source.minute(index)]


def test_the_same_trades_again_from_any_minute_on() -> None:
    whole = trades(minutes=3)
    assert trades(first=INDEX + 1, minutes=2) == [
        trade for trade in whole if trade.event_us >= (INDEX + 1) * 60_000_000
    ]
    assert trades(seed=2) != whole


@pytest.mark.parametrize("rate", [20.0, 0.5, 300.0])
def test_ids_are_consecutive_and_time_never_goes_back(rate: float) -> None:
    whole = trades(rate=rate)
    assert [trade.event_us for trade in whole] == sorted(trade.event_us for trade in whole)
    for symbol in SYMBOLS:
        ids = [trade.trade_id for trade in whole if trade.symbol == symbol]
        assert len(ids) == round(rate * 60 / 2) * 3
        assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert whole[0].event_us >= INDEX * 60_000_000
    assert whole[-1].event_us < (INDEX + 3) * 60_000_000


def test_a_symbol_trades_the_same_whatever_others_are_collected() -> None:
    alone, among = (
        SyntheticTrades(1, per_minute(symbols, None, INSTRUMENTS))
        for symbols in (("BTCUSDT",), tuple(INSTRUMENTS))
    )
    assert list(alone.minute(INDEX)) == [trade for trade in among.minute(INDEX) if trade.symbol == "BTCUSDT"]
    assert len(list(alone.minute(INDEX))) == 600


def test_the_numbering_shifts_ids_and_begins_after_one() -> None:
    source = made(20.0)
    ids = [trade.trade_id for trade in source.minute(INDEX) if trade.symbol == "BTCUSDT"]
    source.numbering["BTCUSDT"] = Numbering(5, ids[2] + 5)
    again = list(source.minute(INDEX))
    assert [trade.trade_id for trade in again if trade.symbol == "BTCUSDT"] == [one + 5 for one in ids[3:]]
    assert sum(trade.symbol == "SOLUSDT" for trade in again) == 600
    assert [trade.event_us for trade in again] == sorted(trade.event_us for trade in again)


def test_a_trade_tells_how_its_ids_are_shifted() -> None:
    source = made(20.0)
    for trade in trades(minutes=1)[:50]:
        assert source.shifts(trade) == {0}
        assert source.shifts(structs.replace(trade, trade_id=trade.trade_id + 7)) == {7}
        assert source.shifts(structs.replace(trade, price=trade.price * 2)) == set()
        assert (
            made(20.0, seed=2).shifts(trade) == made(30.0).shifts(trade) == made(0.0).shifts(trade) == set()
        )


def test_no_rate_no_trades() -> None:
    assert trades(rate=0.0) == []


def test_prices_and_sizes_are_what_the_venue_could_send() -> None:
    for trade in trades():
        instrument = INSTRUMENTS[trade.symbol]
        assert trade.price == round(trade.price, instrument.price_decimals)
        assert trade.size == round(trade.size, instrument.size_decimals) > 0
        fair = SyntheticMarket(1).prices(trade.symbol, trade.event_us // 1_000_000, 1)[0]
        assert trade.price == pytest.approx(fair, rel=0.002)
        assert (trade.event_us % 1000, type(trade.buyer_is_maker)) == (0, bool)


def test_sellers_hit_a_lower_price_than_buyers() -> None:
    minute = made(2000.0).of("BTCUSDT", INDEX)
    grid = SyntheticMarket(1).prices("BTCUSDT", INDEX * 60, 61)
    fair = np.interp(minute.event_ms / 1000, np.arange(61), grid)
    assert (minute.price[minute.buyer_is_maker] < fair[minute.buyer_is_maker]).all()
    assert (minute.price[~minute.buyer_is_maker] > fair[~minute.buyer_is_maker]).all()


def test_arrivals_come_in_bursts() -> None:
    source, rate = made(20.0), 10
    counts = np.concatenate(
        [np.histogram(source.of("BTCUSDT", INDEX + n).event_ms, 60, (0, 60_000))[0] for n in range(60)]
    )
    # Independent arrivals would have a variance equal to their mean.
    assert counts.mean() == rate
    assert counts.var() > 2 * rate


def test_one_price_in_four_hours_is_absurd() -> None:
    source = made(2.0)
    first, market = INDEX // 240 * 240, SyntheticMarket(1)
    errors = []
    for index in range(first, first + 480):
        minute = source.of("BTCUSDT", index)
        fair = np.interp(minute.event_ms / 1000, np.arange(61), market.prices("BTCUSDT", index * 60, 61))
        errors += list(np.abs(minute.price / fair - 1))
    absurd = [error for error in errors if error > 0.01]
    assert len(absurd) == 2
    assert 0.029 < min(absurd) <= max(absurd) < 0.101
