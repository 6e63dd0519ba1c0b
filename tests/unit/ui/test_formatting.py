"""Numbers and times as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ui import formatting


@given(st.floats(-1e9, 1e9), st.integers(0, 8))
def test_a_number_reads_back_to_its_own_precision(value: float, decimals: int) -> None:
    text = formatting.number(value, decimals)
    back = float(text.replace(formatting.MINUS, "-").replace("\N{NARROW NO-BREAK SPACE}", ""))
    assert abs(back - value) <= 0.5 * 10**-decimals * (1 + 1e-6) + 1e-6 * abs(value) * 1e-9


@given(st.integers(1, 10**12), st.integers(0, 8))
def test_every_decimal_of_a_price_is_found(units: int, decimals: int) -> None:
    price = units / 10**decimals
    if len(str(units)) <= 15:
        assert float(f"{price:.{formatting.decimals_of(price)}f}") == price


def test_no_negative_zero_is_shown() -> None:
    assert formatting.number(-0.0004, 3) == "0.000"
    assert formatting.number(0.0, 2, sign=True) == "0.00"


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "2021-07-22 00:00:00 UTC"),
        ("Europe/Zurich", "2021-07-22 02:00:00 CEST"),
        ("nowhere", "2021-07-22 00:00:00 UTC"),
        ("../etc", "2021-07-22 00:00:00 UTC"),
    ],
)
def test_a_moment_names_its_zone(zone: str, text: str) -> None:
    assert formatting.moment(1_626_912_000_123_456, zone) == text
