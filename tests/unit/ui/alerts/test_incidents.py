"""Incidents as of now: alerts of the stream paired with their ends, over what the API has listed."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.ui.alerts.incidents import as_of_now
from services.ui.api.types import HandledAlert
from services.ui.state.alert_state import AlertState
from tests.unit.ui.conftest import START_S, Make


def alarms_of(*alerts: HandledAlert) -> AlertState:
    alarms = AlertState()
    alarms.take(alerts)
    return alarms


def told(alarms: AlertState, *listed: Any) -> dict[str, tuple[str, float | None]]:
    return {name: (one.state, one.duration_s) for name, one in as_of_now(alarms, listed).items()}


def test_an_alert_is_paired_with_its_end(alert: Make) -> None:
    fired, over, again = alert(1), alert(2, START_S + 4, state="resolved"), alert(3, START_S + 9)
    assert told(alarms_of(fired)) == {"alert-1": ("firing", None)}
    assert told(alarms_of(again, over, fired)) == {"alert-1": ("resolved", 4.0), "alert-3": ("firing", None)}
    (one, _) = as_of_now(alarms_of(fired, over, again), ()).values()
    assert (one.end_us, one.ended_by) == ((START_S + 4) * SECOND, "alert-2")


def test_an_incident_whose_end_is_not_known_has_ended_when_the_next_begins(alert: Make) -> None:
    assert told(alarms_of(alert(1), alert(2, START_S + 5))) == {
        "alert-1": ("ended", None),
        "alert-2": ("firing", None),
    }


def test_an_end_that_is_retracted_ends_nothing(alert: Make, incident: Make) -> None:
    over = alert(2, START_S + 4, state="resolved", retracted_by="alert-3")
    undone = alert(3, START_S + 4, state="retracted", retracts="alert-2")
    assert told(alarms_of(alert(1), over, undone)) == {"alert-1": ("firing", None)}
    listed = incident(1, state="resolved", end_us=over.event_us, duration_s=4.0, ended_by="alert-2")
    assert told(alarms_of(alert(1), over, undone), listed) == {"alert-1": ("firing", None)}


def test_an_opening_that_is_retracted_never_held(alert: Make) -> None:
    undone = alert(2, state="retracted", retracts="alert-1")
    assert told(alarms_of(alert(1), undone, alert(3, START_S + 1))) == {
        "alert-1": ("retracted", None),
        "alert-3": ("firing", None),
    }


def test_an_incident_has_the_ends_of_its_id_and_one_opening(alert: Make) -> None:
    own = {"rule": "wide", "metric": "zscore", "incident_id": "wide:1"}
    alerts = [
        alert(1, **own),
        alert(2, START_S + 1, state="recovering", **own),
        alert(3, START_S + 2, **own),
        alert(4, START_S + 3, state="no_data", **{**own, "incident_id": "wide:2"}),
        alert(5, START_S + 3, state="ended", **own),
    ]
    assert told(alarms_of(*alerts)) == {"alert-1": ("ended", 3.0), "alert-4": ("no_data", None)}


def test_an_end_of_another_incident_ends_nothing(alert: Make) -> None:
    own = {"rule": "wide", "metric": "zscore"}
    over = alert(2, START_S + 1, state="resolved", incident_id="wide:0", **own)
    assert told(alarms_of(alert(1, incident_id="wide:1", **own), over)) == {"alert-1": ("firing", None)}


def test_what_is_listed_keeps_its_peak_and_takes_the_end_and_the_handling(
    alert: Make, incident: Make
) -> None:
    listed = incident(1, START_S - 900, peak=3.5)
    over = alert(2, state="resolved")
    (one,) = as_of_now(alarms_of(over), [listed]).values()
    assert (one.state, one.duration_s, one.peak) == ("resolved", 900.0, 3.5)
    acked = alert(1, START_S - 900, acked_us=START_S * SECOND, acked_by="desk")
    (one,) = as_of_now(alarms_of(acked), [listed]).values()
    assert (one.state, one.acked_by, one.peak) == ("firing", "desk", 3.5)


@given(st.lists(st.sampled_from(["firing", "resolved", "ended"]), max_size=12))
def test_at_most_the_last_incident_of_a_rule_and_subject_is_open(states: list[str]) -> None:
    alerts = [
        HandledAlert(
            alert_id=f"alert-{number:02}",
            rule_id="zscore",
            rule="zscore-threshold",
            metric="zscore",
            subject="A-B",
            event_us=number * SECOND,
            state=state,  # type: ignore[arg-type]  # one of the states
            message=state,
            severity="warning",
            labels={},
            values={},
            incident_id="",
        )
        for number, state in enumerate(states)
    ]
    found = as_of_now(alarms_of(*alerts), ())
    assert len(found) == states.count("firing")
    is_open = [name for name, one in found.items() if one.state == "firing"]
    assert is_open == ([alerts[-1].alert_id] if states and states[-1] == "firing" else [])


def test_a_false_alarm_that_is_listed_stays_one(alert: Make, incident: Make) -> None:
    listed = incident(1, false_us=7, false_by="desk", note="auction")
    (one,) = as_of_now(alarms_of(alert(1)), [listed]).values()
    assert (one.false_us, one.false_by, one.note) == (7, "desk", "auction")
    (unlisted,) = as_of_now(alarms_of(alert(1)), ()).values()
    assert (unlisted.false_us, unlisted.note) == (None, "")
