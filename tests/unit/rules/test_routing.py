"""What is notified of, when, and with which others."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.contracts.alert_messages import OPENING, Alert, AlertState
from services.contracts.messages import Rule, Silence
from services.rules.built_in import FEED_STALE
from services.rules.routing import Grouping, Notification, Routing

PAIR, OTHER = "ETHUSDT-BTCUSDT", "SOLUSDT-BTCUSDT"


def alert(
    state: AlertState = "firing", subject: str = PAIR, rule: str = "r", start: int = 0, **more: Any
) -> Alert:
    """Return an alert of the incident that begins at `start`."""
    name = f"{rule}:{subject}:{start}:{state}"
    incident = f"{rule}:{subject}:{start}"
    fields = {"rule": rule, "metric": "zscore", "subject": subject, "message": name, "incident_id": incident}
    return Alert(event_us=start, state=state, **{"alert_id": name} | fields | more)


def rule(**options: Any) -> dict[str, Rule]:
    """Return the rule of the alerts."""
    body = {"id": "r", "conditions": [{"metric": "zscore", "operator": "above", "fire": 2}], **options}
    return {"r": msgspec.convert(body, Rule)}


def routing(wait_s: float = 0, by: tuple[str, ...] = ("rule",)) -> Routing:
    """Return a routing that has taken nothing."""
    return Routing(Grouping(by=by, wait_s=wait_s))


def due(
    one: Routing, second: float, rules: dict[str, Rule] | None = None, silences: tuple[Silence, ...] = ()
) -> list[tuple[str, list[str]]]:
    """Return kind and subjects of what is due in a second."""
    found = one.due(round(second * SECOND), rules or rule(), silences)
    return [(told.kind, [alert.subject for alert in told.alerts]) for told in found]


def test_what_begins_together_is_told_together_once_the_first_has_waited() -> None:
    one = routing(wait_s=10)
    one.take(alert(), 0)
    one.take(alert(subject=OTHER), 8 * SECOND)
    assert due(one, 9) == []
    assert due(one, 10) == [("begun", [PAIR, OTHER])]
    assert due(one, 60) == []


def test_groups_are_by_what_the_grouping_says() -> None:
    one = routing(by=("labels.desk", "severity"))
    one.take(alert(labels={"desk": "fx"}), 0)
    one.take(alert(subject=OTHER, labels={"desk": "crypto"}), 0)
    assert due(one, 0) == [("begun", [PAIR]), ("begun", [OTHER])]


def test_what_ends_while_it_waits_is_not_told_and_the_reason_is_kept() -> None:
    one = routing(wait_s=10)
    one.take(alert(), 0)
    assert due(one, 0) == []
    one.take(alert("resolved"), SECOND)
    assert due(one, 20) == []
    (skipped,) = one.skipped
    assert [told.state for told in skipped.alerts] == ["firing", "resolved"]
    assert "waiting until 1970-01-01T00:00:10.000000Z for others of its group" in skipped.reason


def test_what_holds_an_incident_back_is_kept_in_words_until_it_is_told() -> None:
    one = routing()
    one.take(alert(rule=FEED_STALE, subject="ETHUSDT"), 0)
    one.take(alert(), 0)
    due(one, 0)
    (held,) = (found for found in one.incidents.values() if found.alert.subject == PAIR)
    assert held.held == "inhibited: the feed of a leg is stale"
    one.take(alert("resolved", rule=FEED_STALE, subject="ETHUSDT"), SECOND)
    night = Silence(id="night", matchers={"subject": PAIR}, end_us=10 * SECOND)
    due(one, 1, silences=(night,))
    assert held.held == "silenced by night until 1970-01-01T00:00:10.000000Z"
    assert due(one, 10, silences=(night,)) == [("silence_over", [PAIR])]
    assert held.held == ""


def test_the_incidents_that_change_are_named() -> None:
    one = routing()
    one.take(alert(), 0)
    assert one.changed == {f"r:{PAIR}:0"}
    one.changed.clear()
    due(one, 0)
    assert one.changed == {f"r:{PAIR}:0"}
    one.changed.clear()
    due(one, 1)
    assert one.changed == set()


def test_of_some_incidents_alone_it_can_be_asked_what_is_due() -> None:
    one = routing(by=("subject",))
    one.take(alert(), 0)
    one.take(alert(subject=OTHER), 0)
    found = one.due(0, rule(), keys={f"r:{OTHER}:0", "gone"})
    assert [told.subject for one_told in found for told in one_told.alerts] == [OTHER]


@pytest.mark.parametrize("state", ["resolved", "ended"])
def test_the_end_of_what_was_told_is_told(state: AlertState) -> None:
    one = routing()
    one.take(alert(), 0)
    due(one, 0)
    one.take(alert(state), 5 * SECOND)
    assert due(one, 5) == [("ended", [PAIR])]
    assert one.incidents == {}


def test_a_retraction_of_what_began_ends_it_and_of_anything_else_does_not() -> None:
    one = routing()
    one.take(alert(), 0)
    due(one, 0)
    one.take(alert("retracted", retracts="another", alert_id="another:retracted"), SECOND)
    assert due(one, 1) == []
    one.take(alert("retracted", retracts=alert().alert_id), SECOND)
    assert due(one, 1) == [("ended", [PAIR])]


def test_an_end_that_is_retracted_begins_again() -> None:
    one = routing()
    one.take(alert(), 0)
    due(one, 0)
    one.take(alert("resolved"), SECOND)
    assert due(one, 1) == [("ended", [PAIR])]
    one.take(alert("retracted", retracts=alert("resolved").alert_id), SECOND)
    assert due(one, 2) == [("begun", [PAIR])]
    one.take(alert("resolved", alert_id="later"), 3 * SECOND)
    assert due(one, 3) == [("ended", [PAIR])]


def test_it_is_told_again_and_escalated_until_somebody_acknowledges() -> None:
    rules = rule(renotify_s=10, escalate_after_s=25)
    one = routing()
    one.take(alert(), 0)
    told = [(second, kind) for second in range(40) for kind, _ in due(one, second, rules)]
    assert told == [(0, "begun"), (10, "again"), (20, "again"), (25, "escalated"), (35, "again")]
    one.acknowledge(alert().alert_id)
    assert due(one, 100, rules) == []
    one.take(alert("resolved"), 101 * SECOND)
    assert due(one, 101, rules) == [("ended", [PAIR])]


def test_an_escalated_alert_is_critical() -> None:
    one = routing()
    one.take(alert(), 0)
    one.due(0, rule())
    (told,) = one.due(5 * SECOND, rule(escalate_after_s=5))
    assert isinstance(told, Notification)
    assert [one.severity for one in told.alerts] == ["critical"]


def test_a_snooze_holds_back_until_its_end() -> None:
    rules = rule(renotify_s=10)
    one = routing()
    one.take(alert(), 0)
    due(one, 0, rules)
    one.snooze(alert().alert_id, 30 * SECOND)
    assert due(one, 29, rules) == []
    assert due(one, 30, rules) == [("again", [PAIR])]


def test_a_silence_that_ends_while_the_alert_fires_is_announced() -> None:
    silence = Silence(id="s", matchers={"subject": "ETH*"}, end_us=20 * SECOND)
    one = routing()
    one.take(alert(), 0)
    one.take(alert(subject=OTHER), 0)
    assert due(one, 1, silences=(silence,)) == [("begun", [OTHER])]
    assert due(one, 20, silences=(silence,)) == [("silence_over", [PAIR])]
    assert due(one, 30, silences=(silence,)) == []


def test_what_begins_and_ends_in_a_silence_is_never_told() -> None:
    silence = Silence(id="s", matchers={"rule": "r"}, end_us=20 * SECOND)
    one = routing()
    one.take(alert(), 0)
    assert due(one, 1, silences=(silence,)) == []
    one.take(alert("resolved"), 2 * SECOND)
    assert due(one, 30) == []


def test_the_end_of_what_was_told_is_told_in_a_silence_too() -> None:
    silence = Silence(id="s", matchers={"rule": "r"}, start_us=SECOND, end_us=20 * SECOND)
    one = routing()
    one.take(alert(), 0)
    assert due(one, 0, silences=(silence,)) == [("begun", [PAIR])]
    one.take(alert("resolved"), 2 * SECOND)
    assert due(one, 2, silences=(silence,)) == [("ended", [PAIR])]


def test_alerts_that_come_twice_are_told_once() -> None:
    one = routing()
    for _ in range(2):
        one.take(alert(), 0)
        one.take(alert("resolved"), 0)
    assert len(one.skipped) == 1
    assert one.incidents == {}


def test_a_stale_feed_holds_back_the_alerts_of_its_pairs_until_it_lives() -> None:
    one = routing()
    one.take(alert(rule=FEED_STALE, subject="ETHUSDT"), 0)
    one.take(alert(), 0)
    one.take(alert(subject=OTHER), 0)
    assert due(one, 0) == [("begun", ["ETHUSDT"]), ("begun", [OTHER])]
    one.take(alert("resolved", rule=FEED_STALE, subject="ETHUSDT"), SECOND)
    assert due(one, 1) == [("ended", ["ETHUSDT"]), ("begun", [PAIR])]


def test_the_rule_of_every_pair_has_an_incident_by_its_subject() -> None:
    one = routing()
    one.take(alert(rule="zscore-threshold", start=1, incident_id=""), 0)
    assert due(one, 0) == [("begun", [PAIR])]
    one.take(alert("resolved", rule="zscore-threshold", start=2, incident_id=""), 0)
    assert due(one, 0) == [("ended", [PAIR])]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([PAIR, OTHER]),
            st.sampled_from(["firing", "resolved"]),
            st.integers(0, 5),
            st.booleans(),
        ),
        max_size=40,
    ),
    st.sampled_from([0.0, 3.0]),
)
def test_of_each_incident_one_begin_is_told_and_one_end_and_a_restart_changes_nothing(
    history: list[tuple[str, AlertState, int, bool]], wait_s: float
) -> None:
    one, told, now_us = routing(wait_s), list[tuple[str, str]](), 0
    for subject, state, start, restarts in history:
        now_us += SECOND
        if restarts:
            one = msgspec.msgpack.decode(msgspec.msgpack.encode(one), type=Routing)
        # Alerts come once for each incident, but may come again.
        one.take(alert(state, subject, start=start), now_us)
        for found in one.due(now_us, {}):
            told += [(found.kind, each.incident_id) for each in found.alerts]
    is_open: set[str] = set()
    for kind, incident in told:
        assert (kind == "begun") == (incident not in is_open)
        is_open ^= {incident}
    assert is_open == {one.alert.incident_id for one in one.incidents.values() if one.told_us is not None}
    assert all(each.alert.state in OPENING for each in one.incidents.values())
