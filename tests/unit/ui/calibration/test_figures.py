"""Figures of a calibration hold the numbers of the API."""

import math

import pytest

from services.ui.api.types import Bin, Calibration, Level
from services.ui.calibration.figures import OUTCOMES, figures
from tests.unit.ui.conftest import Make


def test_every_point_is_a_number_of_the_api(found: Make) -> None:
    answer: Calibration = found()
    drawn = {name: figure["data"] for name, figure in figures(answer).items()}
    bars, line = drawn["histogram"]
    inner = [one for one in answer.histogram if one.density is not None]
    assert bars["y"] == [one.density for one in inner]
    assert line["y"] == [one.normal for one in inner]
    assert drawn["qq"][1]["x"] == [one.normal for one in answer.qq]
    assert drawn["qq"][1]["y"] == [one.zscore for one in answer.qq]
    assert drawn["acf"][0]["y"] == [one.acf for one in answer.acf[1:]]
    assert {tuple(trace["y"]) for trace in drawn["acf"][1:]} == {
        (end, end) for end in (answer.acf[1].bound, -answer.acf[1].bound)
    }
    assert drawn["beyond"][0]["y"] == [100 * one.share or None for one in answer.beyond]
    assert drawn["beyond"][1]["y"] == [100 * one.normal for one in answer.beyond]
    assert drawn["waits"][0]["y"] == [0, *(100 * one.share for one in answer.waits)]
    rate = answer.hit_rate
    assert drawn["entries"][0]["x"] == [getattr(rate, name) for name in OUTCOMES]


def test_a_histogram_shows_all_that_has_a_place(found: Make) -> None:
    bins = [
        Bin(high=-6.0, count=3, share=0.3),
        *(
            Bin(low=n / 4, high=(n + 1) / 4, count=n == -22, share=0.1, density=0.1, normal=0.1)
            for n in range(-24, 24)
        ),
        Bin(low=6.0, count=0, share=0.0),
    ]
    low, high = figures(found(histogram=tuple(bins)))["histogram"]["layout"]["xaxis"]["range"]
    assert low <= -5.5
    assert high == -low


@pytest.mark.parametrize("share", [0.0, 1e-5, 1.0])
def test_a_share_of_none_has_no_place_on_a_logarithmic_axis(found: Make, share: float) -> None:
    levels = (Level(level=2.0, seconds=0, share=share, normal=0.0455),)
    own, _, entry = figures(found(beyond=levels))["beyond"]["data"]
    assert own["y"] == [100 * share or None]
    assert all(y > 0 and math.isfinite(y) for y in entry["y"])


def test_what_is_not_known_is_no_figure(found: Make) -> None:
    assert figures(found(20)) == {}
