"""Rank among recent values, against counting them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.quant.rank import RollingRank

values = st.lists(st.floats(0, 100, width=32), max_size=200)


@given(values, st.integers(1, 90), st.floats(0, 100, width=32))
def test_it_is_the_share_of_the_last_values_that_were_smaller(
    seen: list[float], window: int, asked: float
) -> None:
    rank = RollingRank(window)
    rank.extend(seen)
    kept = np.array(seen[-window:])
    assert rank.get(asked) == (None if len(kept) < 60 else np.mean(kept < asked))


@given(st.floats(1e-3, 1e3))
def test_equal_values_are_not_smaller_however_many_bits_they_have(value: float) -> None:
    rank = RollingRank(90)
    rank.extend([0.0] * 30 + [value] * 60)
    assert rank.get(value) == 1 / 3


@given(values, values)
def test_a_copy_goes_its_own_way(first: list[float], more: list[float]) -> None:
    rank, alone = RollingRank(70), RollingRank(70)
    rank.extend(first)
    alone.extend(first)
    other = rank.copy()
    other.extend(more)
    assert rank.get(50.0) == alone.get(50.0)
    alone.extend(more)
    assert other.get(50.0) == alone.get(50.0)
