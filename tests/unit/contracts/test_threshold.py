import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.threshold import Threshold


@given(st.lists(st.floats(-5, 5), max_size=100), st.booleans())
def test_it_fires_beyond_the_entry_and_resolves_within_the_exit(zscores: list[float], firing: bool) -> None:
    rule, expected = Threshold(2.0, 0.5, firing), firing
    for z in zscores:
        expected = abs(z) >= 2.0 if not expected else abs(z) > 0.5
        before = rule.firing
        assert rule.update(z) == (before != expected)
        assert rule.firing == expected


def test_an_unknown_zscore_changes_nothing() -> None:
    rule = Threshold(2.0, 0.5, firing=True)
    assert not rule.update(None)
    assert rule.firing


def test_what_may_not_fire_can_resolve() -> None:
    rule = Threshold(2.0, 0.5)
    assert not rule.update(3.0, may_fire=False)
    assert rule.update(3.0)
    assert not rule.update(3.0, may_fire=False)
    assert rule.update(0.0, may_fire=False)


@pytest.mark.parametrize(("entry", "exit_"), [(2.0, 2.0), (1.0, 2.0), (2.0, -1.0)])
def test_levels_that_would_chatter_are_refused(entry: float, exit_: float) -> None:
    with pytest.raises(ValueError, match="expected 0 <= exit < entry"):
        Threshold(entry, exit_)
