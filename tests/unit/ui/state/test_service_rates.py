"""Rates and lags from what the services count."""

import pytest

from services.ui.state.service_rates import KEPT_S, MESSAGES, PAGE, ServiceRates
from tests.unit.ui.conftest import Make


@pytest.mark.parametrize("per_second", [0, 7, 1000])
def test_the_rate_is_of_the_last_seconds_alone(per_second: int, service: Make) -> None:
    beats = ServiceRates()
    for second in range(60):
        # The first half minute was ten times as fast.
        total = 10 * per_second * min(second, 30) + per_second * max(0, second - 30)
        beats.add([service("sink", counters={"ticks": total, "batches": second})], 3 * second, float(second))
    assert beats.rate("sink", "ticks") == per_second
    assert beats.rate("sink", "ticks", "batches") == per_second + 1
    assert beats.rate(PAGE, MESSAGES) == 3


def test_there_is_no_rate_without_two_beats_that_count(service: Make) -> None:
    beats = ServiceRates()
    assert beats.rate("sink", "ticks") is None
    beats.add([service("sink", counters={"ticks": 5})], 1, 0.0)
    assert beats.rate("sink", "ticks") is None
    beats.add([service("sink", counters={"ticks": 6})], 2, 1.0)
    assert beats.rate("sink", "ticks") == 1
    assert beats.rate("sink", "rows") is None


def test_after_a_silence_the_rate_is_of_the_silence(service: Make) -> None:
    beats = ServiceRates()
    for second, ticks in ((0.0, 0), (1.0, 5), (61.0, 65)):
        beats.add([service("sink", counters={"ticks": ticks})], 0, second)
    assert beats.rate("sink", "ticks") == 1


def test_a_service_that_began_again_counts_from_its_new_start(service: Make) -> None:
    beats = ServiceRates()
    for second, ticks in ((0.0, 1000), (1.0, 1100), (2.0, 3), (3.0, 10)):
        beats.add([service("sink", counters={"ticks": ticks}, lag_messages=ticks)], 0, second)
    assert beats.rate("sink", "ticks") == 7
    assert beats.lags("sink") == [(0.0, 1000), (1.0, 1100), (2.0, 3), (3.0, 10)]


def test_a_process_that_comes_or_goes_is_no_rate(service: Make, process: Make) -> None:
    beats = ServiceRates()
    for second in range(9):
        here = [process(name, counters={"ticks": 10_000 + 5 * second}) for name in "ab"]
        shown = here[:1] if second in (3, 6) else here
        beats.add([service("sink", instances=tuple(shown))], 0, float(second))
    assert beats.rate("sink", "ticks") == 10


def test_what_is_kept_is_bounded_in_time_and_number(service: Make) -> None:
    beats = ServiceRates()
    for tenth in range(20 * KEPT_S):
        beats.add([service("sink", lag_messages=tenth)], 0, tenth / 10)
    lags = beats.lags("sink")
    assert len(lags) <= 2 * KEPT_S + 1
    assert lags[-1][0] - lags[0][0] <= KEPT_S
