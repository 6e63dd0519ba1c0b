"""Incidents: each has one row, with its end, its peak and its state now."""

import csv
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import structs

from services.common import clock
from services.contracts.messages import Alert, Signal
from tests.api_process import PAIR, START_US, ApiProcess, pair_signal, running_api, store
from tests.fix_broker import embedded_broker

pytestmark = pytest.mark.integration

OWN = "btc-wide"


def transition(second: int, state: str, rule: str = "zscore-threshold", **fields: Any) -> Alert:
    made: dict[str, Any] = {
        "alert_id": f"{rule}:{PAIR}:{second}:{state}",
        "rule": rule,
        "subject": PAIR,
        "metric": "zscore",
        "event_us": START_US + second * clock.SECOND,
        "state": state,
        "message": f"{state} at {second}",
        **fields,
    }
    return Alert(**made)


def retraction(of: Alert) -> Alert:
    return structs.replace(of, alert_id=f"{of.alert_id}:retracted", state="retracted", retracts=of.alert_id)


def own(second: int, state: str, begin: int, **fields: Any) -> Alert:
    return transition(second, state, OWN, incident_id=f"{OWN}:{PAIR}:{begin}", **fields)


UNTRUE, LATE = transition(20, "firing"), transition(34, "resolved")
ALERTS = [
    transition(5, "firing"),
    transition(9, "resolved"),
    UNTRUE,
    retraction(UNTRUE),
    transition(30, "firing"),
    LATE,
    retraction(LATE),
    transition(36, "ended"),
    transition(40, "firing"),
    transition(50, "firing"),
    own(12, "pending", 12),
    own(13, "firing", 12, severity="critical"),
    own(15, "recovering", 12),
    own(16, "firing", 12),
    own(18, "ended", 12),
    own(18, "no_data", 18),
]
SIGNALS = [
    structs.replace(pair_signal(number, zscore), event_us=START_US + number * clock.SECOND)
    for number, zscore in enumerate([0.1, 9.0, 0.0, 0.0, 1.9, 2.1, -3.25, 2.5, None, 0.4, -8.0])
]
TORN = structs.replace(SIGNALS[7], event_us=START_US + 7 * clock.SECOND, zscore=99.0, quality="stale")


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    signals: list[Signal] = [*SIGNALS[:7], TORN, *SIGNALS[8:]]
    store(store_url, [*ALERTS, *signals])
    with embedded_broker() as broker, running_api(broker, store_url) as running:
        yield running


def told(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return rule, begin, state now, end and duration of each, in seconds since the start."""

    def second(us: int | None) -> float | None:
        return None if us is None else (us - START_US) / clock.SECOND

    return [
        (one["rule"], second(one["event_us"]), one["state"], second(one["end_us"]), one["duration_s"])
        for one in rows
    ]


USUAL = [
    ("zscore-threshold", 50, "firing", None, None),
    ("zscore-threshold", 40, "ended", None, None),
    ("zscore-threshold", 30, "ended", 36, 6),
    ("zscore-threshold", 20, "retracted", None, None),
    ("zscore-threshold", 5, "resolved", 9, 4),
]
OF_PEOPLE = [(OWN, 18, "no_data", None, None), (OWN, 13, "ended", 18, 5)]


def test_each_incident_has_one_row_with_what_ended_it(api: ApiProcess) -> None:
    assert told(api.data("/v1/incidents", rule="zscore")) == USUAL
    assert told(api.data("/v1/incidents", rule=OWN)) == OF_PEOPLE
    every = api.data("/v1/incidents")
    assert sorted(told(every), key=lambda one: one[:2]) == sorted(USUAL + OF_PEOPLE, key=lambda one: one[:2])
    ends = {one["alert_id"]: one["ended_by"] for one in every if one["ended_by"]}
    assert ends[ALERTS[0].alert_id] == ALERTS[1].alert_id


def test_the_peak_is_the_z_score_farthest_from_zero_while_it_lasted(api: ApiProcess) -> None:
    peaks = {one["message"]: one["peak"] for one in api.data("/v1/incidents")}
    assert peaks["firing at 5"] == -3.25
    assert peaks["firing at 20"] is peaks["firing at 30"] is None


@pytest.mark.parametrize(
    ("query", "begins"),
    [
        ({"state": "open"}, [50, 18]),
        ({"state": "firing"}, [50]),
        ({"state": "resolved"}, [5]),
        ({"state": "ended"}, [40, 30, 13]),
        ({"state": "retracted"}, [20]),
        ({"severity": "critical"}, [13]),
        ({"subject": "BTCUSDT"}, []),
        (
            {"pair": PAIR, "start": START_US + 13 * clock.SECOND, "end": START_US + 30 * clock.SECOND},
            [20, 18, 13],
        ),
    ],
)
def test_incidents_are_filtered_by_what_they_are_now(api: ApiProcess, query: Any, begins: list[int]) -> None:
    assert [one[1] for one in told(api.data("/v1/incidents", **query))] == begins


def test_incidents_come_page_by_page_and_as_csv(api: ApiProcess) -> None:
    every, cursor = api.data("/v1/incidents"), None
    paged: list[dict[str, Any]] = []
    while len(paged) < len(every):
        page = api.get("/v1/incidents", limit=3, **({"cursor": cursor} if cursor else {})).json()
        paged += page["data"]
        cursor = page.get("next_cursor")
    assert paged == every
    assert cursor is None
    lines = list(csv.DictReader(api.get("/v1/incidents", format="csv").text.splitlines()))
    assert [line["alert_id"] for line in lines] == [one["alert_id"] for one in every]
    assert {line["end_time"] for line in lines if line["message"] == "firing at 5"} == {every[-1]["end_time"]}


def test_what_is_done_about_the_alert_is_in_its_incident(api: ApiProcess) -> None:
    alert_id = ALERTS[9].alert_id
    api.http.post(f"/v1/alerts/{alert_id}/ack").raise_for_status()
    api.http.post(f"/v1/alerts/{alert_id}/snooze", json={"for_s": 600}).raise_for_status()
    assert [one["alert_id"] for one in api.data("/v1/incidents", acked="true", snoozed="true")] == [alert_id]


def test_an_incident_is_called_a_false_alarm_with_a_note_and_that_is_taken_back(api: ApiProcess) -> None:
    alert_id = ALERTS[0].alert_id
    path, note = f"/v1/incidents/{alert_id}/mark", "the venue was in auction"
    marked = api.http.post(path, json={"note": note}).json()
    assert (marked["alert_id"], marked["false_by"], marked["note"]) == (alert_id, "local", note)
    assert marked["peak"] == -3.25
    assert [one["alert_id"] for one in api.data("/v1/incidents", marked_false="true")] == [alert_id]
    again = api.http.post(path, json={"note": "seen"}).json()
    assert (again["false_us"], again["note"]) == (marked["false_us"], "seen")
    assert api.data("/v1/incidents", rule="zscore")[-1] == again
    back = api.http.post(path, json={"is_false": False}).json()
    assert (back["false_us"], back["false_time"], back["false_by"], back["note"]) == (None, None, None, "")
    assert api.data("/v1/incidents", marked_false="true") == []


def test_only_what_opened_an_incident_can_be_marked(api: ApiProcess) -> None:
    for alert_id in (ALERTS[1].alert_id, "nobody-knows-it"):
        refused = api.http.post(f"/v1/incidents/{alert_id}/mark", json={})
        assert refused.status_code == 404
        assert "an alert that opened an incident" in refused.json()["detail"]


def test_the_statistics_of_a_rule_are_those_of_its_incidents(api: ApiProcess) -> None:
    span = {"start": START_US, "end": START_US + 100 * clock.SECOND}
    api.http.post(f"/v1/incidents/{ALERTS[9].alert_id}/mark", json={}).raise_for_status()
    api.http.post(f"/v1/alerts/{ALERTS[0].alert_id}/ack").raise_for_status()
    path = "/v1/rules/zscore-threshold/statistics"
    told = api.get(path, **span).json()
    counts = ("fired", "open", "flaps", "acknowledged", "marked_false", "retracted")
    # Of 5, 30, 40 and 50: 30 begins 21 s after the end of 5, those at 40 and 50 after that of 30.
    api.http.post(f"/v1/incidents/{ALERTS[9].alert_id}/mark", json={"is_false": False})
    assert [told[one] for one in counts[:3]] == [4, 1, 3]
    assert told["acknowledged"] >= 1
    assert (told["marked_false"], told["retracted"], told["truncated"]) == (1, 1, False)
    assert (told["median_s"], told["longest_s"]) == (5.0, 6.0)
    assert told["last_us"] == START_US + 50 * clock.SECOND
    first = api.get(path, start=START_US, end=START_US + 20 * clock.SECOND).json()
    assert [first[one] for one in counts[:3]] == [1, 0, 0]
    assert api.get(path).json()["fired"] == 0
    assert api.get("/v1/rules/built-in.gap/statistics").json()["median_s"] is None
    assert api.http.get("/v1/rules/nobody/statistics").status_code == 404
    late = api.http.get(path, params={"start": START_US, "end": START_US})
    assert late.json()["errors"][0]["field"] == "start"


def test_an_unknown_state_is_refused_with_the_states(api: ApiProcess) -> None:
    response = api.http.get("/v1/incidents", params={"state": "pending"})
    assert response.status_code == 422
    assert "'open'" in response.json()["errors"][0]["expected"]
