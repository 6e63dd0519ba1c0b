"""Candle series of a chart."""

from typing import Any

from services.common.clock import MINUTE
from services.ui.charts import palette
from services.ui.pages.market import candles
from tests.unit.ui.conftest import START_S, Make


def by_name(series: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["id"].split("|")[0]: one for one in series}


def test_candles_carry_their_bars_and_volume(bar: Make) -> None:
    up, down = bar(START_S, close=3401.0), bar(START_S + 60, close=3399.5)
    series = by_name(candles.candle_series("ETHUSDT|1m", [up, down], 2, MINUTE))
    assert series["candles"]["data"][0] == {
        "time": START_S,
        "open": 3400.0,
        "high": 3402.0,
        "low": 3399.0,
        "close": 3401.0,
    }
    assert [point["color"][:7] for point in series["volume"]["data"]] == [palette.UP, palette.DOWN]
    assert series["candles"]["options"]["priceFormat"] == {"type": "price", "precision": 2, "minMove": 0.01}


def test_prices_have_as_many_decimals_as_the_bars_show(bar: Make) -> None:
    series = by_name(candles.candle_series("ETHUSDT|1m", [bar(close=3401.25)], 0, MINUTE))
    assert series["candles"]["options"]["priceFormat"]["precision"] == 2


def test_updates_name_the_series_they_belong_to(bar: Make) -> None:
    made = {one["id"] for one in candles.candle_series("ETHUSDT|1m", [bar()], 2, MINUTE)}
    assert {update["id"] for update in candles.candle_updates("ETHUSDT|1m", [bar()], MINUTE)} == made
    assert {update["id"] for update in candles.candle_updates("ETHUSDT|5m", [bar()], MINUTE)}.isdisjoint(made)


def test_no_line_is_drawn_across_silence(bar: Make) -> None:
    bars = [bar(START_S + 60 * minute, vwap=3400.5) for minute in (0, 1, 3)]
    drawn = by_name(candles.candle_series("ETHUSDT|1m", bars, 2, MINUTE))["vwap"]["data"]
    assert [point.get("color") for point in drawn] == [None, palette.NOTHING, None]
    # A bar that comes late is sent with the one before it, whose line ends then.
    updates = [
        one["bar"] for one in candles.candle_updates("ETHUSDT|1m", bars[1:], MINUTE) if "vwap" in one["id"]
    ]
    assert updates == drawn[1:]
