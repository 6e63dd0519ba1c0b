"""Histories without an answer: a reason for each part, and never a number that looks like one."""

import math
import re
from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, to_builtins

from services.quant.analysis.pair_analysis import Analysis, analyse
from services.quant.options import AnalysisOptions, Part
from tests.unit.quant.series import Legs, seeds
from tests.unit.quant.tapes import LEVEL, stable

BREAKS: tuple[Part, ...] = (
    "gregory_hansen_y_on_x", "gregory_hansen_x_on_y", "structural_break", "edge", "thirds", "cusum",
)  # fmt: skip
COINTEGRATION: tuple[Part, ...] = ("engle_granger_y_on_x", "engle_granger_x_on_y")


def legs(n: int = 300, seed: int = 1) -> Legs:
    return stable(0.5)(np.random.default_rng(seed), n)


def empty() -> Legs:
    return np.zeros(0), np.zeros(0)


def constant_y() -> Legs:
    return np.full(300, 7.0), legs()[1]


def constant_x() -> Legs:
    return legs()[0], np.full(300, 7.0)


def constant_both() -> Legs:
    return np.full(300, 7.0), np.full(300, 9.0)


def multiple() -> Legs:
    return 2 * legs()[1], legs()[1]


def multiple_and_more() -> Legs:
    return 5 - 0.25 * legs()[1] + 1_000, legs()[1]


def multiple_that_changes() -> Legs:
    x = legs()[1]
    return np.where(np.arange(300) < 150, 2 * x, 3 * x), x


def still_at_the_end() -> Legs:
    y, x = legs()
    x[40:] = x[40]
    return y, x


def weekends() -> Legs:
    """Return five days of an hour's bars and two of carried prices, again and again."""
    y, x = legs()
    is_weekend = np.arange(300) % 168 >= 120
    for leg in (y, x):
        last = np.maximum.accumulate(np.where(is_weekend, 0, np.arange(300)))
        leg[:] = leg[last]
    return y, x


@pytest.mark.parametrize(
    ("make", "reason", "parts"),
    [
        (constant_y, "does not move|did not", (*COINTEGRATION, *BREAKS, "adf_y", "regression", "half_life")),
        (constant_x, "does not move|did not move", (*COINTEGRATION, *BREAKS, "adf_x", "regression", "half_life")),
        (constant_both, "does not move|did not", (*COINTEGRATION, *BREAKS, "regression", "price_correlation")),
        (multiple, "the same but for a constant and a factor|rounding", (*COINTEGRATION, *BREAKS, "half_life")),
        (multiple_and_more, "the same but for a constant|rounding", (*COINTEGRATION, *BREAKS, "half_life")),
        (multiple_that_changes, "nothing but rounding", ("gregory_hansen_y_on_x", "structural_break")),
        (still_at_the_end, "x does not move", ("gregory_hansen_y_on_x", "structural_break", "thirds")),
        (lambda: legs(29), "at least 30 observations|needs at least 100", (*COINTEGRATION, *BREAKS, "adf_y")),
        (lambda: legs(30), "at least 60", (*BREAKS, "innovations")),
        (empty, "at least|needed", (*COINTEGRATION, *BREAKS, "regression", "returns_correlation")),
    ],
)  # fmt: skip
def test_what_cannot_be_known_has_its_reason(
    make: Callable[[], Legs], reason: str, parts: tuple[Part, ...]
) -> None:
    found = analyse(*make(), AnalysisOptions())
    for part in parts:
        assert getattr(found, part) is None
        assert re.search(reason, found.not_enough_data[part]), found.not_enough_data[part]
    if set(COINTEGRATION) <= set(parts):
        assert found.verdict.conclusion == "not_enough_data"
        assert not found.verdict.notes


def numbers(value: object) -> list[float]:
    value = to_builtins(value) if isinstance(value, Struct) else value
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [number for one in value for number in numbers(one)]
    return [value] if isinstance(value, float) else []


def is_whole(found: Analysis) -> bool:
    parts = [
        getattr(found, part) for part in get_args(Part) if part not in ("sample_spread", "sample_zscore")
    ]
    return all(
        math.isfinite(number) for part in parts if part is not found.rolling for number in numbers(part)
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=seeds,
    n=st.integers(28, 200),
    unit=st.sampled_from([1e-8, 1.0, 1e8]),
    still=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    jump=st.sampled_from([0.0, 0.2, 1e6]),
    places=st.integers(0, 6),
)
def test_whatever_stands_still_jumps_or_is_rounded_has_numbers_or_reasons(
    seed: int, n: int, unit: float, still: tuple[float, float], jump: float, places: int
) -> None:
    y, x = legs(n, seed)
    first, end = (int(share * n) for share in sorted(still))
    x[first:end] = x[min(first, n - 1)]
    y = (y + np.where(np.arange(n) > 0.96 * n, jump * LEVEL, 0)).round(places) * unit
    found = analyse(y, x, AnalysisOptions())
    assert {part for part in get_args(Part) if getattr(found, part) is None} == found.not_enough_data.keys()
    assert all(found.not_enough_data.values())
    assert is_whole(found)


def test_thirty_bars_are_told_of_with_what_they_cannot_show() -> None:
    found = analyse(*legs(30), AnalysisOptions())
    assert any("Tests for a break need 60 bars, received 30" in note for note in found.verdict.notes)
    assert found.half_life_interval is not None


def test_carried_weekends_and_gaps_are_said() -> None:
    found = analyse(*weekends(), AnalysisOptions())
    assert is_whole(found)
    y, x = legs()
    bars = [bar for bar in range(1_000) if bar % 168 < 120][:300]
    gaps = analyse(y, x, AnalysisOptions(), bars)
    assert any(
        "2 of 300 bars are followed by a gap, the longest of 48 bars" in note for note in gaps.verdict.notes
    )
    assert not any("gap" in note for note in analyse(y, x, AnalysisOptions()).verdict.notes)


@pytest.mark.parametrize("method", ["ols_origin"])
def test_logarithms_have_no_line_through_the_origin(method: str) -> None:
    with pytest.raises(ValueError, match="expected an intercept with log, received the method ols_origin"):
        AnalysisOptions(method=method, transform="log")  # type: ignore[arg-type]
