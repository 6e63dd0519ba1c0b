"""Updates that one session is sent."""

import json
from dataclasses import replace
from typing import Any

import pytest
from dash.development.base_component import Component

from services.common.clock import SECOND
from services.ui.pages import PAGES
from services.ui.shell.layout import shell
from services.ui.shell.push_loop import DRAWN
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import Page, PageContext, Selection
from services.ui.state.session import Session
from services.ui.widgets.batched_elements import BatchedElements
from tests.unit.ui.answers import update
from tests.unit.ui.conftest import PAIR, START_S, Make

VIEWS = {page.name: page.view for page in PAGES}


def tab(site: PageContext, mark: Any = None, **more: Any) -> Session:
    return Session(site, VIEWS, mark, **more)


def later(now: Now, seconds: float) -> Now:
    return Now(now.us + int(seconds * SECOND), now.s + seconds)


def test_only_what_changed_is_sent(site: PageContext, pairs_page: Selection, tick: Make, now: Now) -> None:
    one = tab(site)
    assert {"metric-zscore", "chart-pair", "feed-badge", "services", "mark"} <= set(one.step(pairs_page, now))
    # The first update of the chart; the same one is not sent again.
    assert set(one.step(pairs_page, now)) == {"chart-pair"}
    assert one.step(pairs_page, now) == {}
    site.market.apply(update(ticks=(tick(price=3401.5),)), now)
    assert one.step(pairs_page, now) == {"metric-y": {"children": "3\u202f401.50"}}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_everything_sent_has_a_place_and_is_json(
    page: Page, site: PageContext, alert: Make, now: Now
) -> None:
    ids = _ids(shell()) | _ids(page.layout())
    nothing = replace(site, market=LiveState())
    site.market.apply(update(alerts=(alert(),)), now)
    for asks in ({}, {"symbol": "ETHUSDT", "pair": PAIR}):
        for stood_on in (site, nothing):
            made = tab(stood_on).step(Selection("one", page.name, 1, asks=asks), now)
            props = BatchedElements(DRAWN).gather(made)
            assert set(props) <= ids
            json.dumps(props, default=Component.to_plotly_json, allow_nan=False)


def test_only_alerts_that_come_while_the_page_is_open_are_called_out(
    site: PageContext, pairs_page: Selection, alert: Make, now: Now
) -> None:
    site.market.apply(update(alerts=(alert(1),)), now)
    one = tab(site)
    assert "toasts" not in one.step(pairs_page, now)
    fresh = (alert(2, START_S + 1), alert(3, START_S + 1, state="resolved"))
    site.market.apply(update(alerts=fresh), now)
    shown = one.step(pairs_page, now)["toasts"]["sendNotifications"]
    assert [toast["id"] for toast in shown] == ["alert-2"]
    assert "toasts" not in one.step(pairs_page, now)


def test_a_retraction_changes_a_toast_without_a_tone(
    site: PageContext, pairs_page: Selection, alert: Make, now: Now
) -> None:
    one = tab(site)
    one.step(pairs_page, now)
    site.market.apply(update(alerts=(alert(1), alert(2, START_S + 1))), now)
    assert one.step(pairs_page, now)["alert-called"] == {"data": "alert-2"}
    retraction = alert(3, state="retracted", retracts="alert-1")
    site.market.apply(update(alerts=(retraction,)), now)
    props = one.step(pairs_page, now)
    assert [toast["action"] for toast in props["toasts"]["sendNotifications"]] == ["update"]
    assert "alert-called" not in props


def test_many_alerts_at_once_are_summed_up(
    site: PageContext, pairs_page: Selection, alert: Make, now: Now
) -> None:
    one = tab(site)
    one.step(pairs_page, now)
    site.market.apply(update(alerts=tuple(alert(n, START_S + n) for n in range(10))), now)
    shown = one.step(pairs_page, now)["toasts"]["sendNotifications"]
    assert [toast["id"] for toast in shown] == ["alert-7", "alert-8", "alert-9"]
    assert "And 7 more" in str(shown[0]["message"])


@pytest.mark.parametrize(("name", "chart"), [("market_page", "chart-candles"), ("pairs_page", "chart-pair")])
def test_a_new_stream_goes_on_where_the_last_one_ended(
    name: str, chart: str, site: PageContext, alert: Make, now: Now, request: pytest.FixtureRequest
) -> None:
    selection: Selection = request.getfixturevalue(name)
    site.market.apply(update(alerts=(alert(1),)), now)
    mark = json.loads(json.dumps(tab(site).step(selection, now)["mark"]["data"]))
    site.market.apply(update(alerts=(alert(2, START_S + 1),)), now)
    props = tab(site, mark, via="poll").step(selection, later(now, 1))
    assert set(props[chart]) == {"tick"}  # not the whole series, which would undo a zoom
    assert [toast["id"] for toast in props["toasts"]["sendNotifications"]] == ["alert-2"]
    assert props["mark"]["data"]["via"] == "poll"
    # The same page opened again begins with nothing on it.
    again = tab(site, mark).step(replace(selection, opened=2), later(now, 1))
    assert "series" in again[chart]


@pytest.mark.parametrize("mark", [None, {}, {"place": "odd"}, {"second": "x"}, [1]])
def test_a_mark_that_cannot_be_read_is_no_mark(
    mark: Any, site: PageContext, market_page: Selection, now: Now
) -> None:
    assert "series" in tab(site, mark).step(market_page, now)["chart-candles"]


def test_another_selection_fills_what_the_page_has_emptied(
    site: PageContext, market_page: Selection, now: Now
) -> None:
    one = tab(site)
    one.step(market_page, now)
    props = one.step(replace(market_page, asks={"symbol": "ETHUSDT", "interval": "5m"}), now)
    assert {"series", "timeScaleAction"} <= set(props["chart-candles"])
    assert props["candles-empty"]["className"] == "pane-empty"
    assert "legend-bar" in props


def test_another_page_is_filled_from_nothing(
    site: PageContext, market_page: Selection, pairs_page: Selection, now: Now
) -> None:
    one = tab(site)
    one.step(market_page, now)
    assert {"chart-pair", "metric-y"} <= set(one.step(replace(pairs_page, opened=2), now))


def test_the_first_pair_is_chosen_when_the_address_names_none(
    site: PageContext, pairs_page: Selection, now: Now
) -> None:
    # Until the page has read its address it may still name one.
    assert tab(site).step(replace(pairs_page, asks={}), now)["pair-select"] == {"data": [PAIR]}
    props = tab(site).step(replace(pairs_page, asks={"address": {}}), now)
    assert props["pair-select"] == {"data": [PAIR], "value": PAIR}
    # Its numbers come at once; the chart waits until the page has said how many panes it has room for.
    assert props["metric-zscore"]["children"] == "+0.75"
    assert "chart-pair" not in props
    props = tab(site).step(replace(pairs_page, asks={"address": {"pair": "A-B"}, "turn": 1}), now)
    assert props["pair-select"] == {"data": [PAIR, "A-B"]}


def test_a_pair_that_is_not_watched_is_said(site: PageContext, pairs_page: Selection, now: Now) -> None:
    props = tab(site).step(replace(pairs_page, asks={"pair": "A-B"}), now)
    assert props["pair-empty"]["children"] == f"A-B is not watched here. Watched pairs: {PAIR}."


def test_the_title_tells_the_z_score(site: PageContext, pairs_page: Selection, now: Now) -> None:
    assert tab(site).step(pairs_page, now)["mark"]["data"]["title"] == f"+0.75 {PAIR} · pairstream"
    site.market.link(False, now, "gone")
    assert tab(site).step(pairs_page, now)["mark"]["data"]["title"] == "pairstream"


@pytest.mark.parametrize(
    ("store", "read"),
    [
        (None, None),
        ({"tab": "t"}, None),
        ({"page": "pairs"}, None),
        ({"tab": "t", "page": "pairs"}, Selection("t", "pairs")),
        ({"tab": "t", "page": "p", "opened": "x", "zone": None, "asks": []}, Selection("t", "p")),
        (
            {"tab": "t", "page": "p", "opened": 2, "zone": "Asia/Tokyo", "asks": {"pair": "A-B"}},
            Selection("t", "p", 2, "Asia/Tokyo", {"pair": "A-B"}),
        ),
    ],
)
def test_a_selection_is_read_with_care(store: Any, read: Selection | None) -> None:
    assert Selection.read(store) == read


def _ids(root: Any) -> set[str]:
    return {component.id for component in root._traverse() if getattr(component, "id", None)}
