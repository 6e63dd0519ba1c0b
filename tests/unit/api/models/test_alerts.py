"""Duration of a snooze."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.api.models.alerts import SNOOZE_MAX_S, Snooze
from services.common import clock

NOW_US = 1_767_225_600_000_000
MAX_US = SNOOZE_MAX_S * clock.SECOND


@given(for_s=st.floats(0, SNOOZE_MAX_S))
def test_seconds_count_from_now_and_none_end_it(for_s: float) -> None:
    until_us = Snooze(for_s=for_s).until_us(NOW_US)
    if until_us is None:
        assert for_s < 1e-6
    else:
        assert abs((until_us - NOW_US) / clock.SECOND - for_s) < 1e-6
        assert NOW_US < until_us <= NOW_US + MAX_US


@given(offset_us=st.integers(-2 * MAX_US, 2 * MAX_US))
def test_a_time_ends_it_there_unless_it_has_passed_or_is_too_late(offset_us: int) -> None:
    snooze = Snooze(until=NOW_US + offset_us)
    try:
        until_us = snooze.until_us(NOW_US)
    except ValueError:
        assert offset_us > MAX_US
    else:
        assert offset_us <= MAX_US
        assert until_us == (NOW_US + offset_us if offset_us > 0 else None)


@given(fields=st.fixed_dictionaries({}, optional={"until": st.just(NOW_US), "for_s": st.just(60.0)}))
def test_it_takes_exactly_one_of_the_two(fields: dict[str, float]) -> None:
    try:
        Snooze.model_validate(fields)
    except ValidationError:
        assert len(fields) != 1
    else:
        assert len(fields) == 1
