"""Chart updates."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.common.clock import SECOND
from services.contracts.messages import Signal
from services.ui.api.types import Bar
from services.ui.charts import updates as steps
from services.ui.charts.updates import GROWTH, ChartCursor, ChartUpdate
from services.ui.series.buffer import SeriesBuffer
from services.ui.state.event_log import EventLog
from tests.unit.ui.conftest import START_S, Make, track_of


@pytest.fixture
def bars(bar: Make) -> SeriesBuffer[Bar]:
    return track_of([bar(START_S + 60 * n) for n in range(10)])


def step(
    track: SeriesBuffer[Bar], cursor: ChartCursor | None, key: str = "ETHUSDT|1m", drawing: str = ""
) -> ChartUpdate:
    def updates(bars: Any) -> list[dict[str, Any]]:
        return [{"time": bar.start_us // 1_000_000 - START_S} for bar in bars]

    def whole(bars: Any) -> list[dict[str, Any]]:
        return [{"data": updates(bars)}]

    return steps.step("chart", track, cursor, key, whole, updates, drawing=drawing)


def sent(step: ChartUpdate) -> set[str]:
    return set(step.props.get("chart", {}))


def test_the_whole_series_first_then_only_updates(bars: SeriesBuffer[Bar], bar: Make) -> None:
    first = step(bars, None)
    assert sent(first) == {"series", "timeScaleAction"}
    bars.points[-1] = bar(START_S + 540, close=3333.0)
    bars.points.append(bar(START_S + 600))
    then = step(bars, first.cursor)
    assert then.props == {"chart": {"tick": [{"time": 540}, {"time": 600}]}}
    assert then.cursor is not None
    assert then.cursor.count == 11


def corrected_step(track: SeriesBuffer[Signal], cursor: ChartCursor | None) -> ChartUpdate:
    def updates(signals: Any) -> list[dict[str, Any]]:
        bars = [{"time": one.event_us // SECOND, "is": one.revision} for one in signals]
        for bar, following in pairwise(bars):
            bar["then"] = following["is"]
        return [{"id": "z", "bar": bar} for bar in bars]

    return steps.step("chart", track, cursor, "key", lambda shown: [{"data": updates(shown)}], updates)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from("clrw"), st.integers(0, 12)), max_size=40),
    st.integers(1, 12),
)
def test_a_chart_that_is_only_updated_shows_every_point_as_it_was_corrected_last(
    signal: Make, doings: list[tuple[str, int]], shown: int
) -> None:
    """A point that is updated with another time than it has, or that is not on the chart, fails."""
    track = track_of([signal(START_S + n) for n in range(shown)])
    corrections: EventLog[Signal] = EventLog()
    track.correct(corrections)
    cursor: ChartCursor | None = None
    chart: dict[int, dict[str, Any]] = {}
    for doing, at in doings:
        if doing == "c" and at < len(track.points):
            one = track.points[at]
            corrections.add(replace(one, revision=one.revision + 1))
        elif doing == "l":
            track.points.append(signal(START_S + len(track.points)))
        elif doing == "w":
            corrections.lose()
        track.correct(corrections)
        if doing != "r":
            continue
        found = corrected_step(track, cursor)
        cursor, sent_now = found.cursor, found.props["chart"]
        if "series" in sent_now:
            chart = {one["bar"]["time"]: one["bar"] for one in sent_now["series"][0]["data"]}
        for update in sent_now.get("tick", ()):
            time = update["bar"]["time"]
            if update.get("historicalUpdate"):
                assert time in chart
                assert time != max(chart)
            else:
                assert time >= max(chart)
            chart[time] = update["bar"]
        known = [one for one in track.points if one.event_us <= cursor.last_us] if cursor else []
        assert [chart[time]["is"] for time in sorted(chart)] == [one.revision for one in known]
        for bar, following in pairwise(chart[time] for time in sorted(chart)):
            assert bar["then"] == following["is"]


def test_more_corrections_than_are_updated_one_by_one_are_drawn_as_a_whole(signal: Make) -> None:
    count = steps.CORRECTED_MOST + 2
    track = track_of([signal(START_S + n) for n in range(count)], kept=count)
    corrections: EventLog[Signal] = EventLog()
    track.correct(corrections)
    cursor = corrected_step(track, None).cursor
    for n in range(count - 1):
        corrections.add(signal(START_S + n, revision=1))
    track.correct(corrections)
    assert sent(corrected_step(track, cursor)) == {"series"}


@pytest.mark.parametrize("change", ["key", "generation", "tape"])
def test_what_does_not_continue_is_sent_whole(bars: SeriesBuffer[Bar], bar: Make, change: str) -> None:
    cursor = step(bars, None).cursor
    if change == "generation":
        bars.generation += 1
    if change == "tape":
        bars.points = [bar(START_S - 86_400)]
    key = "BTCUSDT|1m" if change == "key" else "ETHUSDT|1m"
    assert sent(step(bars, cursor, key)) == {"series", "timeScaleAction"}


def test_a_chart_that_grew_too_long_starts_again_where_it_was(bars: SeriesBuffer[Bar], bar: Make) -> None:
    bars.usual = 10
    most = int(GROWTH * bars.usual)
    cursor, redraws = step(bars, None).cursor, 0
    for n in range(10, 10 + most + 4):
        bars.points = [*bars.points, bar(START_S + 60 * n)][-bars.usual :]
        following = step(bars, cursor)
        cursor = following.cursor
        if following.dropped:
            assert sent(following) == {"series"}  # no command that would move what is seen
            redraws += 1
            # The one that is new comes with the next step.
            assert following.dropped == most + 2
            assert cursor is not None
            assert cursor.count == bars.usual - 1
    assert redraws


def test_many_points_at_once_are_drawn_before_the_chart_starts_again(
    bars: SeriesBuffer[Bar], bar: Make
) -> None:
    bars.usual = 20
    cursor = step(bars, None).cursor
    # Another session looks farther back, so the buffer holds more than this chart wants.
    bars.points += [bar(START_S + 60 * n) for n in range(10, 40)]
    kinds: list[str] = []
    lasts: list[int] = []
    for n in range(40, 44):
        following = step(bars, cursor)
        cursor = following.cursor
        assert cursor is not None
        kinds += sent(following)
        lasts.append(cursor.last_us // 1_000_000 - START_S)
        bars.points.append(bar(START_S + 60 * n))
    assert kinds == ["tick", "series", "tick", "tick"]
    assert lasts == [60 * 39, 60 * 39, 60 * 41, 60 * 42]


@pytest.mark.parametrize("change", ["drawing", "revision"])
def test_a_chart_that_is_drawn_again_gets_what_is_new_with_the_next_step(
    bars: SeriesBuffer[Bar], bar: Make, change: str
) -> None:
    cursor = step(bars, None, drawing="3 panes").cursor
    bars.points.append(bar(START_S + 600))
    drawing = "2 panes" if change == "drawing" else "3 panes"
    bars.revision += change == "revision"
    again = step(bars, cursor, drawing=drawing)
    assert again.props == {"chart": {"series": [{"data": [{"time": 60 * n} for n in range(10)]}]}}
    assert again.dropped == 0
    assert step(bars, again.cursor, drawing=drawing).props == {
        "chart": {"tick": [{"time": 540}, {"time": 600}]}
    }


def test_a_chart_of_which_older_points_changed_is_drawn_again_where_it_was(
    bars: SeriesBuffer[Bar], bar: Make
) -> None:
    del bars.points[4]
    cursor = step(bars, None).cursor
    bars.points.insert(4, bar(START_S + 240))
    bars.points.append(bar(START_S + 600))
    bars.revision += 1
    again = step(bars, cursor)
    assert again.props == {"chart": {"series": [{"data": [{"time": 60 * n} for n in range(10)]}]}}
    assert again.dropped == -1  # the newest stay where they were
    assert again.cursor is not None
    assert again.cursor.count == 10
    assert step(bars, again.cursor).props == {"chart": {"tick": [{"time": 540}, {"time": 600}]}}


def test_older_points_move_what_is_seen_by_as_many(bars: SeriesBuffer[Bar], bar: Make) -> None:
    cursor = step(bars, None).cursor
    bars.points = [*(bar(START_S - 60 * n) for n in range(5, 0, -1)), *bars.points, bar(START_S + 600)]

    def wanting(wanted: int) -> ChartUpdate:
        def data(bars: Any) -> Any:
            return [{"data": bars}]

        return steps.step("chart", bars, cursor, "ETHUSDT|1m", data, data, wanted)

    assert sent(wanting(11)) == {"tick"}
    some = wanting(14)
    assert sent(some) == {"series"}
    assert some.dropped == -4
    assert some.props["chart"]["series"][0]["data"] == bars.points[1:15]
    assert some.cursor is not None
    assert (some.cursor.count, some.cursor.first_us) == (14, bars.points[1].start_us)
    assert wanting(100).dropped == -5


def test_an_empty_chart_says_why() -> None:
    track = track_of([])
    assert steps.why_empty(track, "No bars yet") == "No bars yet"
    track.loaded = False
    assert steps.why_empty(track, "No bars yet") == "Loading…"
    track.error = "status 503"
    assert "status 503" in steps.why_empty(track, "No bars yet")
    track.refusal = "expected one of A, received B"
    assert steps.why_empty(track, "") == "The API does not have this: expected one of A, received B"
    assert steps.empty("cover", "why") == {"cover": {"children": "why", "className": "pane-empty is-shown"}}
