"""Line series of a pair's chart."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ui.api.types import WatchedPair
from services.ui.charts import palette
from services.ui.pages.pairs import lines, spans
from services.ui.pages.pairs.lines import PANES, Band, Canvas, PaneName
from services.ui.series.gap_shading import Shade
from tests.unit.ui.conftest import PAIR, START_S, Make


@pytest.fixture
def canvas(pair: WatchedPair) -> Canvas:
    return Canvas(pair, spans.DEFAULT, PANES, 2)


def by_name(series: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["id"].split("|")[0]: one for one in series}


def test_updates_name_every_line_of_the_chart(canvas: Canvas, signal: Make) -> None:
    made = {one["id"] for one in canvas.series([signal()], {})}
    moving = made - {f"{edge}|{PAIR}|30m" for edge in ("high", "low")}
    assert {update["id"] for update in canvas.updates([signal()])} == moving
    assert canvas.extras([], None).keys() <= made


def test_only_the_panes_that_are_shown_have_lines(pair: WatchedPair, signal: Make) -> None:
    two = Canvas(pair, spans.DEFAULT, ("spread", "correlation"), 2)
    assert {one["id"].split("|")[0]: one["pane"] for one in two.series([signal()], {})} == {
        "spread": 0,
        "correlation": 1,
    }
    assert {update["id"].split("|")[0] for update in two.updates([signal()])} == {"spread", "correlation"}
    # Without the pane of the z-score the first line bears the markers.
    assert list(two.extras([], None)) == [f"spread|{PAIR}|30m"]


def test_every_pane_draws_what_the_signals_say(canvas: Canvas, signal: Make) -> None:
    drawn = by_name(canvas.series([signal()], {}))
    values = {name: one["data"][0]["value"] for name, one in drawn.items() if one["data"] and name != "reach"}
    assert values == {
        "y": 3400.0,
        "x": 64000.0,
        "spread": 1.25,
        "zscore": 0.75,
        "hedge-ratio": 0.05231,
        "correlation": 0.87,
    }


def test_what_is_not_known_is_a_gap(canvas: Canvas, signal: Make) -> None:
    thin = signal(zscore=None, spread=None, hedge_ratio=None, quality="not_enough_data")
    series = by_name(canvas.series([thin], {}))
    for name in ("zscore", "spread", "hedge-ratio"):
        assert series[name]["data"] == [{"time": START_S}]
    assert series["y"]["data"] == [{"time": START_S, "value": 3400.0}]


def test_no_line_is_drawn_across_a_gap(canvas: Canvas, signal: Make) -> None:
    known, unknown = signal(START_S), signal(START_S + 1, zscore=None, spread=None)
    drawn = by_name(canvas.series([known, unknown, signal(START_S + 2)], {}))["zscore"]["data"]
    assert [point.get("color") for point in drawn] == [palette.NOTHING, None, None]
    updates = [update["bar"] for update in canvas.updates([known, unknown]) if "zscore" in update["id"]]
    assert updates == drawn[:2]


@pytest.mark.parametrize(("span", "broken"), [("30m", palette.NOTHING), (spans.A_DAY, None)])
def test_no_line_is_drawn_across_silence(
    pair: WatchedPair, signal: Make, span: str, broken: str | None
) -> None:
    canvas = Canvas(pair, spans.named(span), PANES, 2)
    signals = [signal(START_S), signal(START_S + 2), signal(START_S + 13), signal(START_S + 150)]
    drawn = by_name(canvas.series(signals, {}))["y"]["data"]
    assert [point.get("color") for point in drawn] == [None, broken, palette.NOTHING, None]


def test_a_z_score_beyond_entry_is_marked(canvas: Canvas, signal: Make) -> None:
    signals = [signal(START_S, zscore=1.99), signal(START_S + 1, zscore=-2.0)]
    points = by_name(canvas.series(signals, {}))["zscore"]["data"]
    assert ["color" in point for point in points] == [False, True]


@pytest.mark.parametrize(("panes", "bearer"), [(PANES, "zscore"), (("prices", "spread"), "y")])
def test_a_corrected_second_says_why_on_the_line_that_has_the_marks(
    pair: WatchedPair, signal: Make, panes: tuple[PaneName, ...], bearer: str
) -> None:
    canvas = Canvas(pair, spans.DEFAULT, panes, 2)
    signals = [signal(), signal(START_S + 1, revision=1, late=2)]
    drawn = by_name(canvas.series(signals, {}))
    named = {
        name: [point.get("customValues") for point in one["data"]]
        for name, one in drawn.items()
        if any("customValues" in point for point in one["data"])
    }
    assert named == {bearer: [None, {"text": "Corrected: 2 trades came late"}]}


def test_both_entry_bands_are_in_the_scale_at_every_zoom(canvas: Canvas, signal: Make) -> None:
    series = by_name(canvas.series([signal(START_S + n) for n in range(3)], {}))
    for bar in series["reach"]["data"]:
        assert bar["high"] > canvas.pair.entry_z
        assert bar["low"] < -canvas.pair.entry_z
    assert [line["price"] for line in series["zscore"]["priceLines"]] == [2.0, 0, 0.5, -0.5, -2.0]
    [update] = [update["bar"] for update in canvas.updates([signal()]) if "reach" in update["id"]]
    assert update == series["reach"]["data"][0]


def test_the_band_is_over_what_it_is_of_and_holds_the_markers_too(canvas: Canvas, signal: Make) -> None:
    extras = canvas.extras([{"id": "entry"}], Band(0.04, 0.06, START_S, START_S + 300))
    drawn = by_name(canvas.series([signal()], extras))
    assert drawn["high"]["data"] == [{"time": START_S, "value": 0.06}, {"time": START_S + 300, "value": 0.06}]
    assert drawn["high"]["options"]["baseValue"] == {"type": "price", "price": 0.04}
    assert [point["value"] for point in drawn["low"]["data"]] == [0.04, 0.04]
    assert drawn["zscore"]["markers"] == [{"id": "entry"}]
    assert by_name(canvas.series([signal()], canvas.extras([], None)))["high"]["data"] == []


def test_every_pane_is_shaded_and_the_first_says_why(canvas: Canvas, signal: Make) -> None:
    shade = Shade([{"time": START_S, "value": 1, "customValues": {}}], [{"time": START_S, "value": 1}], [{}])
    drawn = {one["id"]: one for one in canvas.series([signal()], canvas.extras([], None, shade))}
    first, *others = (drawn[f"shade|{pane}|{PAIR}|30m"] for pane in PANES)
    assert (first["pane"], first["data"], first["markers"]) == (0, shade.points, [{}])
    assert [(one["pane"], one["data"]) for one in others] == [(n, shade.silent) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (None, PANES),
        ([], PANES),
        (["x"], PANES),
        (["zscore", "prices"], ("prices", "zscore")),
        ("zscore", PANES),
    ],
)
def test_panes_are_shown_in_their_order(asked: Any, shown: tuple[PaneName, ...]) -> None:
    assert lines.shown(asked) == shown


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 50), max_size=30))
def test_times_always_grow(canvas: Canvas, signal: Make, offsets: list[int]) -> None:
    # The library refuses a chart whose times do not.
    for one in canvas.series([signal(START_S + offset) for offset in offsets], {}):
        assert all(later["time"] > earlier["time"] for earlier, later in pairwise(one["data"]))
