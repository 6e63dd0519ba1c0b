"""Hours of a schedule, by the clock of its zone."""

from datetime import timedelta

from services.common import clock
from services.contracts.rules import DAYS, Schedule


def is_within(schedule: Schedule, event_us: int) -> bool:
    """Tell whether a time is in the hours of a schedule; one that is over midnight is of the day on which it began."""
    local = clock.to_datetime(event_us).astimezone(schedule.zone)
    minute = local.hour * 60 + local.minute
    start, length = schedule.start_minute, schedule.minutes
    return any(
        start <= minute + 1440 * days_ago < start + length
        and DAYS[(local - timedelta(days=days_ago)).weekday()] in schedule.days
        for days_ago in (0, 1)
    )
