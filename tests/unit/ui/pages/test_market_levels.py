"""Levels that a page says."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ui.pages.market import levels
from services.ui.state.page_context import Selection

SAID = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.just("BTCUSDT"), inner),
)


def asking(said: Any) -> Selection:
    return Selection("one", "market", asks={"levels": said})


@given(SAID)
def test_only_prices_are_drawn_whatever_a_page_says(said: Any) -> None:
    found = levels.of(asking(said), "BTCUSDT")
    assert all(0 < price < float("inf") for price in found)
    assert len(levels.lines(found)) <= levels.MOST


def test_levels_are_of_one_symbol_in_the_order_said() -> None:
    said = {"BTCUSDT": [64_000, 63_500.5], "ETHUSDT": [3_400]}
    assert levels.of(asking(said), "BTCUSDT") == (64_000.0, 63_500.5)
    assert levels.of(asking(said), "SOLUSDT") == ()
