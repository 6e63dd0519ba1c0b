from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.conditions import Condition
from services.rules.levels import Levels
from tests.unit.rules.strategies import conditions

_values = st.one_of(st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0, 2.5]), st.floats(-4, 4))


@settings(max_examples=1_000)
@given(conditions(), _values, _values, st.booleans())
def test_nothing_changes_inside_a_span(
    condition: Condition, value: float, other: float, is_open: bool
) -> None:
    levels = Levels.of(condition)
    low, high = levels.span(value, is_open)
    assert low < value < high
    if low < other < high:
        assert levels.holds(other, is_open) == levels.holds(value, is_open)


@given(conditions(), _values)
def test_what_fires_is_not_clear(condition: Condition, value: float) -> None:
    levels = Levels.of(condition)
    assert levels.holds(value, is_open=True) or not levels.holds(value, is_open=False)
