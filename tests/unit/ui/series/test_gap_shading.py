"""Gap shading: missing trades, and silent stretches between adjacent points."""

from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import MINUTE, SECOND
from services.ui.api.poll_cache import PollCache
from services.ui.api.types import Bar, Gap, Listing
from services.ui.series import gap_shading
from services.ui.series.gap_shading import NO_SHADE, WORDS_UP_TO, GapShading, Shade, SilentStretch
from services.ui.state.page_context import PageContext
from tests.unit.ui.answers import answer, tape
from tests.unit.ui.conftest import START_S, Make, StubReadings, track_of

QUIET = SilentStretch(MINUTE, 2 * MINUTE - 1, "no trade")
START_US = START_S * SECOND


def gap(start_s: int, end_s: int, **fields: Any) -> Gap:
    """Return a gap; times in seconds from the first bar on."""
    values: dict[str, Any] = {"missing": 318, "state": "unrepaired", "symbol": "ETHUSDT"}
    start_us, end_us = (START_US + second * SECOND for second in (start_s, end_s))
    times = {"start_us": start_us, "end_us": end_us, "found_us": end_us, "updated_us": end_us}
    return answer(Gap, **{**values, **times, "first_id": 1, "last_id": 318, **fields})


def shade(bars: list[Bar], *gaps: Gap, first: int = 0, quiet: SilentStretch = QUIET) -> Shade:
    return GapShading().shade(
        track_of(bars), bars[first].start_us, bars[-1].start_us, (Listing(data=gaps),), quiet, "UTC"
    )


def minutes(bar: Make, *numbers: int) -> list[Bar]:
    return [bar(START_S + 60 * number) for number in numbers]


def shaded(shade: Shade) -> list[int]:
    assert [point["time"] for point in shade.points] == [point["time"] for point in shade.silent]
    return [(point["time"] - START_S) // 60 for point in shade.points]


def test_the_bars_that_lack_trades_are_shaded_with_words(bar: Make) -> None:
    made = shade(minutes(bar, 0, 1, 2, 3), gap(67, 121))
    assert shaded(made) == [1, 2]
    assert made.points[0]["customValues"] == {"text": "318 trades of ETHUSDT missing 22:14:27 to 22:15:21"}
    assert [(one["time"], one["text"]) for one in made.markers] == [(START_S + 60, "318 missing")]


@pytest.mark.parametrize(
    ("start_s", "end_s", "bars"),
    [
        (-500, -400, []),  # left of what is seen
        (-30, 10, [0]),
        (130, 170, [4]),  # no bar at all: the next one stands right beside the last
        (290, 400, [4]),
        (400, 500, []),  # nothing has come since
    ],
)
def test_a_gap_is_shaded_where_the_chart_shows_its_time(
    bar: Make, start_s: int, end_s: int, bars: list[int]
) -> None:
    loose = SilentStretch(MINUTE, 60 * MINUTE, "no trade")
    made = shade(minutes(bar, -12, 0, 1, 4), gap(start_s, end_s), first=1, quiet=loose)
    assert shaded(made) == bars


def test_a_silence_is_shaded_after_it(bar: Make) -> None:
    made = shade(minutes(bar, 0, 1, 3, 4))
    assert shaded(made) == [3]
    assert made.points[0]["customValues"] == {"text": "no trade 22:15:20 to 22:16:20"}
    assert shade(minutes(bar, 0, 1, 2)) == NO_SHADE


def test_silences_are_followed_as_the_chart_grows_and_made_anew_only_then(bar: Make) -> None:
    track, chart = track_of(minutes(bar, 0, 1, 2, 3)), GapShading()

    def step(*gaps: Gap) -> Shade:
        return chart.shade(track, START_US, track.points[-1].start_us, (Listing(data=gaps),), QUIET, "UTC")

    first = step(gap(70, 80))
    assert shaded(first) == [1]
    track.points += minutes(bar, 4)
    assert step(gap(70, 80)) is first  # as in nearly every frame
    track.points += minutes(bar, 7)
    assert shaded(step(gap(70, 80))) == [1, 7]
    assert shaded(step()) == [7]  # what has been repaired needs no mark
    assert shaded(step(gap(490, 500))) == [7]
    track.points += minutes(bar, 8)
    assert shaded(step(gap(490, 500))) == [7, 8]


def test_many_gaps_in_one_bar_are_told_together(bar: Make) -> None:
    made = shade(minutes(bar, 0, 1), *(gap(second, second + 1, missing=1) for second in (9, 7, 5, 3, 1)))
    text = made.points[0]["customValues"]["text"]
    assert text.startswith("1 trade of ETHUSDT missing 22:13:21 to 22:13:22; ")
    assert text.endswith("; and 2 more")
    assert made.markers[0]["text"] == "5 gaps"


def test_too_many_marks_have_no_words(bar: Make) -> None:
    bars = minutes(bar, *range(WORDS_UP_TO + 1))
    gaps = [gap(60 * minute + 1, 60 * minute + 2) for minute in range(WORDS_UP_TO + 1)]
    assert all(marker["text"] for marker in shade(bars, *gaps[1:]).markers)
    assert not any(marker["text"] for marker in shade(bars, *gaps).markers)


def test_trades_that_are_being_fetched_are_told_so(bar: Make) -> None:
    made = shade(minutes(bar, 0, 1), gap(1, 2, state="found"))
    assert ", being fetched 22:13:21" in made.points[0]["customValues"]["text"]


@given(
    st.lists(st.integers(0, 60), min_size=1, unique=True),
    st.lists(st.tuples(*[st.integers(-5, 65)] * 2)),
    st.integers(0, 60),
)
def test_only_points_of_the_chart_are_shaded_oldest_first(
    seconds: list[int], spans: list[Any], new: int
) -> None:
    bars = [answer(Bar, start_us=(START_S + second) * SECOND) for second in sorted(seconds)]
    gaps = [gap(*sorted(span)) for span in spans]
    last_us = bars[max(0, len(bars) - 1 - new)].start_us  # the buffer may hold more than is drawn
    quiet = SilentStretch(SECOND, MINUTE, "no trade")
    made = GapShading().shade(
        track_of(bars), bars[0].start_us, last_us, (Listing(data=tuple(gaps)),), quiet, "UTC"
    )
    for drawn in (made.points, made.silent, made.markers):
        times = [one["time"] for one in drawn]
        assert times == sorted(set(times))
        assert {time - START_S for time in times} <= set(seconds)
        assert all(time * SECOND <= last_us for time in times)


def test_only_symbols_with_open_gaps_are_asked_for(site: PageContext) -> None:
    asked: list[Any] = []

    class Noted(StubReadings):
        def get(self, key: Any, ask: Any, every_s: float) -> Any:
            asked.append(key)
            return super().get(key, ask, every_s)

    listing = Listing(data=(gap(1, 2),))
    site = replace(site, readings=cast("PollCache", Noted(gaps=listing)))
    assert gap_shading.open_gaps(site, ("ETHUSDT", "BTCUSDT")) == ()
    site.market.tapes = (tape("ETHUSDT", open_gaps=1), tape("BTCUSDT"))
    assert gap_shading.open_gaps(site, ("ETHUSDT", "BTCUSDT")) == (listing,)
    assert asked == [("/v1/gaps", ("state", "open"), ("symbol", "ETHUSDT"))]
