from services.stream_analytics.live_budget import LiveBudget


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.s


def test_work_between_closes_takes_its_share_of_the_time_and_no_more() -> None:
    clock = Clock()
    budget = LiveBudget(share=0.25, burst_s=0.1, seconds=clock)
    worked_s = 0.0
    while clock.s < 100:
        if budget.is_spent:
            clock.s += 0.01
        else:
            with budget.spending():
                clock.s += 0.02
            worked_s += 0.02
    assert 0.24 <= worked_s / clock.s <= 0.26


def test_what_is_left_is_kept_up_to_the_burst() -> None:
    clock = Clock()
    budget = LiveBudget(share=0.1, burst_s=0.1, seconds=clock)
    clock.s = 1_000
    assert not budget.is_spent
    with budget.spending():
        clock.s += 0.3
    assert budget.is_spent
