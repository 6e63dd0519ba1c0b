"""What one tab is sent."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from dash.development.base_component import Component

from services.common.clock import SECOND
from services.ui.answers import StreamMessage, WatchedPair
from services.ui.layout import page
from services.ui.market import Market, Now
from services.ui.tab import Tab
from services.ui.tracks import Track, Tracks
from services.ui.view import Selection
from tests.unit.ui.conftest import PAIR, START_S, Make


class StubTracks:
    """Tracks that hold what they were given."""

    def __init__(self, bars: list[Any], signals: list[Any]) -> None:
        self._bars, self._signals = _track(bars), _track(signals)

    def bars(self, symbol: str, interval: str) -> Track[Any]:
        return self._bars

    def signals(self, pair: str, closes: Any) -> Track[Any]:
        return self._signals


def _track(points: list[Any]) -> Track[Any]:
    async def fetch(count: int) -> list[Any]:
        return points

    track: Track[Any] = Track(fetch, 100, 1.0)
    track.points, track.generation, track.loaded = points, 1, True
    return track


@pytest.fixture
def market(pair: WatchedPair, tick: Make, signal: Make, service: Make, now: Now) -> Market:
    market = Market()
    market.watch([pair], [])
    market.apply(
        StreamMessage("snapshot", "live", ticks=(tick(), tick("BTCUSDT", 64000.1)), signals=(signal(),)), now
    )
    market.services = (service(),)
    market.link(True, now)
    return market


@pytest.fixture
def tracks(bar: Make, signal: Make) -> Tracks:
    return cast("Tracks", StubTracks([bar()], [signal()]))


def later(now: Now, seconds: float) -> Now:
    return Now(now.us + int(seconds * SECOND), now.s + seconds)


Step = Callable[..., dict[str, dict[str, Any]]]


def test_only_what_changed_is_sent(
    market: Market, tracks: Tracks, selection: Selection, tick: Make, now: Now
) -> None:
    tab = Tab()
    first = tab.step(market, tracks, selection, now)
    assert {
        "metric-zscore",
        "chart-candles",
        "chart-pair",
        "feed-badge",
        "services",
        "alerts-table",
        "mark",
    } <= set(first)
    second = tab.step(market, tracks, selection, now)
    assert set(second) == {
        "chart-candles",
        "chart-pair",
    }  # the first update of each; the same one is not sent again
    assert tab.step(market, tracks, selection, now) == {}
    market.apply(StreamMessage("update", ticks=(tick(price=3401.5),)), now)
    assert tab.step(market, tracks, selection, now) == {"metric-y": {"children": "3\u202f401.50"}}


def test_everything_sent_has_a_place_on_the_page(
    market: Market, tracks: Tracks, selection: Selection, now: Now
) -> None:
    ids = _ids(page())
    assert set(Tab().step(market, tracks, selection, now)) <= ids
    assert set(Tab().step(Market(), tracks, selection, now)) <= ids


def test_everything_sent_is_json(
    market: Market, tracks: Tracks, selection: Selection, alert: Make, now: Now
) -> None:
    market.apply(StreamMessage("update", alerts=(alert(),)), now)
    props = Tab().step(market, tracks, selection, now)
    json.dumps(props, default=Component.to_plotly_json, allow_nan=False)


def test_only_alerts_that_come_while_the_page_is_open_are_called_out(
    market: Market, tracks: Tracks, selection: Selection, alert: Make, now: Now
) -> None:
    market.apply(StreamMessage("update", alerts=(alert(1),)), now)
    tab = Tab()
    assert "toasts" not in tab.step(market, tracks, selection, now)
    market.apply(
        StreamMessage("update", alerts=(alert(2, START_S + 1), alert(3, START_S + 1, state="resolved"))), now
    )
    shown = tab.step(market, tracks, selection, now)["toasts"]["sendNotifications"]
    assert [toast["id"] for toast in shown] == ["alert-2"]
    assert "toasts" not in tab.step(market, tracks, selection, now)


def test_many_alerts_at_once_are_summed_up(
    market: Market, tracks: Tracks, selection: Selection, alert: Make, now: Now
) -> None:
    tab = Tab()
    tab.step(market, tracks, selection, now)
    market.apply(StreamMessage("update", alerts=tuple(alert(n, START_S + n) for n in range(10))), now)
    shown = tab.step(market, tracks, selection, now)["toasts"]["sendNotifications"]
    assert [toast["id"] for toast in shown] == ["alert-7", "alert-8", "alert-9"]
    assert "And 7 more" in shown[0]["message"]


def test_a_new_stream_goes_on_where_the_last_one_ended(
    market: Market, tracks: Tracks, selection: Selection, alert: Make, now: Now
) -> None:
    market.apply(StreamMessage("update", alerts=(alert(1),)), now)
    mark = Tab().step(market, tracks, selection, now)["mark"]["data"]
    market.apply(StreamMessage("update", alerts=(alert(2, START_S + 1),)), now)
    props = Tab(json.loads(json.dumps(mark)), via="poll").step(market, tracks, selection, later(now, 1))
    assert set(props["chart-candles"]) == {"tick"}  # not the whole series, which would undo a zoom
    assert [toast["id"] for toast in props["toasts"]["sendNotifications"]] == ["alert-2"]
    assert props["mark"]["data"]["via"] == "poll"


@pytest.mark.parametrize("mark", [None, {}, {"candles": "odd"}, {"second": "x"}, [1]])
def test_a_mark_that_cannot_be_read_is_no_mark(
    mark: Any, market: Market, tracks: Tracks, selection: Selection, now: Now
) -> None:
    assert "series" in Tab(mark).step(market, tracks, selection, now)["chart-candles"]


def test_another_selection_fills_what_the_page_has_emptied(
    market: Market, tracks: Tracks, selection: Selection, now: Now
) -> None:
    tab = Tab()
    tab.step(market, tracks, selection, now)
    props = tab.step(market, tracks, replace(selection, interval="5m"), now)
    assert {"series", "timeScaleAction"} <= set(props["chart-candles"])
    assert "series" not in props["chart-pair"]
    assert props["candles-empty"]["className"] == "pane-empty"
    assert "legend-bar" in props


def test_the_first_pair_is_chosen_when_the_address_names_none(
    market: Market, tracks: Tracks, selection: Selection, now: Now
) -> None:
    props = Tab().step(market, tracks, replace(selection, pair=None), now)
    assert props["pair-select"] == {"data": [PAIR], "value": PAIR}
    assert "chart-candles" not in props


def test_the_title_tells_the_z_score(market: Market, tracks: Tracks, selection: Selection, now: Now) -> None:
    assert Tab().step(market, tracks, selection, now)["mark"]["data"]["title"] == f"+0.75 {PAIR} · pairstream"
    market.link(False, now, "gone")
    assert Tab().step(market, tracks, selection, now)["mark"]["data"]["title"] == "pairstream"


@pytest.mark.parametrize(
    ("store", "read"),
    [
        (None, None),
        ({"pair": "A-B"}, None),
        ({"tab": "t"}, Selection("t", None, "y", "1m")),
        ({"tab": "t", "pair": "A-B", "leg": "x", "interval": "1h"}, Selection("t", "A-B", "x", "1h")),
        ({"tab": "t", "leg": "z", "interval": "2m"}, Selection("t", None, "y", "1m")),
    ],
)
def test_a_selection_is_read_with_care(store: Any, read: Selection | None) -> None:
    assert Selection.read(store) == read


def _ids(root: Any) -> set[str]:
    return {component.id for component in root._traverse() if getattr(component, "id", None)}
