"""Market page in one session."""

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from services.common.clock import SECOND
from services.ui.api.poll_cache import PollCache
from services.ui.api.types import Bar, Gap, Listing
from services.ui.charts import palette
from services.ui.pages.market.view import MarketView
from services.ui.series.buffer import SeriesBuffer
from services.ui.series.cache import BARS_KEPT, SeriesCache
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Selection
from tests.unit.ui.answers import answer, stats, tape, update
from tests.unit.ui.conftest import START_S, Make, StubReadings, track_of

ONE = {"symbol": "ETHUSDT", "interval": "1m"}


def asking(**asks: Any) -> Selection:
    return Selection("one", "market", 1, asks={**ONE, **asks})


def later(now: Now, seconds: float) -> Now:
    return Now(now.us + int(seconds * SECOND), now.s + seconds)


def test_as_many_charts_as_intervals(site: PageContext, now: Now) -> None:
    props = MarketView(site).step(asking(interval="1s,1h"), now)
    drawn = {chart: values["series"][0]["id"] for chart, values in props.items() if "series" in values}
    assert drawn == {"chart-candles": "candles|ETHUSDT|1s", "chart-candles-2": "candles|ETHUSDT|1h"}
    assert props["candles-2-title"] == {"children": "ETHUSDT 1h"}


def drawn_in(props: Mapping[str, Any]) -> list[str]:
    return [
        values["series"][0]["id"].removeprefix("candles|") for values in props.values() if "series" in values
    ]


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [
        ("ETHUSDT,BTCUSDT", ["ETHUSDT|1m", "BTCUSDT|15s"]),
        ("ETHUSDT", ["ETHUSDT|1m", "ETHUSDT|15s"]),
        (",,BTCUSDT,ETHUSDT,SOLUSDT", ["BTCUSDT|1m", "ETHUSDT|15s"]),
    ],
)
def test_each_chart_has_a_symbol_of_its_own_and_the_first_where_none_is_said(
    site: PageContext, now: Now, symbol: str, shown: list[str]
) -> None:
    props = MarketView(site).step(asking(symbol=symbol, interval="1m,15s"), now)
    assert drawn_in(props) == shown
    assert props["symbol-select-2"] == {"data": ["BTCUSDT", "ETHUSDT"]}


def test_the_quote_is_of_the_chart_that_was_used_last(site: PageContext, now: Now) -> None:
    two = asking(symbol="ETHUSDT,XRPUSDT", interval="1m,1m", active="-2")
    view = MarketView(site)
    assert view.step(two, now)["quote-symbol"] == {"children": "XRPUSDT"}
    gone = asking(symbol="ETHUSDT,XRPUSDT", active="-2")
    assert view.step(gone, now)["quote-symbol"] == {"children": "ETHUSDT"}


def test_levels_and_a_logarithmic_scale_are_drawn_without_moving_what_is_seen(
    site: PageContext, now: Now
) -> None:
    view = MarketView(site)
    plain = view.step(asking(), now)["chart-candles"]["series"][0]
    assert (plain["priceLines"], plain["priceScaleOptions"]["mode"]) == ([], 0)
    levels = {"ETHUSDT": [3400.5, 3390], "BTCUSDT": [64_000]}
    chart = view.step(asking(levels=levels, log=[""]), now)["chart-candles"]
    assert "timeScaleAction" not in chart
    assert [line["price"] for line in chart["series"][0]["priceLines"]] == [3400.5, 3390]
    assert chart["series"][0]["priceScaleOptions"]["mode"] == 1
    address = {"symbol": "ETHUSDT", "interval": "1m", "log": "2,1"}
    opened = MarketView(site).step(replace(asking(), asks={"address": address}), now)
    assert opened["chart-candles"]["series"][0]["priceScaleOptions"]["mode"] == 1


@pytest.mark.parametrize("interval", ["", "2m", "1s,1m,1h", "1s,2m,1h,5m", "1m," * 40])
def test_other_intervals_are_one_usual_chart(site: PageContext, now: Now, interval: str) -> None:
    props = MarketView(site).step(asking(interval=interval), now)
    assert [values["series"][0]["id"] for values in props.values() if "series" in values] == [
        "candles|ETHUSDT|1m"
    ]


def test_a_chart_that_was_emptied_is_filled_again(site: PageContext, now: Now) -> None:
    view = MarketView(site)
    view.step(asking(), now)
    assert set(view.step(asking(), now)["chart-candles"]) == {"tick"}
    # Another symbol and back within one frame: the server has seen the same twice.
    assert "series" in view.step(asking(turns={"": 2}), now)["chart-candles"]
    assert set(view.step(asking(turns={"": 2, "-2": 1}), now)["chart-candles"]) == {"tick"}


def test_a_chart_taken_away_comes_back_whole(site: PageContext, now: Now) -> None:
    view = MarketView(site)
    view.step(asking(interval="1m,5m"), now)
    assert "chart-candles-2" not in view.step(asking(), now)
    assert "series" in view.step(asking(interval="1m,5m"), now)["chart-candles-2"]


@pytest.mark.parametrize("mark", [None, {"": {"key": "odd"}}, [1], {"-2": 3}])
def test_a_mark_that_cannot_be_read_is_no_mark(site: PageContext, now: Now, mark: Any) -> None:
    assert "series" in MarketView(site, mark).step(asking(), now)["chart-candles"]


def test_the_table_is_sent_whole_once_and_then_what_changed_each_second(
    site: PageContext, tick: Make, now: Now
) -> None:
    view = MarketView(site)
    first = view.step(asking(), now)["symbols-table"]
    assert [row["id"] for row in first["rowData"]] == ["BTCUSDT", "ETHUSDT"]
    site.market.apply(update(ticks=(tick(price=3401.5),)), now)
    assert "symbols-table" not in view.step(asking(), later(now, 0.9))
    (changed,) = view.step(asking(), later(now, 1.0))["symbols-table-changed"]["rows"]
    assert (changed["id"], changed["last"]) == ("ETHUSDT", 3401.5)
    assert "symbols-table" not in view.step(asking(), later(now, 1.9))
    site.market.watch([], [stats("ETHUSDT")])
    assert len(view.step(asking(), later(now, 2.0))["symbols-table"]["rowData"]) == 1


def test_many_symbols_can_be_searched(site: PageContext, now: Now) -> None:
    assert MarketView(site).step(asking(), now)["symbol-filter"] == {"display": "none"}
    site.market.watch([], [stats(f"C{n}USDT") for n in range(8)])
    assert MarketView(site).step(asking(), now)["symbol-filter"] == {"display": "block"}


def test_the_first_symbol_is_chosen_when_the_address_names_none(site: PageContext, now: Now) -> None:
    props = MarketView(site).step(replace(asking(), asks={"address": {"interval": "1m"}}), now)
    assert props["symbol"] == {"data": "BTCUSDT"}
    # Before the address has been read nobody knows whether it names one.
    assert "symbol" not in MarketView(site).step(replace(asking(), asks={}), now)
    assert props["candles-title"] == {"children": "BTCUSDT 1m"}


def test_a_bar_that_trades_still_is_told(site: PageContext, bar: Make, now: Now) -> None:
    track = site.tracks.bars("ETHUSDT", "1m")
    track.points = [bar(closed=False, coverage=0.2, vwap=3400.5)]
    props = MarketView(site).step(asking(), now)
    assert props["legend-bar"]["children"].endswith("VWAP\N{NO-BREAK SPACE}3\u202f400.50  still open")
    assert props["chart-candles"]["series"][0]["data"][0]["color"] == palette.UP + palette.OPEN_ALPHA


def test_a_bar_of_only_a_part_of_its_time_is_told(site: PageContext, bar: Make, now: Now) -> None:
    track = site.tracks.bars("ETHUSDT", "1m")
    track.points = [bar(coverage=0.99999)]
    props = MarketView(site).step(asking(), now)
    assert props["legend-bar"]["children"].endswith("99.99\u202f% of its time")
    assert props["chart-candles"]["series"][0]["data"][0]["color"] == palette.UP + palette.OPEN_ALPHA
    track.points = [bar()]
    assert MarketView(site).step(asking(), now)["legend-bar"]["children"].endswith("V\N{NO-BREAK SPACE}12.5")


def test_the_quote_and_the_title_follow_the_last_trade(site: PageContext, now: Now) -> None:
    site.market.watch([], [stats("ETHUSDT", change_24h_pct=-0.5)])
    view = MarketView(site)
    props = view.step(asking(), now)
    assert props["quote-price"]["children"] == "3\u202f400.25"
    assert props["quote-change"] == {
        "children": "−0.50\u202f% in 24 h",
        "className": "quote-change num down",
    }
    assert view.title == "3\u202f400.25 ETHUSDT"
    assert (props["quote-price"]["className"], props["quote-age"]["children"]) == ("quote-price num", "")
    props = view.step(asking(), later(now, 12))
    assert props["quote-price"]["className"] == "quote-price num old"
    assert props["quote-age"]["children"] == "last trade 12 s ago"


class OneTrack:
    """Series cache with one buffer."""

    def __init__(self, track: SeriesBuffer[Bar]) -> None:
        self.track = track

    def bars(self, symbol: str, interval: str) -> SeriesBuffer[Bar]:
        return self.track

    def hours(self, symbols: Any) -> Mapping[str, SeriesBuffer[Bar]]:
        return {}


def test_older_bars_come_to_the_left_of_those_that_are_seen(site: PageContext, bar: Make, now: Now) -> None:
    stored = [bar(START_S + 60 * n) for n in range(1200)]

    async def older(count: int, before_us: int) -> list[Bar]:
        return [one for one in stored if one.start_us < before_us][-count:]

    async def run() -> None:
        clock = itertools.count(0, 10)  # each look is later than the last by more than the API is spared
        track = track_of(
            stored[-BARS_KEPT:], BARS_KEPT, fetch_older=older, monotonic=lambda: float(next(clock))
        )
        view = MarketView(replace(site, tracks=cast("SeriesCache", OneTrack(track))))
        assert len(view.step(asking(), now)["chart-candles"]["series"][0]["data"]) == 500
        assert view.step(asking(older={"": 1000}), now)["older"]["children"] == "Loading older bars…"
        await track.settled()
        props = view.step(asking(older={"": 1000}), now)
        data = props["chart-candles"]["series"][0]["data"]
        assert len(data) == 1000
        assert "timeScaleAction" not in props["chart-candles"]
        assert view.dropped == {"chart-candles": -500}  # what is seen moves to the right by as many
        assert props["older"]["children"] == ""
        # Another tab that has not asked goes on with what it has.
        other = MarketView(view.site)
        assert len(other.step(asking(), now)["chart-candles"]["series"][0]["data"]) == 500
        view.step(asking(older={"": 2000}), now)
        await track.settled()
        props = view.step(asking(older={"": 2000}), now)
        assert view.dropped == {"chart-candles": -200}
        assert props["older"]["children"] == "No older bars"
        assert set(view.step(asking(older={"": 2000}), now)["chart-candles"]) == {"tick"}
        assert view.dropped == {}

    asyncio.run(run())


def test_bars_that_lack_trades_are_shaded_until_they_are_there(
    site: PageContext, bar: Make, now: Now
) -> None:
    start_us = START_S * SECOND
    gap = answer(Gap, symbol="ETHUSDT", start_us=start_us + 1, end_us=start_us + 2, missing=3)
    site = replace(site, readings=cast("PollCache", StubReadings(gaps=Listing(data=(gap,)))))
    site.market.tapes = (tape("ETHUSDT", open_gaps=1),)
    view = MarketView(site)
    props = view.step(asking(), now)
    shade = props["chart-candles"]["series"][-1]
    assert (shade["id"], [point["time"] for point in shade["data"]]) == ("shade|ETHUSDT|1m", [START_S])
    assert props["candles-shades"] == {"data": {"chart-candles": shade}}
    site.market.tapes = (tape("ETHUSDT"),)
    assert view.step(asking(), now)["candles-shades"] == {"data": {}}


def test_a_new_stream_goes_on_while_the_bars_are_not_read_yet(site: PageContext, now: Now) -> None:
    before = MarketView(site)
    before.step(asking(), now)
    view = MarketView(replace(site, tracks=cast("SeriesCache", OneTrack(track_of([])))), before.mark)
    assert "chart-candles" not in view.step(asking(), now)


def test_an_unknown_symbol_is_told_with_what_the_api_says(site: PageContext, now: Now) -> None:
    track = track_of([])
    track.error, track.refusal = "status 404", "expected one of BTCUSDT, received 'XRPUSDT'"
    view = MarketView(replace(site, tracks=cast("SeriesCache", OneTrack(track))))
    props = view.step(asking(symbol="XRPUSDT"), now)
    assert props["candles-empty"]["children"] == (
        "The API does not have this: expected one of BTCUSDT, received 'XRPUSDT'"
    )
