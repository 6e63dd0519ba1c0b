"""Waiting time of a request: by our own spending, and by what the venue reports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.venues.request_budget import Budget, Spending

MINUTE = Budget(limit=100, period_s=60)


def test_a_fifth_of_the_limit_is_left_to_others() -> None:
    spending = Spending(MINUTE)
    for _ in range(4):
        assert spending.wait_s(20, now_s=10) == 0
        spending.spend(20, now_s=10)
    assert spending.wait_s(20, now_s=10) == 60


def test_what_was_spent_a_period_ago_is_free_again() -> None:
    spending = Spending(MINUTE)
    spending.spend(40, now_s=0)
    spending.spend(40, now_s=15)
    assert spending.wait_s(20, now_s=30) == 30
    assert spending.wait_s(20, now_s=60) == 0
    spending.spend(40, now_s=60)
    assert spending.wait_s(1, now_s=60) == 15


def test_what_others_spent_counts_until_the_venues_period_ends() -> None:
    spending = Spending(MINUTE)
    spending.correct(79, until_s=42)
    assert spending.wait_s(1, now_s=12) == 0
    assert spending.wait_s(2, now_s=12) == 30
    assert spending.wait_s(2, now_s=42) == 0


def test_what_is_spent_after_the_venue_said_so_is_added() -> None:
    spending = Spending(MINUTE)
    spending.correct(60, until_s=50)
    spending.spend(20, now_s=10)
    assert spending.wait_s(1, now_s=10) == 40


def test_a_request_heavier_than_the_budget_is_sent_alone() -> None:
    spending = Spending(MINUTE)
    assert spending.wait_s(500, now_s=0) == 0
    spending.spend(500, now_s=0)
    assert spending.wait_s(1, now_s=59) == pytest.approx(1)


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 30)), max_size=60))
def test_no_period_ever_holds_more_than_the_share(requests: list[tuple[int, float]]) -> None:
    spending, now_s, sent = Spending(MINUTE), 0.0, []
    for weight, pause_s in requests:
        now_s += pause_s
        while wait_s := spending.wait_s(weight, now_s):
            now_s += wait_s
        spending.spend(weight, now_s)
        sent.append((now_s, weight))
    for start_s, _ in sent:
        # A moment less than the period: times are floats.
        assert sum(weight for at_s, weight in sent if start_s <= at_s < start_s + 59.999) <= 80
