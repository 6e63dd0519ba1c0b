"""Preview of a rule: what is on its chart, and how far its sliders go."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.ui.api.types import PairTrial, RuleTrial, TriedIncident, TriedSeries
from services.ui.pages.rules import preview, sliders
from tests.unit.ui.answers import answer
from tests.unit.ui.conftest import START_S

SPAN = (START_S * SECOND, (START_S + 9) * SECOND)


def shown(operator: str, values: list[float | None], drawn: str = "", **levels: Any) -> dict[str, Any]:
    """Return what is shown of a rule over a value a second, which fired from the third second to the fifth."""
    fired = TriedIncident(
        state="firing", start_us=(START_S + 2) * SECOND, end_us=(START_S + 4) * SECOND, value=3.5
    )
    still = TriedIncident(state="firing", start_us=(START_S + 5) * SECOND)
    seconds = tuple((START_S + n) * SECOND for n in range(len(values)))
    series = TriedSeries(event_us=seconds, value=tuple(values))
    pair = answer(PairTrial, pair="A-B", signals=9, fired=2, incidents=(still, fired), series=series)
    silent = answer(PairTrial, pair="C-D", incidents=())
    over = {"over_s": 60.0} if operator == "changes_by" else {}
    rule = {"conditions": [{"metric": "zscore", "operator": operator, **over, **levels}]}
    found = answer(RuleTrial, fired=2, pairs=(silent, pair))
    return preview.shown(rule, found, SPAN, "UTC", drawn)


def test_the_line_the_levels_and_every_firing_are_on_the_chart() -> None:
    made = shown("outside", [0.0, 1.0, 3.5, None, 2.0, 3.0, 3.0], fire=3.0, clear=1.0)
    line, *levels, firing = made[preview.CHART]["series"]
    assert [point.get("value") for point in line["data"]] == [0.0, 1.0, 3.5, None, 2.0, 3.0, 3.0]
    assert "color" in line["data"][2]  # nothing is drawn across what is not known
    assert [one["data"][0]["value"] for one in levels] == [3.0, 1.0, -3.0, -1.0]
    assert [point["time"] - START_S for point in firing["data"]] == [2, 3, 5, 6]
    assert [mark["time"] - START_S for mark in line["markers"]] == [2, 4, 5]
    assert made["rule-caption"]["children"].startswith("zscore of A-B, 22:13:20 to 22:13:29 UTC")


@pytest.mark.parametrize(
    ("operator", "levels", "drawn"),
    [
        ("above", {"fire": 3.0}, [3.0]),
        ("above", {"fire": 3.0, "clear": 1.0}, [3.0, 1.0]),
        ("changes_by", {"fire": 3.0, "clear": 1.0}, [3.0, 1.0, -3.0, -1.0]),
        ("inside", {"fire": 1.0, "fire_low": -2.0}, [1.0, -2.0]),
    ],
)
def test_each_level_is_a_line_once(operator: str, levels: dict[str, Any], drawn: list[float]) -> None:
    _, *lines, _ = shown(operator, [0.0, 1.0], **levels)[preview.CHART]["series"]
    assert [one["data"][0]["value"] for one in lines] == drawn


def test_a_reader_who_has_zoomed_in_sees_the_same_while_levels_move() -> None:
    first = shown("outside", [0.0, 1.0], fire=3.0)[preview.CHART]
    again = shown("outside", [0.0, 1.0], drawn=first["series"][0]["id"], fire=4.0)[preview.CHART]
    assert ("visibleLogicalRange" in first, "visibleLogicalRange" in again) == (True, False)


@given(
    st.sampled_from(["outside", "above", "below", "crosses", "changes_by"]),
    st.lists(st.floats(-1e9, 1e9), min_size=1),
    st.floats(-1e9, 1e9),
)
def test_sliders_reach_every_level_and_value(operator: str, values: list[float], level: float) -> None:
    found = sliders.bounds(operator, [*values, None], [level])
    assert found is not None
    assert found["min"] < found["max"]
    assert found["step"] > 0
    low, high = found["min"], found["max"]
    of_size = operator in ("outside", "changes_by")
    for one in (*values, level):
        assert low <= (abs(one) if of_size else one) <= high


def test_without_a_value_there_is_no_slider() -> None:
    assert sliders.bounds("above", [None, float("nan")], [1.0]) is None
