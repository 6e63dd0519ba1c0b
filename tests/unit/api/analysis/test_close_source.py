"""Limits on the closes of an analysis."""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import pytest

from services.api.analysis import close_source
from services.api.analysis.close_source import CloseSource, ClosesQuery
from services.api.analysis.requests import Subject
from services.api.problems import ProblemError
from services.api.queries.closes import Closes, Period, market_bars
from services.common.clock import MINUTE, to_iso

MOST = 1_000


class Backend:
    """A market of many symbols."""

    store = None
    feed = "live"

    async def require_symbol(self, symbol: str) -> str:
        """Know every one."""
        return symbol


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Period]:
    """Have a million bars of each symbol, of which at most `MOST` may be asked for; return what is asked for."""
    periods: list[Period] = []

    async def closes(_: Any, __: Any, symbols: Iterable[str], period: Period) -> dict[str, Closes]:
        periods.append(period)
        starts = np.arange(period.limit) * MINUTE
        return {name: Closes(starts, np.ones(period.limit)) for name in symbols}

    monkeypatch.setattr(close_source, "closes", closes)
    monkeypatch.setattr(close_source, "BARS_MAX", MOST)
    monkeypatch.setattr(close_source, "_CLOSES_MAX", 2 * MOST)
    return periods


def subject(symbols: int, **query: Any) -> Subject:
    made = CloseSource(cast("Any", Backend()), market_bars("1m"))
    return asyncio.run(made.subject(ClosesQuery(**query), [f"S{n}" for n in range(symbols)]))


def refusal(symbols: int, **query: Any) -> str:
    with pytest.raises(ProblemError) as raised:
        subject(symbols, **query)
    return raised.value.detail


def test_two_symbols_may_have_the_most_bars_and_more_symbols_fewer(asked: list[Period]) -> None:
    assert len(subject(2, limit=MOST).closes["S1"].price) == MOST
    assert refusal(2, limit=MOST + 1) == "limit: expected at most 1,000 bars of each of 2 symbols"
    assert refusal(4, limit=501) == "limit: expected at most 500 bars of each of 4 symbols"
    assert [period.limit for period in asked] == [MOST]


def test_a_start_with_too_many_bars_behind_it_is_refused_in_one_line(asked: list[Period]) -> None:
    words = refusal(2, start=to_iso(1_767_225_600_000_000))
    assert words == (
        "start: expected a start with at most 1,000 bars until the end, or a limit, or a wider interval"
    )
    # One more than there may be is all that is read.
    assert [period.limit for period in asked] == [MOST + 1]


def test_the_intervals_of_the_market_without_a_bar_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def closes(*_: Any) -> dict[str, Closes]:
        minutes = {"S0": [3, 4, 9], "S1": [2, 3, 4, 5, 6], "S2": []}
        return {
            name: Closes(np.array(at, np.int64) * MINUTE, np.ones(len(at))) for name, at in minutes.items()
        }

    monkeypatch.setattr(close_source, "closes", closes)
    assert subject(3).carried_bars == {"S0": 5, "S1": 3, "S2": 8}
