import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.http import retry_after

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


@given(st.integers(-100_000, 100_000))
def test_a_date_is_reckoned_from_now_and_never_before_it(seconds: int) -> None:
    header = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after.seconds(header, NOW) == max(0.0, seconds)
    assert retry_after.seconds(header, None) is None


@given(st.integers(0, 10**11 - 1))
def test_a_number_is_seconds_whatever_the_time_is(seconds: int) -> None:
    assert retry_after.seconds(f" {seconds} ", None) == seconds


@pytest.mark.parametrize("header", ["", "soon", "-3", "1.5", "１２", "Thu, 99 Jan"])
def test_what_says_no_time_is_none(header: str) -> None:
    assert retry_after.seconds(header, NOW) is None


def test_an_endless_number_is_a_long_time() -> None:
    assert retry_after.seconds("9" * 400, None) == math.inf


def test_a_date_without_a_zone_is_in_utc() -> None:
    assert retry_after.date("Sat, 31 Jan 2026 12:00:00 -0000") == NOW
