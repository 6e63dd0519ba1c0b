"""Alerts page in one session."""

from dataclasses import replace
from typing import Any, cast

import pytest

from services.ui.api.poll_cache import PollCache
from services.ui.api.types import Listing
from services.ui.pages.alerts.view import AlertsView
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Selection
from tests.unit.ui.answers import update
from tests.unit.ui.conftest import PAIR, START_S, Make, StubReadings

PAGE = Selection("one", "alerts", 1, asks={"turn": 1, "state": "all"})


@pytest.fixture
def read_site(site: PageContext, incident: Make) -> PageContext:
    """Return a site whose API has listed one alert, and has more."""
    found = Listing(data=(incident(1),), next_cursor="more")
    return replace(site, readings=cast("PollCache", StubReadings(**{"alerts-page": found})))


def test_the_newest_page_is_shown_with_the_way_to_older_ones(read_site: PageContext, now: Now) -> None:
    props = AlertsView(read_site).step(PAGE, now)
    first = props["alerts-first"]["data"]
    assert ([row["id"] for row in first["rows"]], first["cursor"], first["turn"]) == (["alert-1"], "more", 1)
    assert props["alerts-empty"]["className"] == "pane-empty"
    assert props["alerts-pair"]["data"][1] == {"value": PAIR, "label": PAIR}


def test_live_alerts_come_beside_it_and_make_the_title(read_site: PageContext, alert: Make, now: Now) -> None:
    view = AlertsView(read_site)
    read_site.market.apply(update(alerts=(alert(2, START_S + 1),)), now)
    live = view.step(PAGE, now)["alerts-live"]["data"]
    # The one before it is over, as its rule and pair fire anew.
    assert {row["id"]: row["state"] for row in live["rows"]} == {"alert-1": "ended", "alert-2": "firing"}
    assert view.title == "1 firing"
    again = view.step(PAGE, now)["alerts-live"]["data"]
    assert again["rows"] is live["rows"]  # nothing is made anew while nothing happens
    other = replace(PAGE, asks={"turn": 2, "state": "resolved"})
    live = view.step(other, now)["alerts-live"]["data"]
    assert live["turn"] == 2
    assert all(row["is_gone"] for row in live["rows"])


def test_subjects_that_are_no_pairs_can_be_chosen(read_site: PageContext, price_move: Make, now: Now) -> None:
    read_site.market.apply(update(alerts=(price_move(),)), now)
    options = AlertsView(read_site).step(PAGE, now)["alerts-pair"]["data"]
    assert [option["value"] for option in options] == ["", PAIR, "BTCUSDT"]


def test_nothing_is_said_with_its_reason(site: PageContext, now: Now) -> None:
    props = AlertsView(site).step(PAGE, now)
    assert props["alerts-empty"]["children"] == "Reading…"
    assert "alerts-first" not in props
    none: Any = Listing(data=())
    site = replace(site, readings=cast("PollCache", StubReadings(**{"alerts-page": none})))
    assert AlertsView(site).step(PAGE, now)["alerts-empty"]["children"].startswith("No alert so far.")


def test_thresholds_are_sent_whole_once_and_then_what_changed(
    read_site: PageContext, signal: Make, alert: Make, now: Now
) -> None:
    view = AlertsView(read_site)
    assert len(view.step(PAGE, now)["thresholds-table"]["rowData"]) == 1
    assert "thresholds-table" not in view.step(PAGE, now)
    # An alert is not kept waiting for the next second.
    read_site.market.apply(update(alerts=(alert(2),)), now)
    (row,) = view.step(PAGE, now)["thresholds-table-changed"]["rows"]
    assert row["is_firing"]


def test_what_fires_can_be_acknowledged_at_once_and_a_chosen_pair_snoozed(
    read_site: PageContext, alert: Make, price_move: Make, now: Now
) -> None:
    view = AlertsView(read_site)
    assert view.step(PAGE, now)["alerts-ack-all"]["hidden"]
    assert view.step(PAGE, now)["alerts-snooze-box"]["hidden"]
    read_site.market.apply(update(alerts=(alert(2), price_move())), now)
    assert view.step(PAGE, now)["alerts-ack-all"] == {"children": "Acknowledge 2 firing", "hidden": False}
    props = view.step(replace(PAGE, asks={"turn": 2, "state": "all", "pair": PAIR}), now)
    assert props["alerts-ack-all"]["children"] == "Acknowledge 1 firing"
    assert props["alerts-snooze-box"] == {"hidden": False}
