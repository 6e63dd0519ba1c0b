from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common import clock


@given(st.integers(0, 2**55))
def test_microseconds_survive_a_datetime(us: int) -> None:
    assert clock.from_datetime(clock.to_datetime(us)) == us


def test_a_zone_is_converted_and_a_missing_one_refused() -> None:
    there = datetime(2026, 1, 31, 14, 0, 0, 1, timezone(timedelta(hours=2)))
    assert clock.to_datetime(clock.from_datetime(there)) == datetime(2026, 1, 31, 12, 0, 0, 1, UTC)
    with pytest.raises(ValueError, match="a time with a zone"):
        clock.from_datetime(datetime(2026, 1, 31))  # noqa: DTZ001


@given(st.integers(-(10**16), 253_402_300_799_999_999))
def test_iso_is_that_of_a_datetime(us: int) -> None:
    moment = clock.to_datetime(us).replace(tzinfo=None)
    assert clock.to_iso(us) == f"{moment.isoformat(timespec='microseconds')}Z"


def test_iso_is_utc_with_microseconds() -> None:
    assert clock.to_iso(1_769_860_800_000_001) == "2026-01-31T12:00:00.000001Z"
