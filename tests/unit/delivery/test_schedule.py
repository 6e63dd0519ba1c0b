"""When a delivery is tried again, and when no more."""

from hypothesis import given
from hypothesis import strategies as st

from services.delivery.schedule import DELAYS_S, LONGEST_PAUSE_S, TRIES, next_s, pause_s

SHARE = st.floats(0, 1)
WISHES = st.none() | st.floats(-10, 1e9)


def test_the_delays_are_those_of_standard_webhooks() -> None:
    delays = [next_s(tries, None, 0.0) for tries in range(1, TRIES + 1)]
    assert delays == [5, 300, 1_800, 7_200, 18_000, 36_000, None]


@given(st.integers(1, TRIES + 3), WISHES, SHARE)
def test_a_try_follows_no_earlier_than_it_may_and_no_later_than_a_fifth_more(
    tries: int, wish_s: float | None, jitter: float
) -> None:
    wait_s = next_s(tries, wish_s, jitter)
    if tries >= TRIES:
        assert wait_s is None
        return
    assert wait_s is not None
    asked_s = pause_s(wish_s) or 0.0
    assert max(DELAYS_S[tries], asked_s) <= wait_s <= max(1.2 * DELAYS_S[tries], asked_s)


@given(WISHES)
def test_nobody_is_left_alone_for_longer_than_a_day(wish_s: float | None) -> None:
    assert 0 <= (pause_s(wish_s) or 0) <= LONGEST_PAUSE_S


@given(SHARE, SHARE)
def test_what_fails_in_one_instant_is_spread_out(one: float, other: float) -> None:
    first, second = next_s(3, None, one), next_s(3, None, other)
    assert first is not None
    assert second is not None
    assert (first < second) == (DELAYS_S[3] * (1 + 0.2 * one) < DELAYS_S[3] * (1 + 0.2 * other))
