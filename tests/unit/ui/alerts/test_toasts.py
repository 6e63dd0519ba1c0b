"""Toasts that appear, and toasts that go."""

import json

from dash.development.base_component import Component

from services.common.clock import SECOND
from services.ui.alerts.toasts import Toasts
from services.ui.state.alert_state import AlertState
from tests.unit.ui.conftest import PAIR, START_S, Make

NOW_US = START_S * SECOND


def text(toast: object) -> str:
    return json.dumps(toast, default=Component.to_plotly_json, ensure_ascii=False)


def test_a_toast_names_pair_z_threshold_and_time_and_links_to_the_pair(alert: Make) -> None:
    alarms = AlertState()
    toasts = Toasts(alarms, None)
    alarms.take([alert(1, value=-2.31, threshold=2.0)])
    (toast,) = toasts.step(alarms, "Asia/Tokyo", NOW_US)["sendNotifications"]
    for part in (
        f"/pairs?pair={PAIR}",
        "z −2.31",
        "threshold 2.00",
        "2023-11-15 07:13:20 JST",
        "beyond entry",
    ):
        assert part in text(toast)
    assert toasts.step(alarms, "UTC", NOW_US) == {}


def test_a_toast_of_another_rule_says_what_that_measured(price_move: Make) -> None:
    alarms = AlertState()
    toasts = Toasts(alarms, None)
    alarms.take([price_move()])
    (toast,) = toasts.step(alarms, "UTC", NOW_US)["sendNotifications"]
    for part in (
        "/?symbol=BTCUSDT",
        "price_move 0.052",
        "2023-11-14 22:13:20 UTC, limit 0.05. BTCUSDT: moved by 5.2 %",
        "Rule btc-moves, critical, desk majors.",
        "Acknowledge the alert of BTCUSDT",
    ):
        assert part in text(toast)


def test_the_toast_of_the_usual_rule_says_what_it_always_said(alert: Make) -> None:
    alarms = AlertState()
    toasts = Toasts(alarms, None)
    alarms.take([alert(1)])
    (toast,) = toasts.step(alarms, "UTC", NOW_US)["sendNotifications"]
    said = toast["message"].children[0].children
    assert said == ["2023-11-14 22:13:20 UTC, threshold 2.00. beyond entry"]
    assert len(toast["message"].children) == 2
    assert toast["title"][1] == "  z +2.31"


def test_a_toast_says_whether_the_spread_was_seen_to_revert(alert: Make) -> None:
    alarms = AlertState()
    toasts = Toasts(alarms, None)
    alarms.take([alert(1, message="z-score +2.31 reached ±2, reversion unproven", reversion="unproven")])
    (toast,) = toasts.step(alarms, "UTC", NOW_US)["sendNotifications"]
    assert "Unproven: the spread was not shown to revert." in text(toast)
    assert "reached ±2" in text(toast)
    assert "reversion unproven" not in text(toast)


def test_a_toast_tells_z_from_a_threshold_with_many_digits(alert: Make) -> None:
    alarms = AlertState()
    toasts = Toasts(alarms, None)
    alarms.take([alert(1, value=2.2504, threshold=2.25)])
    (toast,) = toasts.step(alarms, "UTC", NOW_US)["sendNotifications"]
    assert "z +2.2504" in text(toast)
    assert "threshold 2.25." in text(toast)


def test_what_is_snoozed_or_seen_is_not_called_out(alert: Make) -> None:
    alarms = AlertState()
    toasts = Toasts(alarms, None)
    alarms.take([alert(1, START_S - 60, state="resolved", snoozed_until_us=NOW_US + SECOND)])
    alarms.take([alert(2), alert(3, pair="SOLUSDT-ETHUSDT", acked_us=NOW_US)])
    assert toasts.step(alarms, "UTC", NOW_US) == {}


def test_a_toast_goes_when_somebody_has_dealt_with_its_alert(alert: Make) -> None:
    alarms = AlertState()
    toasts = Toasts(alarms, None)
    alarms.take([alert(1), alert(2)])
    assert len(toasts.step(alarms, "UTC", NOW_US)["sendNotifications"]) == 2
    alarms.take([alert(2, acked_us=NOW_US, acked_by="desk")])
    assert toasts.step(alarms, "UTC", NOW_US) == {"hideNotifications": ["alert-2"]}
    assert toasts.step(alarms, "UTC", NOW_US) == {}


def test_a_toast_says_how_old_the_prices_were(alert: Make) -> None:
    alarms = AlertState()
    toasts = Toasts(alarms, None)
    alarms.take([alert(1, y_age_s=0.2, x_age_s=4.1)])
    (toast,) = toasts.step(alarms, "UTC", NOW_US)["sendNotifications"]
    assert "(prices 0.2 s and 4.1 s old)" in text(toast)


def test_the_toast_of_a_retracted_alert_says_so_and_why_and_no_other_comes(alert: Make) -> None:
    alarms = AlertState()
    toasts = Toasts(alarms, None)
    alarms.take([alert(1)])
    toasts.step(alarms, "UTC", NOW_US)
    retraction = alert("r", state="retracted", retracts="alert-1")
    alarms.take([retraction, alert(1, retracted_by="alert-r"), alert(2, retracted_by="alert-3")])
    props = toasts.step(alarms, "UTC", NOW_US)
    (toast,) = props["sendNotifications"]
    assert (toast["action"], toast["id"]) == ("update", "alert-1")
    assert "retracted" in text(toast)
    assert "Late trades changed this second, or its window." in text(toast)
    assert "hideNotifications" not in props
    assert toasts.step(alarms, "UTC", NOW_US) == {}


def test_the_newest_toast_takes_the_place_of_the_oldest(alert: Make) -> None:
    alarms = AlertState()
    toasts = Toasts(alarms, None)
    for number in range(1, 4):
        alarms.take([alert(number, START_S + number)])
        assert "hideNotifications" not in toasts.step(alarms, "UTC", NOW_US)
    alarms.take([alert(4, START_S + 4)])
    assert toasts.step(alarms, "UTC", NOW_US)["hideNotifications"] == ["alert-1"]
