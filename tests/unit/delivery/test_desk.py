"""What becomes of alerts on the desk: deliveries for each target that wants them, each with its own id."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.contracts.alert_messages import Alert
from services.contracts.messages import Rule
from services.contracts.targets import Target
from services.delivery.desk import Desk, Handling
from services.rules.routing import Incident
from services.store.deliveries import NewDelivery
from tests.unit.rules.test_routing import OTHER, PAIR, alert, rule

MAIL = {"kind": "mail", "to": ["desk@example.org"], "group_wait_s": 0}


def target(name: str = "desk", **more: Any) -> Target:
    """Return a target."""
    return msgspec.convert({"id": name} | MAIL | more, Target)


def desk(*targets: Target, rules: dict[str, Rule] | None = None) -> Desk:
    """Return a desk with these targets."""
    made = Desk()
    made.rules = rules or rule()
    for one in targets:
        made.put(one)
    return made


def told(made: Desk) -> list[NewDelivery]:
    """Return what has been made."""
    return made.taken()[1]


def kinds(made: Desk) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return target, kind and alerts of what has been made."""
    return [(one.target_id, one.message.kind, one.alert_ids) for one in told(made)]


def test_each_target_is_told_of_what_it_wants() -> None:
    made = desk(target("all"), target("sol", matchers={"subject": "SOL*"}), target("begins", ends=False))
    first = alert()
    made.take(first, 0)
    made.look(0)
    made.take(end := alert("resolved"), SECOND)
    made.look(SECOND)
    assert kinds(made) == [
        ("all", "begun", (first.alert_id,)),
        ("begins", "begun", (first.alert_id,)),
        ("all", "ended", (end.alert_id,)),
    ]


def test_the_end_is_told_though_the_alert_is_said_to_be_of_another_severity_by_then() -> None:
    made = desk(target(least_severity="critical"))
    made.take(alert(severity="critical"), 0)
    made.look(0)
    made.take(alert("resolved", severity="info"), 1)
    made.look(1)
    assert [kind for _, kind, _ in kinds(made)] == ["begun", "ended"]


def test_of_what_begins_and_ends_in_one_batch_both_are_told_if_nothing_is_waited_for() -> None:
    made = desk(target("now"), target("later", group_wait_s=10))
    made.take(alert(), 0)
    made.take(alert("resolved"), 0)
    made.look(0)
    found = told(made)
    assert [(one.target_id, one.message.kind, one.reason is None) for one in found] == [
        ("now", "begun", True),
        ("now", "ended", True),
        ("later", "begun", False),
    ]


def test_a_message_holds_a_hundred_alerts() -> None:
    made = desk(target())
    for number in range(250):
        made.take(alert(start=number), 0)
    made.look(0)
    found = told(made)
    assert [len(one.alert_ids) for one in found] == [100, 100, 50]
    assert found[0].title.endswith("and 99 more")
    assert len({one.delivery_id for one in found}) == 3


def test_ids_are_the_same_when_it_happens_again_and_others_each_time_it_is_repeated() -> None:
    rules = rule(renotify_s=10)

    def run() -> list[str]:
        made = desk(target(), rules=rules)
        made.take(alert(), 0)
        for second in (0, 10, 20):
            made.look(second * SECOND)
        return [one.delivery_id for one in told(made)]

    assert run() == run()
    assert len(set(run())) == 3


def test_what_is_open_goes_on_after_a_restart_and_what_was_told_is_not_told_again() -> None:
    before = desk(target())
    before.take(alert(), 0)
    before.look(0)
    changed, _ = before.taken()
    stored = {
        key: msgspec.msgpack.decode(msgspec.msgpack.encode(one), type=Incident)
        for (_, key), one in changed.items()
    }
    after = Desk()
    after.put(target(), stored, {})
    after.take(alert(), SECOND)
    after.take(alert("resolved"), 2 * SECOND)
    after.look(2 * SECOND)
    assert [kind for _, kind, _ in kinds(after)] == ["ended"]
    after.put(again := target("again"), {}, {alert().alert_id: False})
    after.take(alert(), 3 * SECOND)
    after.look(3 * SECOND)
    assert again.id not in [name for name, _, _ in kinds(after)]


def test_of_a_target_that_is_gone_nothing_stays_open() -> None:
    made = desk(target("one"), target("two"))
    made.take(alert(), 0)
    made.look(0)
    made.taken()
    made.remove("one")
    changed, found = made.taken()
    assert (changed, found, made.ids) == ({("one", f"r:{PAIR}:0"): None}, [], {"two"})


@pytest.mark.parametrize(
    ("done", "again"),
    [
        (Handling("x", True, 0), False),
        (Handling("x", False, 100 * SECOND), False),
        (Handling("y", True, 0), True),
    ],
)
def test_what_somebody_has_done_something_about_is_not_told_again(done: Handling, again: bool) -> None:
    made = desk(target(), rules=rule(renotify_s=10))
    made.take(alert(alert_id="x"), 0)
    made.look(0)
    assert made.repeated() == {"x"}
    made.handle([done])
    made.look(50 * SECOND)
    assert ("again" in [kind for _, kind, _ in kinds(made)]) == again


STEPS = st.lists(
    st.tuples(st.sampled_from([PAIR, OTHER]), st.sampled_from(["firing", "resolved"])), max_size=12
)


@given(STEPS, st.sets(st.integers(0, 12)), st.sampled_from([0.0, 2.0]))
def test_whenever_it_is_restarted_the_same_is_told(
    steps: list[tuple[str, str]], restarts: set[int], wait_s: float
) -> None:
    wanted = target(group_wait_s=wait_s, group_by=["subject"])

    def run(restarted: set[int]) -> set[str]:
        made, open_ones, found = desk(wanted), {}, []
        for second, (subject, state) in enumerate(steps):
            one: Alert = alert(state, subject=subject, start=second, incident_id=subject)  # type: ignore[arg-type]
            made.take(one, second * SECOND)
            made.look(second * SECOND)
            changed, some = made.taken()
            found += some
            open_ones.update(changed)
            if second in restarted:
                made = Desk()
                made.rules = rule()
                kept = {key: value for (_, key), value in open_ones.items() if value is not None}
                known = {name: new.message.kind == "ended" for new in found for name in new.alert_ids}
                made.put(wanted, kept, known)
        return {one.delivery_id for one in found}

    assert run(restarts) == run(set())
