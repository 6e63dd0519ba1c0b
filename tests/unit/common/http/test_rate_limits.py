"""Rate limiter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.http import rate_limits
from services.common.http.rate_limits import Rate, RateLimiter, Slots

RATES = st.builds(Rate, st.integers(1, 50), st.sampled_from([1, 60]))


@pytest.mark.parametrize(
    "text", ["", "100", "0/second", "-1/second", "1.5/second", "10/day", "10 / second /"]
)
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="100/second"):
        Rate.parse(text)


def test_rates() -> None:
    assert [Rate.parse(text) for text in ("100/second", " 600/minute", "5/hour")] == [
        Rate(100, 1),
        Rate(600, 60),
        Rate(5, 3600),
    ]


@given(rate=RATES, gaps=st.lists(st.floats(0, 3), max_size=200))
def test_never_more_than_the_rate_and_the_burst_and_never_less_than_the_rate(
    rate: Rate, gaps: list[float]
) -> None:
    limiter, now_s, taken = RateLimiter(), 0.0, 0
    for gap in gaps:
        now_s += gap
        allowance = limiter.take("a", rate, now_s)
        taken += not allowance.wait_s
        assert 0 <= allowance.remaining < rate.requests
    assert taken <= rate.requests * (1 + now_s / rate.seconds) + 0.01
    assert taken >= min(len(gaps), rate.requests)


@given(rate=RATES, start_s=st.floats(0, 1e7))
def test_a_burst_of_the_whole_rate_and_then_one_when_told_to_come_back(rate: Rate, start_s: float) -> None:
    limiter = RateLimiter()
    burst = [limiter.take("a", rate, start_s) for _ in range(rate.requests)]
    assert [allowance.remaining for allowance in burst] == list(reversed(range(rate.requests)))
    refused = limiter.take("a", rate, start_s)
    assert 0 < refused.wait_s <= rate.seconds / rate.requests * 1.01
    assert limiter.take("b", rate, start_s).wait_s == 0
    assert limiter.take("a", rate, start_s + refused.wait_s).wait_s == 0


@given(st.lists(st.integers(0, 24).map(lambda eighths: eighths / 8), max_size=50))
def test_a_rate_gives_its_count_at_once_and_one_every_so_often(pauses_s: list[float]) -> None:
    limiter, rate, now = RateLimiter(), Rate(3, 3), 0.0
    taken = 0
    for pause_s in pauses_s:
        now += pause_s
        taken += not limiter.take("a", rate, now).wait_s
        assert taken <= 3 + now
    now += 3
    assert [not limiter.take("a", rate, now).wait_s for _ in range(4)] == [True, True, True, False]


def test_the_headers_say_what_is_left_and_when_to_come_back() -> None:
    limiter = RateLimiter()
    assert limiter.take("a", Rate(2, 60), 0).headers == {
        "RateLimit-Policy": '"caller";q=2;w=60',
        "RateLimit": '"caller";r=1;t=30',
    }
    limiter.take("a", Rate(2, 60), 0)
    assert limiter.take("a", Rate(2, 60), 10).headers["Retry-After"] == "20"


def test_memory_is_bounded_however_many_callers_come() -> None:
    limiter = RateLimiter()
    for number in range(rate_limits.CALLERS_KEPT + 500):
        limiter.take(str(number), Rate(1, 3600), 0)
    assert len(limiter) == rate_limits.CALLERS_KEPT
    limiter.take("last", Rate(1, 3600), 4000)
    assert len(limiter) <= rate_limits.CALLERS_KEPT


def test_callers_that_are_done_are_forgotten() -> None:
    limiter = RateLimiter()
    for number in range(1_000):
        limiter.take(str(number), Rate(100, 1), float(number))
    assert len(limiter) <= 2


def test_slots_are_counted_for_each_caller_and_given_back() -> None:
    slots = Slots(2)
    with slots.taken("a"), slots.taken("a"):
        assert not slots.is_free("a")
        assert slots.is_free("b")
    with pytest.raises(ValueError, match="broken"), slots.taken("a"):
        raise ValueError("broken")
    assert slots.is_free("a")
