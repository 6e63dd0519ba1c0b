"""A day of signals, thinned."""

import asyncio
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.clock import MINUTE
from services.contracts.messages import Signal
from services.ui.api.client import ApiClient
from services.ui.api.types import WatchedPair
from services.ui.pages.pairs.marks import Crossings
from services.ui.series import day
from tests.unit.ui.conftest import PAIR, START_S, Make

FULL_MINUTE_S = START_S // 60 * 60


class StubClient:
    """Answers from a list of signals, as the API does."""

    def __init__(self, signals: list[Signal]) -> None:
        self.held = signals
        self.asked = 0

    async def signals(self, pair: str, limit: int, before_us: int | None = None) -> tuple[Signal, ...]:
        self.asked += 1
        found = [signal for signal in self.held if before_us is None or signal.event_us < before_us]
        return tuple(found[-limit:])


def extremes(held: list[Signal], minutes: int) -> tuple[list[Signal], int]:
    client: Any = StubClient(held)
    return asyncio.run(day.extremes(cast("ApiClient", client), PAIR, minutes)), client.asked


def test_a_minute_keeps_its_lowest_highest_and_smallest_z_score(signal: Make) -> None:
    zscores = [0.3, -3.0, None, 2.5, 0.2]
    minute = [signal(FULL_MINUTE_S + n, zscore=zscore) for n, zscore in enumerate(zscores)]
    kept, _ = extremes([*minute, signal(FULL_MINUTE_S + 60)], 10)
    assert kept == [minute[1], minute[3], minute[4]]


def test_what_is_kept_enters_and_leaves_where_all_signals_do(signal: Make, pair: WatchedPair) -> None:
    zscores = [0.0] * 60 + [2.5] * 60 + [1.5] * 20 + [0.0] * 20 + [-1.5] * 20 + [2.4] * 60 + [0.1] * 60
    held = [signal(FULL_MINUTE_S + n, zscore=zscore) for n, zscore in enumerate(zscores)]
    whole, thin = Crossings(pair), Crossings(pair)
    whole.take(held)
    thin.take(extremes([*held, signal(FULL_MINUTE_S + len(held))], 10)[0])
    assert [mark.kind for mark in thin.marks] == [mark.kind for mark in whole.marks]
    assert [mark.kind for mark in whole.marks] == ["short", "exit", "short", "exit"]


def test_a_minute_without_z_scores_keeps_its_ends(signal: Make) -> None:
    minute = [signal(FULL_MINUTE_S + n, zscore=None) for n in range(3)]
    kept, _ = extremes([*minute, signal(FULL_MINUTE_S + 60)], 10)
    assert kept == [minute[0], minute[2]]


def test_the_minute_that_is_not_over_is_left_out(signal: Make) -> None:
    assert extremes([signal(FULL_MINUTE_S + n) for n in range(30)], 10) == ([], 1)
    assert extremes([], 10) == ([], 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(st.integers(1, 400), st.integers(1, 300), st.sampled_from([121, 300, 7200]))
def test_pages_join_without_a_seam(signal: Make, seconds: int, minutes: int, page: int) -> None:
    held = [signal(FULL_MINUTE_S - 7 + n, zscore=float(n % 13)) for n in range(20 * seconds)][:4000]
    whole, _ = extremes(held, minutes)
    usual, day.PAGE = day.PAGE, page
    try:
        paged, _ = extremes(held, minutes)
    finally:
        day.PAGE = usual
    assert paged == whole
    end_us = held[-1].event_us // MINUTE * MINUTE
    assert all(end_us - minutes * MINUTE <= signal.event_us < end_us for signal in whole)
