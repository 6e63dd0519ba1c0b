"""Alert history: the requests, and the text when there is no alert."""

from typing import Any

import pytest

from services.common.clock import SECOND
from services.ui.alerts.actions import RETRACTED
from services.ui.pages.alerts import history
from services.ui.pages.alerts.history import HistoryFilter
from services.ui.state.page_context import Selection
from tests.unit.ui.conftest import PAIR, START_S, Make

START_US = START_S * SECOND


def wanted(**asks: Any) -> HistoryFilter:
    return HistoryFilter.read(Selection("one", "alerts", 1, asks=asks))


@pytest.mark.parametrize(
    ("asks", "params"),
    [
        ({}, {}),
        ({"state": "odd", "from": "soon", "to": True}, {}),
        ({"pair": PAIR, "state": "firing"}, {"pair": PAIR, "state": "firing"}),
        ({"pair": "BTCUSDT"}, {"subject": "BTCUSDT"}),
        ({"state": "retracted"}, {"state": "retracted"}),
        ({"state": "acknowledged"}, {"acked": "true"}),
        ({"snoozed": "yes"}, {"snoozed": "true"}),
        ({"snoozed": "no", "state": "firing"}, {"snoozed": "false", "state": "firing"}),
        ({"snoozed": "odd"}, {}),
        ({"from": 1_000, "to": 2_000}, {"start": 1_000_000, "end": 2_000_000}),
    ],
)
def test_the_filters_become_what_the_api_is_asked(asks: Any, params: Any) -> None:
    assert wanted(**asks).params() == params


@pytest.mark.parametrize(
    ("asks", "is_included"),
    [
        ({}, True),
        ({"pair": PAIR}, True),
        ({"pair": "A-B"}, False),
        ({"state": "firing"}, True),
        ({"state": "resolved"}, False),
        ({"state": "acknowledged"}, False),
        ({"from": START_S * 1000}, True),
        ({"from": START_S * 1000 + 1}, False),
        ({"to": START_S * 1000}, False),
        ({"to": START_S * 1000 + 1}, True),
    ],
)
def test_live_alerts_go_by_the_same_filters(asks: Any, is_included: bool, alert: Make) -> None:
    assert wanted(**asks).includes(alert(), START_US) is is_included


@pytest.mark.parametrize(("until_us", "is_snoozed"), [(None, False), (START_US, False), (START_US + 1, True)])
def test_an_alert_is_snoozed_until_its_moment(until_us: int | None, is_snoozed: bool, alert: Make) -> None:
    one = alert(snoozed_until_us=until_us)
    assert wanted(snoozed="yes").includes(one, START_US) is is_snoozed
    assert wanted(snoozed="no").includes(one, START_US) is not is_snoozed


def test_what_was_done_about_an_old_alert_only_changes_a_row_that_is_shown(alert: Make) -> None:
    recent = alert(1)
    old = alert(2, START_S - 9999, acked_us=START_US, acked_by="desk")
    rows = history.live([recent], {"alert-2": old}, wanted(), START_US)
    assert [(row["id"], row.get("is_old", False)) for row in rows] == [("alert-1", False), ("alert-2", True)]
    assert (rows[1]["acked"], rows[1]["by"]) == (START_S * 1000, "desk")


def test_a_retracted_alert_says_so_and_why_and_its_row_changes_however_old_it_is(alert: Make) -> None:
    ages = {"y_age_s": 0.2, "x_age_s": 4.1}
    (fired,) = history.rows([alert(1, **ages)])
    assert (fired["state"], fired["message"]) == ("firing", "beyond entry, prices 0.2 s and 4.1 s old")
    (retracted,) = history.rows([alert(1, retracted_by="alert-9", **ages)])
    assert retracted["state"] == "firing, retracted"
    assert retracted["message"] == f"Retracted: {fired['message']}. {RETRACTED}"
    assert retracted["handling"] != fired["handling"]


def test_a_firing_alert_begins_with_whether_the_spread_was_seen_to_revert(alert: Make) -> None:
    said = {"message": f"{PAIR}: z-score +2.31 reached ±2, reversion unproven", "reversion": "unproven"}
    known = [
        alert(1, **said),
        alert(2, state="resolved", reversion="reverting"),
        alert(3, retracted_by="alert-4", **said),
    ]
    fired, resolved, retracted = history.rows(known)
    assert fired["message"] == "unproven: the spread was not shown to revert; z-score +2.31 reached ±2"
    assert resolved["message"] == "beyond entry"
    assert retracted["message"].startswith("Retracted: z-score +2.31 reached ±2.")


def test_z_and_threshold_have_the_digits_that_tell_them_apart(alert: Make) -> None:
    near, beyond = history.rows([alert(value=-2.0004, threshold=2.0), alert(value=2.5, threshold=2.125)])
    assert near["text"] == {"value": "−2.0004", "threshold": "2.00"}
    assert beyond["text"] == {"value": "+2.50", "threshold": "2.125"}


def test_a_row_of_another_rule_says_which_and_what_it_measured(alert: Make, price_move: Make) -> None:
    moved, usual = history.rows([price_move(), alert()])
    assert (moved["subject"], moved["href"]) == ("BTCUSDT", "/?symbol=BTCUSDT")
    assert (moved["metric"], moved["value"]) == ("price_move", 0.052)
    assert moved["text"] == {"value": "0.052", "threshold": "—"}
    assert moved["message"] == "btc-moves, critical, desk majors; moved by 5.2 %"
    assert (usual["subject"], usual["href"]) == (PAIR, f"/pairs?pair={PAIR}")
    assert (usual["metric"], usual["value"], usual["message"]) == ("zscore", 2.31, "beyond entry")


def test_live_alerts_of_any_subject_go_by_it(price_move: Make) -> None:
    assert wanted(pair="BTCUSDT").includes(price_move(), START_US)
    assert not wanted(pair=PAIR).includes(price_move(), START_US)
    assert wanted(pair=PAIR).includes(price_move(pair=PAIR), START_US)


def test_the_csv_has_the_same_filters() -> None:
    link = history.csv(wanted(pair=PAIR, state="acknowledged"))
    assert link == f"/download/v1/alerts?pair={PAIR}&acked=true&limit=1000000&format=csv"


def test_nothing_has_a_reason() -> None:
    assert wanted().nothing("UTC").startswith("No alert so far. One fires when |z|")
    assert wanted(snoozed="yes").nothing("UTC") == "No alert that is snoozed."
    assert wanted(snoozed="no", state="firing").nothing("UTC") == "No firing alert that is not snoozed."
    asked = wanted(pair=PAIR, state="resolved", **{"from": START_S * 1000})
    assert asked.nothing("Asia/Tokyo") == f"No resolved alert of {PAIR} since 2023-11-15 07:13:20 JST."
