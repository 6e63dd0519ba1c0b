"""Pairs page in one session."""

from dataclasses import replace
from typing import Any, cast

import msgspec
import pytest

from services.common.clock import SECOND
from services.ui.api.poll_cache import PollCache, PolledAnswer
from services.ui.api.types import Analysis, Gap, Listing, Regression, WatchedPair
from services.ui.pages.pairs.fits import band_words
from services.ui.pages.pairs.view import PairsView
from services.ui.series import day
from services.ui.series.cache import SeriesCache
from services.ui.state.event_log import EventLog
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import PageContext, Selection
from tests.unit.ui.answers import answer, tape, update
from tests.unit.ui.conftest import PAIR, START_S, Make, StubReadings, StubTracks

COUNT = 60


@pytest.fixture
def site(site: PageContext, signal: Make) -> PageContext:
    signals = [signal(START_S - COUNT + 1 + n) for n in range(COUNT)]
    return replace(site, tracks=cast("SeriesCache", StubTracks([], signals)))


def fit(**fields: Any) -> Analysis:
    values: dict[str, Any] = {
        "method": "ols",
        "bars": 20,
        "first_us": (START_S - 20) * SECOND + 1,
        "last_us": START_S * SECOND,
        "not_enough_data": {},
        "regression": answer(Regression, low=0.05, high=0.06, level=0.95),
    }
    return answer(Analysis, **{**values, **fields})


def with_(selection: Selection, **asks: Any) -> Selection:
    return replace(selection, asks={**selection.asks, **asks})


def test_the_range_says_how_many_points_are_in_view(
    site: PageContext, pairs_page: Selection, now: Now
) -> None:
    chart = PairsView(site).step(with_(pairs_page, range="5m"), now)["chart-pair"]
    assert chart["visibleLogicalRange"] == {
        "from": 0,
        "to": COUNT + 1,
        "nonce": chart["visibleLogicalRange"]["nonce"],
    }
    assert "timeScaleAction" not in chart
    assert [series["id"].rsplit("|", 1)[1] for series in chart["series"]] == ["5m"] * 9


@pytest.mark.parametrize("a_minute", [1, 2, 3])
def test_a_day_is_shown_whole_and_no_more(
    site: PageContext, pairs_page: Selection, signal: Make, now: Now, a_minute: int
) -> None:
    kept = range(day.MINUTES * day.A_MINUTE)
    site.tracks.day(PAIR, EventLog()).points = [signal(START_S + 60 // a_minute * n) for n in kept]
    view = PairsView(site)
    chart = view.step(with_(pairs_page, range="1d", panes=["zscore"]), now)["chart-pair"]
    assert view.mark["count"] == min(len(kept), day.MINUTES * a_minute + 1)
    assert chart["visibleLogicalRange"]["from"] == 0


def test_other_panes_are_drawn_without_a_move(site: PageContext, pairs_page: Selection, now: Now) -> None:
    view = PairsView(site)
    view.step(pairs_page, now)
    chart = view.step(with_(pairs_page, panes=["zscore"]), now)
    assert {series["pane"] for series in chart["chart-pair"]["series"]} == {0}
    assert len(chart["chart-pair"]["paneOptions"]) == 1
    assert "visibleLogicalRange" not in chart["chart-pair"]
    assert chart["pane-prices"]["className"] == "pane-label is-away"
    assert chart["pane-zscore"]["style"] == {"--top": "0.0"}


def test_points_that_leave_when_it_is_drawn_again_move_the_view(
    site: PageContext, pairs_page: Selection, signal: Make, now: Now
) -> None:
    view = PairsView(site)
    view.step(pairs_page, now)
    track = site.tracks.signals(PAIR, (), EventLog())
    track.points = [*track.points[1:], signal(START_S + 1)]
    view.step(pairs_page, now)
    view.step(with_(pairs_page, panes=["zscore"]), now)
    assert view.dropped == {"chart-pair": 1}


def test_another_turn_of_the_page_begins_at_the_newest_points(
    site: PageContext, pairs_page: Selection, now: Now
) -> None:
    view = PairsView(site)
    view.step(with_(pairs_page, turn=1), now)
    assert "series" not in view.step(with_(pairs_page, turn=1), now)["chart-pair"]
    assert "visibleLogicalRange" in view.step(with_(pairs_page, turn=2), now)["chart-pair"]


def test_other_bands_are_drawn_at_once(
    site: PageContext, pairs_page: Selection, pair: WatchedPair, now: Now
) -> None:
    view = PairsView(site)
    view.step(pairs_page, now)
    site.market.watch([msgspec.structs.replace(pair, entry_z=3.0)], ())
    drawn = {one["id"].split("|")[0]: one for one in view.step(pairs_page, now)["chart-pair"]["series"]}
    assert drawn["zscore"]["priceLines"][0]["price"] == 3.0


def test_the_band_lies_over_the_bars_it_is_of(site: PageContext, pairs_page: Selection, now: Now) -> None:
    known = replace(site, readings=cast("PollCache", StubReadings(analysis=fit())))
    extras = PairsView(known).step(pairs_page, now)["pair-extras"]["data"]
    high = extras[f"high|{PAIR}|30m"]["data"]
    assert [point["time"] for point in high] == [START_S - 19, START_S]
    # Bars that are no longer on the chart have no band there.
    old = fit(first_us=0, last_us=SECOND)
    gone = replace(site, readings=cast("PollCache", StubReadings(analysis=old)))
    assert PairsView(gone).step(pairs_page, now)["pair-extras"]["data"][f"high|{PAIR}|30m"]["data"] == []


def test_alerts_of_the_store_and_of_the_stream_are_marked_once(
    site: PageContext, pairs_page: Selection, alert: Make, now: Now
) -> None:
    older = (alert(1, START_S - 5), alert(2, START_S - 3))
    site.market.apply(update(alerts=(alert(2, START_S - 3), alert(3, START_S))), now)
    known = replace(site, readings=cast("PollCache", StubReadings(alerts=older)))
    markers = PairsView(known).step(pairs_page, now)["pair-extras"]["data"][f"zscore|{PAIR}|30m"]["markers"]
    assert [marker["time"] for marker in markers] == [START_S - 5, START_S - 3, START_S]


def test_the_csv_begins_where_the_chart_does(site: PageContext, pairs_page: Selection, now: Now) -> None:
    link = PairsView(site).step(pairs_page, now)["pair-csv"]["href"]
    first_us = (START_S - COUNT + 1) * SECOND
    assert link.startswith(f"/download/v1/pairs/{PAIR}/signals?start={first_us}&")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("BTCUSDT-ETHUSDT", f"{PAIR} is: with the legs swapped it is another pair."),
        ("ETHUSD-BTCUSDT", f"Did you mean {PAIR}?"),
        ("A-B", f"Watched pairs: {PAIR}."),
    ],
)
def test_a_pair_that_is_not_watched_says_what_is(
    site: PageContext, pairs_page: Selection, now: Now, asked: str, said: str
) -> None:
    text = PairsView(site).step(with_(pairs_page, pair=asked), now)["pair-empty"]["children"]
    assert text == f"{asked} is not watched here. {said}"


def test_no_pair_at_all_and_no_api_are_told_apart(site: PageContext, pairs_page: Selection, now: Now) -> None:
    site.market.watch([], ())
    assert PairsView(site).step(pairs_page, now)["pair-empty"]["children"] == "No pair is watched."
    away = LiveState(error="expected an answer from http://api.test")
    said = PairsView(replace(site, market=away)).step(pairs_page, now)["pair-empty"]["children"]
    assert said == "Waiting for the API. expected an answer from http://api.test"


def test_a_chart_that_is_not_what_it_could_be_says_why(
    site: PageContext, pairs_page: Selection, pair: WatchedPair, signal: Make, now: Now
) -> None:
    def said() -> str:
        return str(PairsView(site).step(pairs_page, now)["pair-state"]["children"])

    assert said() == ""
    quiet = signal(START_S + 1, quality="stale", reason="BTCUSDT is quiet")
    site.market.apply(update(signals=(quiet,)), now)
    assert said() == "Stale: BTCUSDT is quiet"
    site.market.link(False, now, "gone")
    assert said() == "Stale: the stream is lost, this is the last known."
    site.market.watch([msgspec.structs.replace(pair, paused=True)], ())
    assert said() == "Paused: nothing is measured until the pair is resumed."


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "band: 95 % interval 0.050000 to 0.060000 of one line through the last 20 bars of 1 s"),
        (
            {"method": "kalman"},
            "band: 95 % interval 0.050000 to 0.060000 of the last state over the last 20 bars of 1 s",
        ),
        (
            {"method": "tls", "regression": answer(Regression, level=0.95)},
            "no interval: the method tls has none",
        ),
        (
            {"regression": None, "not_enough_data": {"regression": "3 bars, 10 needed"}},
            "no interval: 3 bars, 10 needed",
        ),
    ],
)
def test_the_band_is_explained(fields: dict[str, Any], said: str) -> None:
    reading: PolledAnswer[Analysis] = PolledAnswer()
    assert band_words(reading) == ""
    reading.value = fit(**fields)
    assert band_words(reading) == said


def test_older_points_are_asked_for(site: PageContext, pairs_page: Selection, now: Now) -> None:
    reached: list[int] = []
    track: Any = site.tracks.signals(PAIR, (), EventLog())
    track.ensure_length = reached.append
    view = PairsView(site)
    view.step(pairs_page, now)
    view.step(with_(pairs_page, older=3600), now)
    view.step(with_(pairs_page, older=10**9), now)
    assert reached == [1800, 3600, 10_000]


def test_a_correction_is_sent_alone_marked_and_counted(
    site: PageContext, pairs_page: Selection, signal: Make, now: Now
) -> None:
    view, corrections = PairsView(site), site.market.corrections[PAIR]
    track: Any = site.tracks.signals(PAIR, (), corrections)
    track.correct(corrections)
    assert view.step(pairs_page, now)["pair-late"] == {"children": ""}
    between = signal(START_S + 1, closed=False, late=3)
    corrected = signal(START_S - 3, revision=1, late=1, zscore=1.5)
    site.market.apply(update(signals=(between, corrected)), now)
    track.correct(corrections)
    props = view.step(pairs_page, now)
    again = [one["bar"] for one in props["chart-pair"]["tick"] if one.get("historicalUpdate")]
    assert 1.5 in [bar.get("value") for bar in again]
    assert {bar["time"] for bar in again} == {START_S - 4, START_S - 3}
    (dot,) = props["pair-extras"]["data"][f"zscore|{PAIR}|30m"]["markers"]
    assert (dot["time"], dot["id"]) == (START_S - 3, "Corrected: 1 trade came late")
    assert props["pair-late"] == {"children": "3 trades came late, 1 second shown was corrected"}


def test_an_outlier_is_marked_beside_what_else_is(
    site: PageContext, pairs_page: Selection, signal: Make, now: Now
) -> None:
    seconds = range(START_S - 9, START_S + 1)
    known = [signal(at, outlier=at == START_S - 4, revision=int(at == START_S - 2)) for at in seconds]
    marked = replace(site, tracks=cast("SeriesCache", StubTracks([], known)))
    props = PairsView(marked).step(pairs_page, now)
    drawn = props["pair-extras"]["data"][f"zscore|{PAIR}|30m"]["markers"]
    assert [(one["time"] - START_S, one["id"].split(":")[0]) for one in drawn] == [
        (-4, "Outlier"),
        (-2, "Corrected"),
    ]


def test_a_new_stream_goes_on_while_the_signals_are_not_read_yet(
    site: PageContext, pairs_page: Selection, now: Now
) -> None:
    before = PairsView(site)
    before.step(pairs_page, now)
    unread = replace(site, tracks=cast("SeriesCache", StubTracks([], [])))
    assert "chart-pair" not in PairsView(unread, before.mark).step(pairs_page, now)


def test_seconds_that_lack_trades_are_shaded(site: PageContext, pairs_page: Selection, now: Now) -> None:
    at_us = (START_S - 5) * SECOND
    gap = answer(Gap, symbol="BTCUSDT", start_us=at_us + 1, end_us=at_us + 2, missing=3)
    site.market.tapes = (tape("BTCUSDT", open_gaps=1),)
    holed = replace(site, readings=cast("PollCache", StubReadings(gaps=Listing(data=(gap,)))))
    props = PairsView(holed).step(pairs_page, now)
    drawn = [one for one in props["chart-pair"]["series"] if one["id"].startswith("shade|")]
    assert [[point["time"] for point in one["data"]] for one in drawn] == [[START_S - 5]] * 5
    assert all(one in props["pair-extras"]["data"].values() for one in drawn)
