from datetime import datetime

from services.common.clock import from_datetime
from services.contracts.rules import Schedule
from services.rules.schedule import is_within


def at(text: str) -> int:
    """Return a time as microseconds."""
    return from_datetime(datetime.fromisoformat(text))


def test_hours_over_midnight_belong_to_the_day_on_which_they_began() -> None:
    friday_night = Schedule(start="22:00", end="06:00", days=("fri",))
    assert is_within(friday_night, at("2026-11-27T22:00:00+00:00"))
    assert is_within(friday_night, at("2026-11-28T05:59:59+00:00"))
    assert not is_within(friday_night, at("2026-11-28T06:00:00+00:00"))
    assert not is_within(friday_night, at("2026-11-28T22:00:00+00:00"))
    assert not is_within(friday_night, at("2026-11-27T05:00:00+00:00"))


def test_hours_are_those_of_the_zone_in_summer_and_winter() -> None:
    berlin = Schedule(start="08:00", end="09:00", timezone="Europe/Berlin")
    assert is_within(berlin, at("2026-07-01T06:30:00+00:00"))
    assert not is_within(berlin, at("2026-12-01T06:30:00+00:00"))
    assert is_within(berlin, at("2026-12-01T07:30:00+00:00"))


def test_the_same_hour_twice_is_a_whole_day() -> None:
    assert is_within(Schedule(days=("tue",)), at("2026-12-01T23:59:59+00:00"))
    assert not is_within(Schedule(days=("tue",)), at("2026-12-02T00:00:00+00:00"))
