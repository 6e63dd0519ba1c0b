"""Alert history: the requests, and the text when there is no alert."""

from typing import Any

import pytest

from services.common.clock import SECOND
from services.ui.alerts.actions import RETRACTED
from services.ui.pages.alerts import history
from services.ui.pages.alerts.history import HistoryFilter
from services.ui.state.alert_state import AlertState
from services.ui.state.live_state import LiveState
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
        ({"pair": "BTC-USDT"}, {"subject": "BTC-USDT"}),
        ({"rule": "wide"}, {"rule": "wide"}),
        ({"state": "retracted"}, {"state": "retracted"}),
        ({"state": "acknowledged"}, {"acked": "true"}),
        ({"snoozed": "yes"}, {"snoozed": "true"}),
        ({"snoozed": "no", "state": "firing"}, {"snoozed": "false", "state": "firing"}),
        ({"snoozed": "odd"}, {}),
        ({"from": 1_000, "to": 2_000}, {"start": 1_000_000, "end": 2_000_000}),
    ],
)
def test_the_filters_become_what_the_api_is_asked(market: LiveState, asks: Any, params: Any) -> None:
    assert wanted(**asks).params(market) == params


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
def test_live_alerts_go_by_the_same_filters(asks: Any, is_included: bool, incident: Make) -> None:
    assert wanted(**asks).includes(incident(), START_US) is is_included


@pytest.mark.parametrize(("until_us", "is_snoozed"), [(None, False), (START_US, False), (START_US + 1, True)])
def test_an_alert_is_snoozed_until_its_moment(until_us: int | None, is_snoozed: bool, incident: Make) -> None:
    one = incident(snoozed_until_us=until_us)
    assert wanted(snoozed="yes").includes(one, START_US) is is_snoozed
    assert wanted(snoozed="no").includes(one, START_US) is not is_snoozed


def test_a_retracted_alert_says_so_and_why_and_its_row_changes_however_old_it_is(incident: Make) -> None:
    ages = {"y_age_s": 0.2, "x_age_s": 4.1}
    (fired,) = history.rows([incident(1, **ages)])
    assert (fired["state"], fired["message"]) == ("firing", "beyond entry, prices 0.2 s and 4.1 s old")
    (retracted,) = history.rows([incident(1, state="retracted", retracted_by="alert-9", **ages)])
    assert (retracted["state"], retracted["is_open"]) == ("retracted", False)
    assert retracted["message"] == f"Retracted: {fired['message']}. {RETRACTED}"
    assert retracted["handling"] != fired["handling"]


def test_a_firing_alert_begins_with_whether_the_spread_was_seen_to_revert(incident: Make) -> None:
    said = {"message": f"{PAIR}: z-score +2.31 reached ±2, reversion unproven", "reversion": "unproven"}
    known = [
        incident(1, **said),
        incident(2, state="resolved", reversion="reverting"),
        incident(3, state="retracted", retracted_by="alert-4", **said),
    ]
    fired, resolved, retracted = history.rows(known)
    assert fired["message"] == "unproven: the spread was not shown to revert; z-score +2.31 reached ±2"
    assert resolved["message"] == "beyond entry"
    assert retracted["message"].startswith("Retracted: z-score +2.31 reached ±2.")


def test_z_and_threshold_have_the_digits_that_tell_them_apart(incident: Make) -> None:
    near, beyond = history.rows(
        [incident(value=-2.0004, threshold=2.0), incident(value=2.5, threshold=2.125)]
    )
    assert near["text"] == {"value": "−2.0004", "threshold": "2.00", "peak": "—", "lasted": "—"}
    assert beyond["text"] == {"value": "+2.50", "threshold": "2.125", "peak": "—", "lasted": "—"}


def test_a_row_of_another_rule_says_which_and_what_it_measured(incident: Make, moved_incident: Make) -> None:
    moved, usual = history.rows([moved_incident(), incident()])
    assert (moved["subject"], moved["href"]) == ("BTCUSDT", "/?symbol=BTCUSDT")
    assert (moved["metric"], moved["value"]) == ("price_move", 0.052)
    assert moved["text"] == {"value": "0.052", "threshold": "—", "peak": "—", "lasted": "—"}
    assert moved["message"] == "btc-moves, critical, desk majors; moved by 5.2 %"
    assert (usual["subject"], usual["href"]) == (PAIR, f"/pairs?pair={PAIR}")
    assert (usual["metric"], usual["value"], usual["message"]) == ("zscore", 2.31, "beyond entry")


def test_live_alerts_of_any_subject_go_by_it(moved_incident: Make) -> None:
    assert wanted(pair="BTCUSDT").includes(moved_incident(), START_US)
    assert not wanted(pair=PAIR).includes(moved_incident(), START_US)
    assert wanted(pair=PAIR).includes(moved_incident(pair=PAIR), START_US)


def test_the_csv_has_the_same_filters(market: LiveState) -> None:
    link = history.csv(wanted(pair=PAIR, state="acknowledged"), market)
    assert link == f"/download/v1/incidents?pair={PAIR}&acked=true&limit=1000000&format=csv"


def test_nothing_has_a_reason() -> None:
    assert wanted().nothing("UTC").startswith("No alert so far. One fires when |z|")
    assert wanted(snoozed="yes").nothing("UTC") == "No alert that is snoozed."
    assert wanted(snoozed="no", state="firing").nothing("UTC") == "No firing alert that is not snoozed."
    asked = wanted(pair=PAIR, state="resolved", **{"from": START_S * 1000})
    assert asked.nothing("Asia/Tokyo") == f"No resolved alert of {PAIR} since 2023-11-15 07:13:20 JST."


def test_an_incident_that_is_over_shows_its_end_duration_and_peak(incident: Make) -> None:
    over = incident(state="resolved", end_us=START_US + 125 * SECOND, duration_s=125.0, peak=-3.25)
    ended, open_one = history.rows([over, incident(peak=2.5)])
    assert (ended["is_open"], ended["end"]) == (False, START_S * 1000 + 125_000)
    assert (ended["text"]["lasted"], ended["text"]["peak"]) == ("2 min 5 s", "−3.25")
    assert (open_one["is_open"], open_one["end"], open_one["text"]["lasted"]) == (True, None, "—")
    assert open_one["text"]["peak"] == "+2.50"


def test_live_rows_are_what_changed_and_go_by_the_filter(alert: Make, incident: Make) -> None:
    alarms = AlertState()
    alarms.take([alert(1), alert(2, START_S + 5, state="resolved"), alert(3, START_S + 9)])
    listed = [incident(1)]
    rows = history.live(alarms, listed, wanted(), START_US)
    assert {row["id"]: row["state"] for row in rows} == {"alert-1": "resolved", "alert-3": "firing"}
    rows = history.live(alarms, listed, wanted(state="firing"), START_US)
    assert {row["id"]: row.get("is_gone", False) for row in rows} == {"alert-3": False, "alert-1": True}


def test_what_was_done_about_an_old_alert_only_changes_a_row_that_is_shown(alert: Make) -> None:
    alarms = AlertState()
    alarms.take([alert(2, START_S - 9999, acked_us=START_US, acked_by="desk")])
    alarms.take(alert(n, START_S + n, state="resolved") for n in range(3, 60))
    (row,) = history.live(alarms, [], wanted(), START_US)
    assert (row["id"], row["is_old"], row["acked"], row["by"]) == ("alert-2", True, START_S * 1000, "desk")
    assert "state" not in row


def test_a_row_leads_to_its_rule_and_to_its_pair_at_that_moment(incident: Make) -> None:
    usual, own, of_symbol = history.rows(
        [incident(1), incident(2, rule="wide", metric="zscore"), incident(3, pair=None, subject="BTCUSDT")]
    )
    assert usual["at_href"].startswith(f"/pairs?pair={PAIR}&past=2023-11-14T22%3A13%3A2")
    assert (usual["rule_href"], own["rule_href"]) == (None, "/rules?rule=wide")
    assert of_symbol["at_href"] is None


def test_a_row_says_who_has_called_it_a_false_alarm_and_why(incident: Make) -> None:
    shown = [
        incident(1),
        incident(2, false_us=7, false_by="desk"),
        incident(3, false_us=7, false_by="desk", note="x"),
    ]
    assert [one["judged"] for one in history.rows(shown)] == ["", "desk", "desk: x"]


def test_the_filter_of_a_rule_includes_its_incidents_alone(incident: Make) -> None:
    assert wanted(rule="wide").includes(incident(1, rule="wide", metric="zscore"), START_US)
    assert not wanted(rule="wide").includes(incident(1), START_US)
    assert wanted(rule="wide").nothing("UTC") == "No alert by wide."
