"""Split lines: both sides of a date have the line that least squares finds for each alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quant.fit import NotEnoughDataError
from services.quant.statistical_tests.split_lines import both_sides
from tests.unit.quant.series import seeds, walk


@settings(max_examples=30, deadline=None)
@given(seed=seeds, n=st.integers(60, 150), unit=st.sampled_from([1e-9, 1.0, 1e9]))
def test_every_date_has_the_lines_of_its_sides(seed: int, n: int, unit: float) -> None:
    y, x = walk(np.random.default_rng(seed), n)
    y = y * unit
    lines = both_sides(y, x)
    assert (lines.at[0], lines.at[-1]) == (int(0.15 * n), n - int(0.15 * n))
    for place in {0, lines.best, len(lines.at) - 1}:
        at, squares = lines.at[place], 0.0
        for side, line in ((slice(None, at), lines.before), (slice(at, None), lines.after)):
            slope, intercept = np.polyfit(x[side] - x[side].mean(), y[side], 1)
            assert line[place][1] == pytest.approx(slope, rel=1e-6, abs=1e-9 * unit)
            assert line[place][0] == pytest.approx(
                intercept - slope * x[side].mean(), rel=1e-5, abs=1e-5 * unit
            )
            squares += float(((y[side] - intercept - slope * (x[side] - x[side].mean())) ** 2).sum())
        assert lines.squares[place] == pytest.approx(squares, rel=1e-6)
        assert (lines.residuals(np.array([place]), y, x)[0] ** 2).sum() == pytest.approx(squares, rel=1e-5)


def test_what_holds_no_line_is_said() -> None:
    random = np.random.default_rng(1)
    y, x = walk(random, 59)
    with pytest.raises(NotEnoughDataError, match="at least 60 observations, there are 59"):
        both_sides(y, x)
    y, x = walk(random, 200)
    with pytest.raises(NotEnoughDataError, match="x does not move on both sides"):
        both_sides(y, np.where(np.arange(200) < 180, 5.0, x))
    with pytest.raises(NotEnoughDataError, match="nothing but rounding"):
        both_sides(np.where(np.arange(200) < 100, 2 * x, 3 * x), x)


def test_a_date_whose_one_side_stands_still_is_passed_over() -> None:
    y, x = walk(np.random.default_rng(2), 200)
    x[:80] = x[80]
    lines = both_sides(y, x)
    assert np.isinf(lines.squares[lines.at <= 80]).all()
    assert np.isfinite(lines.squares[lines.at > 82]).all()
