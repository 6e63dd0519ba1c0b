"""Alerts that are firing, and alerts that are snoozed."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.common.clock import SECOND
from services.ui.api.types import HandledAlert
from services.ui.state.alert_state import ALERTS_KEPT, TRANSITIONS_KEPT, AlertState, source
from tests.unit.ui.answers import answer
from tests.unit.ui.conftest import PAIR, START_S, Make

NOW_US = START_S * SECOND


def made(second: int, pair: str = PAIR, state: Any = "firing", **more: Any) -> HandledAlert:
    return answer(
        HandledAlert,
        alert_id=f"{pair}:{second}",
        rule_id="zscore",
        rule="zscore-threshold",
        subject=pair,
        pair=pair,
        event_us=second * SECOND,
        state=state,
        value=2.0,
        threshold=2.0,
        message="",
        **more,
    )


def retraction(alert: HandledAlert) -> HandledAlert:
    made_id = f"{alert.alert_id}:retracted"
    return structs.replace(alert, alert_id=made_id, state="retracted", retracts=alert.alert_id)


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(("firing", "resolved"))), max_size=120),
    st.randoms(),
)
def test_an_alert_holds_until_it_is_resolved_whatever_the_order_and_however_old(
    said: Any, random: Any
) -> None:
    alerts = [made(n, pair, state) for n, (pair, state) in enumerate(said)]
    last = {alert.pair: alert for alert in alerts}
    shuffled = list(alerts)
    random.shuffle(shuffled)
    alarms = AlertState()
    for alert in shuffled:
        alarms.take([alert])
    firing = [alert for alert in reversed(alerts) if alert.state == "firing" and last[alert.pair] is alert]
    assert alarms.firing() == firing
    assert list(alarms.recent) == alerts[::-1][:ALERTS_KEPT]


def test_the_newest_alert_of_a_pair_is_of_any_rule_and_not_one_that_was_retracted() -> None:
    alarms = AlertState()
    assert alarms.newest_of_pairs() == {}
    old, new = made(1), made(3, state="resolved")
    other = structs.replace(made(2), alert_id="other", rule="btc-moves")
    alarms.take([new, old, other, made(5, "A-B")])
    assert {pair: alert.event_us // SECOND for pair, alert in alarms.newest_of_pairs().items()} == {
        PAIR: 3,
        "A-B": 5,
    }
    alarms.take([retraction(new)])
    assert alarms.newest_of_pairs()[PAIR] == other


@given(
    st.lists(
        st.tuples(st.sampled_from("AB"), st.sampled_from(("firing", "resolved")), st.booleans()), max_size=14
    ),
    st.booleans(),
    st.randoms(),
)
def test_what_holds_is_the_last_transition_that_none_has_retracted_whatever_the_order(
    said: Any, is_told_again: bool, random: Any
) -> None:
    alerts, holding = [], dict[str, HandledAlert]()
    for n, (pair, state, is_retracted) in enumerate(said):
        one = made(n, pair, state)
        alerts.append(one)
        if not is_retracted:
            holding[pair] = one
            continue
        alerts.append(retraction(one))
        if is_told_again:
            alerts.append(structs.replace(one, retracted_by=alerts[-1].alert_id))
    random.shuffle(alerts)
    alarms = AlertState()
    for one in alerts:
        alarms.take([one])
    firing = sorted((one for one in holding.values() if one.state == "firing"), key=lambda one: -one.event_us)
    assert alarms.firing() == firing


def test_a_retracted_alert_is_told_to_nobody_and_one_that_had_ended_it_lets_it_fire_again() -> None:
    alarms, fired, resolved = AlertState(), made(1), made(2, state="resolved")
    alarms.take([fired, resolved])
    assert alarms.firing() == []
    alarms.take([retraction(resolved)])
    assert alarms.firing() == [fired]
    assert alarms.is_to_be_told(fired, NOW_US)
    alarms.take([retraction(fired), structs.replace(fired, retracted_by="it")])
    assert alarms.firing() == []
    assert not alarms.is_to_be_told(fired, NOW_US)
    assert not AlertState().is_to_be_told(structs.replace(fired, retracted_by="it"), NOW_US)
    assert "it" in {one.retracted_by for one in alarms.handled.values()}


def test_an_alert_of_a_pair_that_fires_often_is_forgotten_last() -> None:
    alarms = AlertState()
    alarms.take(made(n, state="resolved" if n % 2 else "firing") for n in range(2 * TRANSITIONS_KEPT))
    assert alarms.firing() == []
    last = made(2 * TRANSITIONS_KEPT)
    alarms.take([last])
    assert alarms.firing() == [last]


def test_what_is_said_again_replaces_what_was_known(alert: Make) -> None:
    alarms = AlertState()
    alarms.take([alert(1)])
    assert alarms.is_to_be_told(alert(1), NOW_US)
    seen = alert(1, acked_us=NOW_US, acked_by="desk")
    alarms.take([seen])
    assert alarms.recent == (seen,)
    assert alarms.firing() == [seen]
    assert alarms.handled == {"alert-1": seen}
    assert not alarms.is_to_be_told(seen, NOW_US)


def test_a_snooze_holds_for_later_alerts_of_the_same_rule_and_pair_until_it_ends(alert: Make) -> None:
    alarms, until_us = AlertState(), NOW_US + 900 * SECOND
    alarms.take([alert(1, snoozed_until_us=until_us)])
    later = alert(2, START_S + 60)
    assert alarms.snoozed_until_us(source(later), NOW_US) == until_us
    assert not alarms.is_to_be_told(later, until_us - 1)
    assert alarms.is_to_be_told(alert(3, pair="SOLUSDT-ETHUSDT"), NOW_US)
    assert alarms.is_to_be_told(later, until_us)


def test_what_holds_and_is_snoozed_goes_by_rule_and_subject(alert: Make, price_move: Make) -> None:
    alarms, until_us = AlertState(), NOW_US + SECOND
    usual, moved = alert(1), price_move(2, pair=PAIR, subject=PAIR)
    other = price_move(3, START_S + 1, subject="ETHUSDT")
    alarms.take([usual, moved, other])
    assert {one.alert_id for one in alarms.firing()} == {"alert-1", "alert-2", "alert-3"}
    alarms.take([price_move(4, START_S + 2, pair=PAIR, subject=PAIR, state="resolved")])
    assert {one.alert_id for one in alarms.firing()} == {"alert-1", "alert-3"}
    leg = price_move(6, START_S + 3, pair=PAIR, subject="BTCUSDT", state="resolved")
    alarms.take([price_move(7, START_S + 1, pair=PAIR, subject="SOLUSDT"), leg])
    assert {one.alert_id for one in alarms.firing()} == {"alert-1", "alert-3", "alert-7"}
    alarms.take([price_move(3, START_S + 1, subject="ETHUSDT", snoozed_until_us=until_us)])
    assert not alarms.is_to_be_told(price_move(5, subject="ETHUSDT"), NOW_US)
    assert alarms.is_to_be_told(moved, NOW_US)
    assert alarms.is_to_be_told(usual, NOW_US)


def test_a_snooze_can_be_ended(alert: Make) -> None:
    alarms = AlertState()
    alarms.take([alert(1, snoozed_until_us=NOW_US + SECOND)])
    alarms.take([alert(1)])
    assert alarms.is_to_be_told(alert(1), NOW_US)
    assert "alert-1" in alarms.handled  # what ended is news to who shows it


def test_nothing_is_known_after_a_snapshot_began(alert: Make) -> None:
    alarms = AlertState()
    alarms.take([alert(1, snoozed_until_us=NOW_US + SECOND)])
    version = alarms.version
    alarms.clear()
    assert (alarms.recent, alarms.firing(), alarms.handled) == ((), [], {})
    assert alarms.version > version
    assert alarms.is_to_be_told(alert(1), NOW_US)
