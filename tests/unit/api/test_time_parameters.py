"""Time parameters as users write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.time_parameters import LATEST_US, parse_moment
from services.common import clock

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=ZONES))  # noqa: DTZ001
def test_every_zone_is_read_exactly(moment: datetime) -> None:
    assert parse_moment(moment.isoformat()) == clock.from_datetime(moment)
    assert parse_moment(moment.isoformat().replace("+", " ")) == clock.from_datetime(moment)


@given(st.one_of(st.integers(0, 10**9 - 1), st.integers(10**14, LATEST_US)))
def test_what_is_written_is_read_again(us: int) -> None:
    assert parse_moment(us) == parse_moment(f" {us} ") == parse_moment(clock.to_iso(us)) == us


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T12:00:00", "its zone, as in 2026-01-31T12:00:00Z"),
        ("2026-01-31", "its zone"),
        ("2026-01-31 12:00", "its zone"),
        ("1767225600", "16 digits"),
        ("1767225600000", "16 digits"),
        ("-1", "ISO 8601"),
        ("1e15", "ISO 8601"),
        ("nan", "ISO 8601"),
        ("", "ISO 8601"),
        ("١٢٣", "ISO 8601"),
        ("1969-12-31T23:59:59Z", "from 1970"),
        ("0001-01-01T00:00:00+14:00", "from 1970"),
        ("9999-12-31T23:59:59-14:00", "from 1970"),
        (str(LATEST_US + 1), "from 1970"),
        ("9" * 400, "ISO 8601"),
    ],
)
def test_what_is_not_a_moment_is_refused_with_what_would_be(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=r"^expected .*, received ") as refused:
        parse_moment(text)
    assert expected in str(refused.value)


def test_the_epoch_is_a_moment() -> None:
    assert parse_moment("0") == clock.from_datetime(datetime(1970, 1, 1, tzinfo=UTC))
