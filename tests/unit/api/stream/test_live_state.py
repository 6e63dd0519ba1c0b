"""Live state: the newest of each key, and recent messages, each once."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.api.stream.live_state import ALERTS_KEPT, AlertAction, LiveState
from services.contracts.messages import Signal
from tests.unit.api.stream.stream_messages import alert, retraction, signal, tick


def test_what_is_stored_fills_gaps_and_gives_way_to_the_topic() -> None:
    live_state = LiveState()
    live_state.put_tick(tick("A", 5))
    live_state.put_alert(alert(2))
    acked = AlertAction(acked_us=7, acked_by="desk")
    live_state.seed([tick("A", 9), tick("B", 9)], [signal("A-B", 9)])
    live_state.seed_alerts([(alert(1), AlertAction()), (alert(2), AlertAction())])
    assert {symbol: entry.message.event_us for symbol, entry in live_state.ticks.items()} == {"A": 5, "B": 9}
    assert [entry.message.alert_id for entry in live_state.last_alerts()] == ["2", "1"]
    assert [entry.message.alert_id for entry in live_state.alerts.after(0)] == ["2"]
    live_state.put_tick(tick("B", 3))  # an old tape begins again
    live_state.put_signal(signal("A-B", 3))
    assert (live_state.ticks["B"].message.event_us, live_state.signals["A-B"].message.event_us) == (3, 3)
    live_state.handle(alert(1), acked)
    assert [entry.handling for entry in live_state.last_alerts()] == [AlertAction(), acked]


def test_a_late_message_is_no_news_of_its_key() -> None:
    live_state = LiveState()
    for event_us in (5, 3, 5):
        live_state.put_tick(tick("A", event_us))
        live_state.put_signal(signal("A-B", event_us, closed=False))
    assert live_state.version == 2
    assert (live_state.ticks["A"].message.event_us, live_state.live["A-B"].message.event_us) == (5, 5)


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 5), st.integers(0, 3)), max_size=12),
    st.lists(st.integers(0, 12), max_size=3).map(sorted),
)
def test_ticks_that_come_together_leave_what_they_leave_one_by_one(
    ticks: list[tuple[str, int, int]], cuts: list[int]
) -> None:
    one_by_one, together = LiveState(), LiveState()
    came = [replace(tick(symbol, event_us), trade_id=trade_id) for symbol, event_us, trade_id in ticks]
    for live_state in (one_by_one, together):
        live_state.seed([tick("A", 4), tick("C", 4)], [])
    for one in came:
        one_by_one.put_tick(one)
    for first, last in pairwise([0, *cuts, len(came)]):
        together.put_ticks(came[first:last])
    expected, found = (
        {symbol: (entry.message, entry.stored) for symbol, entry in live_state.ticks.items()}
        for live_state in (one_by_one, together)
    )
    assert found == expected
    assert together.version <= one_by_one.version


def test_every_close_is_kept_once_whatever_is_later_between_closes() -> None:
    live_state = LiveState()
    live_state.put_signal(signal("A-B", 12, closed=False))
    for event_us in (10, 11, 10, 9):
        live_state.put_signal(signal("A-B", event_us))
    assert [entry.message.event_us for entry in live_state.closes.after(0)] == [10, 11, 9]
    assert (live_state.signals["A-B"].message.event_us, live_state.live["A-B"].message.event_us) == (11, 12)


SIGNALS = st.lists(
    st.builds(
        signal, st.sampled_from(["A-B", "C-B"]), st.integers(0, 4), st.just(value=True), st.integers(0, 3)
    ),
    max_size=20,
)


@given(signals=SIGNALS)
def test_the_highest_revision_of_each_second_is_kept_once_and_the_last_second_stays_the_newest(
    signals: list[Signal],
) -> None:
    live_state = LiveState()
    for one in signals:
        live_state.put_signal(one)
    highest: dict[tuple[str, int], int] = {}
    for one in signals:
        highest[one.pair, one.event_us] = max(one.revision, highest.get((one.pair, one.event_us), 0))
    kept = [entry.message for entry in live_state.closes.after(0)]
    assert {(one.pair, one.event_us): one.revision for one in kept} == highest
    assert len(kept) == len(highest)
    for pair, entry in live_state.signals.items():
        last = max(event_us for name, event_us in highest if name == pair)
        assert (entry.message.event_us, entry.message.revision) == (last, highest[pair, last])


def test_a_correction_of_an_old_second_is_news_but_not_the_newest_whatever_the_store_said_and_when() -> None:
    live_state = LiveState()
    live_state.put_signal(signal("C-B", 3, revision=1))
    live_state.seed([], [signal("A-B", 9), signal("C-B", 9)])
    live_state.put_signal(signal("A-B", 3, revision=1))
    assert {pair: entry.message.event_us for pair, entry in live_state.signals.items()} == {
        "A-B": 9,
        "C-B": 9,
    }
    assert [entry.message.pair for entry in live_state.closes.after(0)] == ["C-B", "A-B"]
    live_state.put_signal(signal("A-B", 4))  # an old tape begins again
    assert live_state.signals["A-B"].message.event_us == 4


def test_what_is_retracted_is_told_again_whichever_of_the_two_is_known_from_the_store() -> None:
    of_topic, acked = LiveState(), AlertAction(acked_us=3)
    of_topic.put_alert(alert(1))
    of_topic.handle(alert(1), acked)
    seen = of_topic.version
    of_topic.put_alert(retraction(1))
    told = [(entry.message.alert_id, entry.row()["retracted_by"]) for entry in of_topic.alerts.after(seen)]
    assert told == [("1:retracted", None), ("1", "1:retracted")]
    of_topic.handle(alert(1), acked)  # the store does not know of it yet
    assert [entry.message.alert_id for entry in of_topic.alerts.after(seen + 2)] == []

    of_store = LiveState()
    of_store.seed_alerts([(alert(1), acked), (alert(2), AlertAction(retracted_by="2:retracted"))])
    of_store.put_alert(retraction(1))
    of_store.put_alert(alert(2))
    retracted = {entry.message.alert_id: entry.handling for entry in of_store.last_alerts()}
    assert retracted == {
        "1": AlertAction(acked_us=3, retracted_by="1:retracted"),
        "2": AlertAction(retracted_by="2:retracted"),
        "1:retracted": AlertAction(),
    }

    early = LiveState()
    early.put_alert(retraction(1))
    early.seed_alerts([(alert(1), AlertAction()), (retraction(1), AlertAction())])
    retracted = {entry.message.alert_id: entry.handling for entry in early.last_alerts()}
    assert retracted == {"1": AlertAction(retracted_by="1:retracted"), "1:retracted": AlertAction()}


def test_a_forgotten_pair_has_no_present() -> None:
    live_state = LiveState()
    live_state.put_signal(signal("A-B", 1))
    live_state.put_signal(signal("A-B", 1, closed=False))
    live_state.forget("A-B")
    live_state.forget("C-B")
    assert (live_state.signals, live_state.live) == ({}, {})


def test_handling_is_news_of_the_alert_and_outlives_a_repetition() -> None:
    live_state = LiveState()
    live_state.put_alert(alert(1))
    live_state.put_alert(alert(2))
    seen = live_state.version
    acked = AlertAction(acked_us=3, acked_by="desk")
    live_state.handle(alert(1), acked)
    live_state.put_alert(alert(1))
    (entry,) = live_state.alerts.after(seen)
    assert entry.row()["acked_time"] == "1970-01-01T00:00:00.000003Z"
    assert (entry.message, entry.handling) == (alert(1), acked)
    version = live_state.version
    live_state.handle(alert(1), acked)
    assert live_state.version == version
    live_state.handle(alert(1), AlertAction())
    assert [entry.handling for entry in live_state.alerts.after(version)] == [AlertAction()]


def test_what_the_store_knows_of_the_handling_reaches_alerts_of_the_topic_before_and_after() -> None:
    live_state, acked = LiveState(), AlertAction(acked_us=3)
    live_state.put_alert(alert(1))
    live_state.seed_alerts([(alert(1), acked), (alert(2), acked), (alert(3), AlertAction())])
    live_state.put_alert(alert(2))
    live_state.put_alert(alert(3))
    assert [entry.handling for entry in live_state.last_alerts()] == [AlertAction(), acked, acked]


def test_a_history_is_bounded_and_says_what_it_has_lost() -> None:
    live_state = LiveState()
    for number in range(ALERTS_KEPT):
        live_state.put_alert(alert(number))
    assert live_state.alerts.lost_version == 0
    live_state.put_alert(alert(ALERTS_KEPT))
    assert live_state.alerts.lost_version == 1
    assert len(live_state.alerts.after(0)) == ALERTS_KEPT
    assert alert(0) not in live_state.alerts
