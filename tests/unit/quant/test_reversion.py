"""Mean reversion: its tests against statsmodels, its sizes by simulation."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.adfvalues import mackinnonp
from statsmodels.tsa.stattools import adfuller

from services.common.clock import SECOND
from services.quant.reversion import Reversion, judge
from services.quant.statistical_tests.dickey_fuller import cointegration_p, statistic
from services.quant.statistical_tests.unit_root import engle_granger

WINDOW = 300
MEMORY_US = WINDOW * SECOND


def legs(seed: int, count: int, half_life: float | None, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return y and x in logarithms; without a half-life they are independent walks."""
    draw = np.random.default_rng(seed)
    x = 11 + np.cumsum(draw.normal(0, 5e-5, count))
    if half_life is None:
        return 8 + np.cumsum(draw.normal(0, 5e-5, count)), x
    spread, noise = np.zeros(count), draw.normal(0, 3e-5, count)
    for at in range(1, count):
        spread[at] = 0.5 ** (1 / half_life) * spread[at - 1] + noise[at]
    return 8 + slope * (x - 11) + spread, x


def seconds(count: int, end: int = 0) -> np.ndarray:
    """Return the times of so many seconds, the last of which is `end`."""
    return (np.arange(count) - count + 1 + end) * SECOND


def follow(y: np.ndarray, x: np.ndarray, every: int = 60) -> list[Reversion]:
    """Return what is said every so many samples."""
    said: list[Reversion] = []
    for end in range(WINDOW, len(y) + 1, every):
        window = slice(end - WINDOW, end)
        said.append(judge(said[-1] if said else None, seconds(WINDOW, end), y[window], x[window], MEMORY_US))
    return said


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(40, 300), lags=st.integers(0, 8))
def test_the_statistic_is_that_of_statsmodels(seed: int, count: int, lags: int) -> None:
    series = np.cumsum(np.random.default_rng(seed).normal(size=count))
    theirs = adfuller(series, maxlag=lags, regression="n", autolag=None, result_object=False)[0]
    assert statistic(series, "n", lags)[0] == pytest.approx(theirs, rel=1e-6, abs=1e-9)


@given(st.floats(-30, 5))
def test_the_p_value_is_mackinnons(found: float) -> None:
    assert cointegration_p(found) == pytest.approx(mackinnonp(found, regression="c", N=2), abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), half_life=st.sampled_from([None, 5.0, 30.0]))
def test_the_p_value_is_the_worse_one_of_both_ways_round(seed: int, half_life: float | None) -> None:
    y, x = legs(seed, WINDOW, half_life)
    ways = engle_granger(y, x).p_value, engle_granger(x, y).p_value
    assert judge(None, seconds(len(y)), y, x, MEMORY_US).p_value == pytest.approx(
        max(ways), rel=1e-4, abs=1e-9
    )


def states(half_life: float | None, tapes: int = 40) -> Counter[str]:
    return Counter(one.state for seed in range(tapes) for one in follow(*legs(seed, 1_200, half_life)))


def test_independent_walks_are_seldom_said_to_revert() -> None:
    found = states(None)
    assert found["reverting"] <= 0.05 * found.total()
    assert found["broken"] <= 0.07 * found.total()


def test_a_spread_that_comes_back_is_said_to_and_not_broken() -> None:
    found = states(5.0)
    assert found["reverting"] >= 0.9 * found.total()
    assert found["broken"] <= 0.02 * found.total()


@pytest.mark.parametrize("kind", ["slope", "level", "walks away"])
def test_one_that_leaves_its_line_is_broken_until_the_window_has_forgotten(kind: str) -> None:
    seen = 0
    for seed in range(20):
        y, x = legs(seed, 1_200, 5.0)
        later = np.arange(1_200) >= 600
        steps = np.random.default_rng(seed + 1).normal(0, 1e-4, 1_200)
        away = {"slope": 0.2 * x, "level": np.full(1_200, 0.01), "walks away": np.cumsum(later * steps)}
        y = y + later * away[kind]
        said = [one.state for one in follow(y, x)]
        before, after, last = said[:6], said[6:10], said[-1]
        assert "broken" not in before
        seen += "broken" in after
        if kind != "walks away":
            assert last == "reverting"
    assert seen >= (15 if kind == "walks away" else 19)


def test_one_wick_breaks_nothing() -> None:
    y, x = legs(1, 1_200, 5.0)
    y[899] += 0.05
    assert "broken" not in {one.state for one in follow(y, x)}


@pytest.mark.parametrize(
    ("y", "x"),
    [
        (np.ones(300), np.arange(300.0)),
        (np.arange(300.0), np.ones(300)),
        (2 * np.arange(300.0) + 7, np.arange(300.0)),
        (np.arange(29.0) ** 2, np.arange(29.0)),
    ],
    ids=["constant y", "constant x", "a multiple", "too short"],
)
def test_what_cannot_be_tested_is_unproven_without_a_number(y: np.ndarray, x: np.ndarray) -> None:
    assert judge(None, seconds(len(y)), y, x, MEMORY_US) == Reversion("unproven")


def without(seconds_missing: str, count: int) -> np.ndarray:
    """Return which of `count` seconds are there."""
    at = np.arange(count)
    kinds = {
        "a gap": (at < 500) | (at >= 700),
        "runs": at % 35 < 20,
        "halves": at % 8 < 4,
        "every other": at % 2 == 0,
    }
    return np.flatnonzero(kinds[seconds_missing])


@pytest.mark.parametrize("missing", ["a gap", "runs", "halves", "every other"])
def test_a_half_life_is_of_seconds_also_where_seconds_are_missing(missing: str) -> None:
    kept = without(missing, 900)[-WINDOW:]
    found = []
    for seed in range(60):
        y, x = legs(seed, 900, 5.0)
        found.append(judge(None, kept * SECOND, y[kept], x[kept], MEMORY_US))
    assert np.median([one.half_life or np.inf for one in found]) == pytest.approx(5.0, rel=0.15)
    held = [(one.low or 0.0) <= 5.0 <= (np.inf if one.high is None else one.high) for one in found]
    assert sum(held) >= 53


def test_steps_that_are_all_of_another_length_have_no_half_life_and_no_number() -> None:
    at = np.cumsum(np.arange(1, 61))
    y, x = legs(1, int(at[-1]) + 1, 5.0)
    assert judge(None, at * SECOND, y[at], x[at], MEMORY_US) == Reversion("unproven")


def test_a_window_with_gaps_remembers_its_line_as_long_as_it_has_samples_of_it() -> None:
    y, x = legs(2, 1_200, 5.0)
    kept = without("every other", 1_200)
    y = y + (np.arange(1_200) >= 800) * 0.01
    said: list[Reversion] = []
    for end in range(WINDOW, len(kept) + 1, 30):
        at = kept[end - WINDOW : end]
        said.append(judge(said[-1] if said else None, at * SECOND, y[at], x[at], MEMORY_US))
    states = [one.state for one in said]
    # Of 600 s that the window lasts nine more minutes are left.
    assert states[states.index("broken") :] == ["broken"] * len(states[states.index("broken") :])
    assert states.count("broken") >= 6


def test_a_long_window_is_looked_at_in_steps() -> None:
    y, x = legs(3, 6_000, 60.0)
    found = judge(None, seconds(len(y)), y, x, MEMORY_US)
    assert found.state == "reverting"
    assert found.half_life is not None
    assert 20 < found.half_life < 180
