"""What the charts are given."""

from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ui import charts, palette
from services.ui.answers import WatchedPair
from tests.unit.ui.conftest import START_S, Make


def by_name(series: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["id"].split("|")[0]: one for one in series}


def test_candles_carry_their_bars_and_volume(bar: Make) -> None:
    up, down = bar(START_S, close=3401.0), bar(START_S + 60, close=3399.5)
    series = by_name(charts.candle_series("ETHUSDT|1m", [up, down], 2))
    assert series["candles"]["data"][0] == {
        "time": START_S,
        "open": 3400.0,
        "high": 3402.0,
        "low": 3399.0,
        "close": 3401.0,
    }
    assert [point["color"][:7] for point in series["volume"]["data"]] == [palette.UP, palette.DOWN]
    assert series["candles"]["options"]["priceFormat"] == {"type": "price", "precision": 2, "minMove": 0.01}


def test_updates_name_the_series_they_belong_to(bar: Make) -> None:
    made = {one["id"] for one in charts.candle_series("ETHUSDT|1m", [bar()], 2)}
    assert {update["id"] for update in charts.candle_updates("ETHUSDT|1m", [bar()])} == made
    assert {update["id"] for update in charts.candle_updates("ETHUSDT|5m", [bar()])}.isdisjoint(made)


def test_pair_updates_name_series_that_exist(pair: WatchedPair, signal: Make, alert: Make) -> None:
    signals = [signal(START_S + n) for n in range(charts.RANGE_EVERY)]
    made = {one["id"] for one in charts.pair_series(pair, signals, [alert()], 2)}
    assert {update["id"] for update in charts.pair_updates(pair, signals, [alert()])} == made


def test_what_is_not_known_is_a_gap(pair: WatchedPair, signal: Make) -> None:
    thin = signal(zscore=None, spread=None, hedge_ratio=None, quality="not_enough_data")
    series = by_name(charts.pair_series(pair, [thin], [], 2))
    assert series["zscore"]["data"] == series["spread"]["data"] == [{"time": START_S}]
    assert series["y"]["data"] == [{"time": START_S, "value": 3400.0}]


def test_no_line_is_drawn_across_a_gap(pair: WatchedPair, signal: Make) -> None:
    known, unknown = signal(START_S), signal(START_S + 1, zscore=None, spread=None)
    again = signal(START_S + 2)
    drawn = by_name(charts.pair_series(pair, [known, unknown, again], [], 2))["zscore"]["data"]
    assert [point.get("color") for point in drawn] == [palette.NOTHING, None, None]
    updates = [
        update["bar"]
        for update in charts.pair_updates(pair, [known, unknown], [])
        if "zscore" in update["id"]
    ]
    assert updates == drawn[:2]


def test_no_line_is_drawn_across_silence(pair: WatchedPair, signal: Make) -> None:
    signals = [signal(START_S), signal(START_S + 2), signal(START_S + 13)]
    drawn = by_name(charts.pair_series(pair, signals, [], 2))["y"]["data"]
    assert [point.get("color") for point in drawn] == [None, palette.NOTHING, None]


def test_a_z_score_beyond_entry_is_marked(pair: WatchedPair, signal: Make) -> None:
    signals = [signal(START_S, zscore=1.99), signal(START_S + 1, zscore=-2.0)]
    points = by_name(charts.pair_series(pair, signals, [], 2))["zscore"]["data"]
    assert ["color" in point for point in points] == [False, True]


def test_both_entry_bands_are_in_the_scale(pair: WatchedPair, signal: Make) -> None:
    signals = [signal(START_S + n) for n in range(2 * charts.RANGE_EVERY)]
    values = [point["value"] for point in by_name(charts.pair_series(pair, signals, [], 2))["range"]["data"]]
    assert max(values) > pair.entry_z
    assert min(values) < -pair.entry_z
    bands = by_name(charts.pair_series(pair, signals, [], 2))["zscore"]["priceLines"]
    assert [line["price"] for line in bands] == [2.0, 0, 0.5, -0.5, -2.0]


def test_only_the_alerts_of_the_pair_within_the_chart_are_drawn(
    pair: WatchedPair, signal: Make, alert: Make
) -> None:
    alerts = [
        alert(1, START_S - 1),
        alert(2, START_S + 1),
        alert(3, START_S + 1, state="resolved"),
        alert(4, START_S, pair="A-B"),
    ]
    points = by_name(charts.pair_series(pair, [signal()], alerts, 2))["alerts"]["data"]
    assert points == [{"time": START_S + 1, "value": 2.31, "color": palette.RESOLVED}]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 50), max_size=30))
def test_times_always_grow(pair: WatchedPair, signal: Make, offsets: list[int]) -> None:
    # The library refuses a chart whose times do not.
    series = charts.pair_series(pair, [signal(START_S + offset) for offset in offsets], [], 2)
    for one in series:
        assert all(later["time"] > earlier["time"] for earlier, later in pairwise(one["data"]))


def test_both_themes_set_the_same_options() -> None:
    dark, light = (charts.options("chart-pair", theme) for theme in ("dark", "light"))
    assert dark.keys() == light.keys()
    assert dark["layout"].keys() == light["layout"].keys()
    assert dark["layout"]["attributionLogo"]
    assert dark["timeScale"]["timeVisible"]
