"""Sizes of a hedged position."""

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ui.pages.pairs.hedge_sizes import LegName, LegSize, Transform, hedge_sizes

MONEY = st.floats(1e-2, 1e9)
PRICES = st.tuples(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
RATIOS = st.floats(1e-6, 1e6).flatmap(lambda ratio: st.sampled_from([ratio, -ratio]))
STEPS = st.sampled_from([None, 1e-8, 1e-5, 0.001, 0.1, 1.0, 10.0])
LEGS, TRANSFORMS = st.sampled_from(get_args(LegName)), st.sampled_from(get_args(Transform))


@given(MONEY, LEGS, PRICES, RATIOS, TRANSFORMS)
def test_the_leg_that_is_named_has_its_notional_and_the_other_is_its_hedge(
    notional: float, of: LegName, prices: tuple[float, float], ratio: float, transform: Transform
) -> None:
    found = hedge_sizes(notional, of, prices, ratio, transform)
    assert math.isclose(abs((found.y if of == "y" else found.x).notional), notional, rel_tol=1e-9)
    assert found.ratio is not None
    assert math.isclose(found.ratio, ratio, rel_tol=1e-9)
    assert found.y.units > 0
    assert (found.x.units < 0) == (ratio > 0)
    # What the spread does not see the position does not earn: a move of X, and of Y by the ratio times as much.
    move = 1e-6
    scale = (1.0, 1.0) if transform == "price" else prices
    moved = (scale[0] * move * ratio, scale[1] * move)
    earned = found.y.units * moved[0] + found.x.units * moved[1]
    assert abs(earned) <= 1e-9 * (abs(found.y.units * moved[0]) + abs(found.x.units * moved[1]))


@given(MONEY, LEGS, PRICES, RATIOS, TRANSFORMS, st.tuples(STEPS, STEPS))
def test_rounded_units_are_whole_steps_below_the_exact_ones(
    notional: float,
    of: LegName,
    prices: tuple[float, float],
    ratio: float,
    transform: Transform,
    steps: tuple[float | None, float | None],
) -> None:
    found = hedge_sizes(notional, of, prices, ratio, transform, steps)
    for leg, step, price in zip((found.y, found.x), steps, prices, strict=True):
        assert leg.is_rounded == (step is not None)
        assert leg.notional == leg.units * price
        if step is None:
            assert leg.units == leg.exact
            continue
        tolerance = 1e-9 * max(step, abs(leg.exact))
        assert abs(leg.units) <= abs(leg.exact) + tolerance
        assert abs(leg.exact) - abs(leg.units) < step + tolerance
        count = leg.units / step
        assert math.isclose(count, round(count), rel_tol=1e-9, abs_tol=1e-9)
    assert (found.ratio is None) == (found.y.units == 0)


def test_an_example_by_hand() -> None:
    found = hedge_sizes(10_000, "y", (2_500.0, 50_000.0), 0.04, "price", (0.001, 0.01))
    assert found.y == LegSize(4.0, 4.0, 10_000.0, True)
    assert (found.x.units, found.x.notional) == (-0.16, -8_000.0)
    log = hedge_sizes(10_000, "x", (2_500.0, 50_000.0), 0.8, "log")
    assert [log.y.notional, log.x.notional] == pytest.approx([12_500, -10_000])


@pytest.mark.parametrize(
    ("notional", "prices", "ratio"),
    [
        (0.0, (1.0, 1.0), 1.0),
        (math.nan, (1.0, 1.0), 1.0),
        (1.0, (0.0, 1.0), 1.0),
        (1.0, (1.0, math.inf), 1.0),
        (1.0, (1.0, 1.0), 0.0),
        (1.0, (1.0, 1.0), math.nan),
    ],
)
def test_what_has_no_size_is_refused(notional: float, prices: tuple[float, float], ratio: float) -> None:
    with pytest.raises(ValueError, match="expected a "):
        hedge_sizes(notional, "y", prices, ratio, "price")
