"""Bringing a chart up to date."""

from typing import Any, cast

import pytest

from services.common.clock import SECOND
from services.common.messages import Signal
from services.ui import panes
from services.ui.answers import Bar, StreamMessage, WatchedPair
from services.ui.market import Market, Now
from services.ui.panes import GROWTH, Step
from services.ui.tracks import Track
from services.ui.view import Selection
from tests.unit.ui.conftest import START_S, Make


async def nothing(count: int) -> list[Any]:
    return []


def track_of(points: list[Any], kept: int = 100, generation: int = 1) -> Track[Any]:
    track: Track[Any] = Track(nothing, kept, 1.0)
    track.points, track.generation, track.loaded = points, generation, True
    return track


@pytest.fixture
def bars(bar: Make) -> Track[Bar]:
    return track_of([bar(START_S + 60 * n) for n in range(10)])


def sent(step: Step, chart: str = "chart-candles") -> set[str]:
    return set(step.props.get(chart, {}))


def test_the_whole_series_first_then_only_updates(bars: Track[Bar], selection: Selection, bar: Make) -> None:
    first = panes.candles(bars, None, selection, "ETHUSDT", Market())
    assert sent(first) == {"series", "timeScaleAction"}
    bars.points[-1] = bar(START_S + 540, close=3333.0)
    bars.points.append(bar(START_S + 600))
    then = panes.candles(bars, first.cursor, selection, "ETHUSDT", Market())
    assert sent(then) == {"tick"}
    times = [update["bar"]["time"] - START_S for update in then.props["chart-candles"]["tick"]]
    assert times == [540, 540, 600, 600]
    assert cast("panes.Cursor", then.cursor).count == 11


@pytest.mark.parametrize("change", ["interval", "symbol", "generation", "tape"])
def test_what_does_not_continue_is_sent_whole(
    bars: Track[Bar], selection: Selection, bar: Make, change: str
) -> None:
    cursor = panes.candles(bars, None, selection, "ETHUSDT", Market()).cursor
    symbol = "BTCUSDT" if change == "symbol" else "ETHUSDT"
    if change == "interval":
        selection = Selection("one", selection.pair, "y", "5m")
    if change == "generation":
        bars.generation += 1
    if change == "tape":
        bars.points = [bar(START_S - 86_400)]
    assert sent(panes.candles(bars, cursor, selection, symbol, Market())) == {"series", "timeScaleAction"}


def test_a_chart_that_grew_too_long_starts_again_where_it_was(
    bars: Track[Bar], selection: Selection, bar: Make
) -> None:
    bars.kept = 10
    cursor = panes.candles(bars, None, selection, "ETHUSDT", Market()).cursor
    dropped = 0
    for n in range(10, GROWTH * 10 + 5):
        bars.points = [*bars.points, bar(START_S + 60 * n)][-bars.kept :]
        step = panes.candles(bars, cursor, selection, "ETHUSDT", Market())
        cursor = step.cursor
        if step.dropped:
            assert sent(step) == {"series"}  # no command that would move what is seen
            dropped += step.dropped
    assert dropped == GROWTH * 10 + 1 - 10


def test_an_empty_chart_says_why(selection: Selection) -> None:
    track = track_of([])
    step = panes.candles(track, None, selection, "ETHUSDT", Market())
    assert step.props["candles-empty"] == {
        "children": "No 1m bars of ETHUSDT yet",
        "className": "pane-empty is-shown",
    }
    track.loaded = False
    assert (
        panes.candles(track, None, selection, "ETHUSDT", Market()).props["candles-empty"]["children"]
        == "Loading…"
    )
    track.error = "status 503"
    assert (
        "status 503"
        in panes.candles(track, None, selection, "ETHUSDT", Market()).props["candles-empty"]["children"]
    )


def test_the_last_bar_is_in_the_legend(bars: Track[Bar], selection: Selection) -> None:
    market = Market(decimals={"ETHUSDT": 1})
    step = panes.candles(bars, None, selection, "ETHUSDT", market)
    assert step.props["legend-bar"]["children"] == (
        "O 3\u202f400.0  H 3\u202f402.0  L 3\u202f399.0  C 3\u202f401.0  V 12.5"
    )


def test_an_alert_is_marked_once(pair: WatchedPair, signal: Make, alert: Make, now: Now) -> None:
    market = Market()
    signals: Track[Signal] = track_of([signal(START_S + n) for n in range(5)])
    first = panes.pair_panes(signals, None, pair, market)
    market.apply(
        StreamMessage("update", alerts=(alert(1, START_S + 4), alert(2, START_S + 4, pair="A-B"))), now
    )
    then = panes.pair_panes(signals, first.cursor, pair, market)
    marks = [update for update in then.props["chart-pair"]["tick"] if update["id"].startswith("alerts")]
    assert [mark["bar"]["time"] for mark in marks] == [START_S + 4]
    again = panes.pair_panes(signals, then.cursor, pair, market)
    assert not [update for update in again.props["chart-pair"]["tick"] if update["id"].startswith("alerts")]


def test_too_few_samples_are_said_on_the_pane(pair: WatchedPair, signal: Make) -> None:
    thin = signal(zscore=None, spread=None, samples=7, quality="not_enough_data", reason="window not full")
    step = panes.pair_panes(track_of([thin]), None, pair, Market())
    assert step.props["zscore-empty"]["children"] == "Not enough data: window not full"
    fine = panes.pair_panes(track_of([signal()]), None, pair, Market())
    assert fine.props["zscore-empty"]["className"] == "pane-empty"
    assert cast("panes.Cursor", fine.cursor).last_us == START_S * SECOND
