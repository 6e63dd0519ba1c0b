import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fix_examples import divide


@pytest.mark.parametrize(("asked", "tried"), [(400, 100), (100, 25), (20, 10), (5, 5)])
def test_a_test_tries_a_share_of_the_examples_it_asks_for_and_keeps_its_other_settings(
    asked: int, tried: int
) -> None:
    seen = []

    @settings(max_examples=asked, database=None, derandomize=True)
    @given(st.integers())
    def test(number: int) -> None:
        seen.append(number)

    divide(test)
    test()
    assert len(seen) == tried
