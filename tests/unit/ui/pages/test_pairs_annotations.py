"""Annotations of signals on the cards."""

from typing import Any

import pytest

from services.ui.api.types import WatchedPair
from services.ui.pages.pairs.annotations import OUTLIERS, Annotation
from services.ui.pages.pairs.marks import REMEDY
from services.ui.pages.pairs.metrics import METRICS
from services.ui.state.live_state import LiveState
from tests.unit.ui.conftest import Make

BY_NAME = {metric.name: metric for metric in METRICS}
TESTED = {
    "reversion": "unproven",
    "cointegration_p": 0.18,
    "half_life_s": 42.0,
    "half_life_low_s": 19.0,
    "half_life_high_s": 130.0,
}


@pytest.fixture
def say(pair: WatchedPair, signal: Make) -> Make:
    def make(name: str, **fields: Any) -> Annotation:
        return BY_NAME[name].said(LiveState(), pair, signal(**fields))

    return make


@pytest.mark.parametrize(
    ("fields", "note", "tone"),
    [
        ({"zscore": 2.4, "zscore_rank": 0.978}, "beyond entry ±2\nbeyond 97 % of the last hour", "hot"),
        ({"zscore": -0.2, "zscore_rank": 0.0}, "within exit ±0.5\nbeyond 0 % of the last hour", "calm"),
        ({"zscore": 1.0, "zscore_rank": 1.0}, "entry ±2, exit ±0.5\nbeyond all of the last hour", ""),
        ({"zscore": 1.0}, "entry ±2, exit ±0.5", ""),
    ],
)
def test_a_z_score_has_its_rank_beside_it(say: Make, fields: dict[str, Any], note: str, tone: str) -> None:
    found = say("zscore", **fields)
    assert (found.note, found.tone) == (note, tone)


def test_an_outlier_is_said_and_what_to_do_about_it(say: Make) -> None:
    found = say("zscore", zscore=9.0, zscore_rank=1.0, outlier=True)
    assert (found.note, found.tone) == ("an outlier of its window\nbeyond all of the last hour", "hot")
    assert found.explained == f"{BY_NAME['zscore'].explained} {OUTLIERS}"
    after = say("hedge-ratio", outliers=2, hedge_ratio_se=0.0004, r_squared=0.9712)
    assert (after.note, after.tone) == ("2 outliers in the window\n± 0.00040, R² 0.971", "delayed")
    assert after.explained.endswith(f"{REMEDY}.")
    assert say("hedge-ratio", outliers=1).note == "1 outlier in the window"


def test_a_hedge_ratio_has_its_error_and_what_it_explains(say: Make) -> None:
    assert say("hedge-ratio", hedge_ratio_se=0.00041, r_squared=0.5).note == (
        "OLS, window 300\n± 0.00041, R² 0.500"
    )
    assert say("hedge-ratio", method="tls", r_squared=0.5).note == "TLS, window 300\nR² 0.500"
    assert say("hedge-ratio").note == "OLS, window 300"


@pytest.mark.parametrize(
    ("lead", "words"),
    [
        (2.0, "ETHUSDT leads by 2 s"),
        (-3.0, "BTCUSDT leads by 3 s"),
        (0.0, "both at once"),
        (None, "no leg leads"),
    ],
)
def test_the_correlation_of_returns_is_beside_that_of_prices(
    say: Make, lead: float | None, words: str
) -> None:
    found = say("correlation", return_correlation=0.41, lead_lag_s=lead)
    assert (found.value, found.note) == ("+0.870", f"of returns +0.41\n{words}")
    clipped = say("correlation", return_correlation=-1.0, return_correlation_clipped=True, lead_lag_s=lead)
    assert clipped.note == f"of returns −1.00, clipped\n{words}"
    assert say("correlation").note == "window 300"


@pytest.mark.parametrize(("state", "tone"), [("reverting", "calm"), ("unproven", ""), ("broken", "hot")])
def test_a_reversion_is_a_state_with_its_half_life(say: Make, state: str, tone: str) -> None:
    found = say("reversion", **{**TESTED, "reversion": state})
    assert (found.value, found.tone) == (state, tone)
    assert found.note == "half-life 42 s\n19 to 130 s, p 0.18"
    assert found.explained.startswith("The spread ")


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ({"half_life_high_s": None}, "half-life 42 s\n19 to no end, p 0.18"),
        ({"half_life_s": None, "half_life_high_s": None}, "no half-life\n19 to no end, p 0.18"),
        ({"half_life_s": None, "half_life_low_s": None, "half_life_high_s": None}, "no half-life\np 0.18"),
        ({"cointegration_p": 0.0}, "half-life 42 s\n19 to 130 s, p < 0.001"),
        ({"cointegration_p": None}, "updated once a minute"),
    ],
)
def test_what_has_no_end_is_no_number(say: Make, changed: dict[str, Any], note: str) -> None:
    assert say("reversion", **{**TESTED, **changed}).note == note


def test_what_is_not_known_is_no_value(say: Make) -> None:
    nothing = dict.fromkeys(("spread", "zscore", "hedge_ratio", "price_correlation", "reversion"))
    for name in BY_NAME:
        assert say(name, **nothing).value is None
