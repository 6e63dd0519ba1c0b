"""Live signals of a pair between two closes."""

import pytest
from msgspec import structs

from services.common.clock import SECOND
from services.contracts.messages import LegTrade, Signal
from tests.unit.stream_analytics.made_tape import CONFIG, closed_signals, partition, run, tape


def live(trades: list[LegTrade], every_trade: bool = False) -> list[tuple[int, Signal]]:
    """Return the signals between closes, and the number of the trade that brought them."""
    one = partition()
    return [
        (number, outcome.signal)
        for number, trade in enumerate(trades)
        for outcome in one.take([trade], every_trade)[0]
        if not outcome.signal.closed
    ]


def test_between_closes_prices_are_judged_by_the_parameters_of_the_last_close() -> None:
    trades = tape(1)
    closes = {signal.event_us: signal for signal, _ in run(trades)}
    judged = 0
    for number, signal in live(trades, every_trade=True):
        assert signal.event_us == trades[number].event_us
        # The next close judges by the parameters of the same samples, unless the other leg is behind.
        following = closes.get(signal.event_us // SECOND * SECOND + SECOND)
        if following is not None and signal.quality == "ok" and signal.samples == following.samples:
            if signal.hedge_ratio != following.hedge_ratio:
                continue
            judged += 1
            assert signal.zscore is not None
            assert signal.spread == signal.y_price - (signal.intercept + signal.hedge_ratio * signal.x_price)  # type: ignore[operator]
    assert judged > 100


def test_a_crossing_is_said_at_once_whatever_else_is_conflated() -> None:
    trades = tape(1)
    all_of_them = live(trades, every_trade=True)
    firing, expected = False, []
    for number, signal in all_of_them:
        if signal.zscore is not None and firing != (
            abs(signal.zscore) > CONFIG.exit_z if firing else abs(signal.zscore) >= CONFIG.entry_z
        ):
            firing = not firing
            expected.append((number, signal))
    assert len(expected) > 4
    assert live(trades) == expected


def test_a_leg_that_fell_silent_makes_the_moment_stale() -> None:
    trades = [LegTrade("BTCUSDT", 0, 1, 1.0)]
    trades += [LegTrade("ETHUSDT", us * SECOND, us, 1.0) for us in range(12)]
    moments = [signal for _, signal in live(trades, every_trade=True)]
    assert [signal.quality for signal in moments] == ["not_enough_data"] * 11 + ["stale"]
    assert moments[-1].reason == "BTCUSDT went quiet"


def returning(price: float) -> tuple[list[Signal], list[Signal]]:
    """Return what is said while ETH goes to `price` with BTC quiet, and when BTC is back, with no conflated word."""
    end = 120 * SECOND
    one = partition(structs.replace(CONFIG, stale_after_s=10.0))
    trades = tape(1)
    one.take(trades)
    last = {trade.symbol: trade for trade in trades if trade.price is not None}
    eth, btc = last["ETHUSDT"], last["BTCUSDT"]
    alone = LegTrade("ETHUSDT", end + 15 * SECOND, eth.trade_id + 1, price)
    back = LegTrade("BTCUSDT", end + 15 * SECOND + 1, btc.trade_id + 1, btc.price)
    quiet, heard = (
        [outcome.signal for outcome in one.take([trade])[0] if not outcome.signal.closed]
        for trade in (alone, back)
    )
    return quiet, heard


def test_what_a_quiet_leg_hid_is_said_when_it_is_back() -> None:
    quiet, heard = returning(4_000.0)
    assert quiet == []
    assert [signal.quality for signal in heard] == ["ok"]
    assert heard[0].zscore == pytest.approx(abs(heard[0].zscore or 0))
    assert (heard[0].zscore or 0) > CONFIG.entry_z


def test_no_moment_is_judged_by_a_window_that_has_seen_it() -> None:
    one = partition()
    trades = tape(1)
    marks, trades = trades[-2:], trades[:-2]
    one.take(trades)
    tracker = one.trackers[CONFIG.pair]
    moment = tracker.now()
    assert moment is not None
    (close,) = closed_signals(one, marks)
    assert (close.y_price, close.x_price, close.zscore) == (moment.y_price, moment.x_price, moment.zscore)
    assert tracker.now() is None
