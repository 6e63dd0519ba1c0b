"""What a pair says between two closes."""

from services.common.clock import SECOND
from services.common.messages import LegTrade, Signal
from tests.unit.stream_analytics.made_tape import CONFIG, partition, run, tape


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
