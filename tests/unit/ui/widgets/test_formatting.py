"""Numbers and times as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ui.widgets import formatting


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


def test_a_quantity_has_the_unit_of_what_it_is_rounded_to() -> None:
    values = (0.1234, 999.6, 999_999, 123_456_789, 1e9, 12_345_678_901, 3e12, -1_234_567.0)
    shown = ["0.123", "1.00 k", "1.00 M", "123 M", "1.00 B", "12.35 B", "3.00 T", "−1.23 M"]
    assert [formatting.quantity(value) for value in values] == shown


def test_what_is_tiny_keeps_its_digits() -> None:
    ratio = 1.5385e-10
    assert formatting.number(ratio, formatting.significant_decimals(ratio, 5)) == "1.5385e−10"
    assert formatting.number(-ratio, 14, sign=True) == "−1.5385e−10"
    assert formatting.number(1e-20, formatting.significant_decimals(1e-20, 5)) == "1e−20"


def test_a_period_over_the_end_of_summer_time_names_both_offsets() -> None:
    start_us = 1_792_889_940_000_000  # 2026-10-25 00:59 UTC
    assert (
        formatting.period(start_us, start_us + 300_000_000, "Europe/Berlin")
        == "02:59:00 CEST to 02:04:00 CET"
    )


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
