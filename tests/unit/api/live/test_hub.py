"""The hub: the newest of each key, and what was said lately, each once."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.api.live.hub import ALERTS_KEPT, Handling, Hub
from tests.unit.api.live.stream_messages import alert, signal, tick


def test_what_is_stored_fills_gaps_and_gives_way_to_the_topic() -> None:
    hub = Hub()
    hub.put_tick(tick("A", 5))
    hub.put_alert(alert(2))
    acked = Handling(acked_us=7, acked_by="desk")
    hub.seed([tick("A", 9), tick("B", 9)], [signal("A-B", 9)])
    hub.seed_alerts([(alert(1), Handling()), (alert(2), Handling())])
    assert {symbol: entry.message.event_us for symbol, entry in hub.ticks.items()} == {"A": 5, "B": 9}
    assert [entry.message.alert_id for entry in hub.last_alerts()] == ["2", "1"]
    assert [entry.message.alert_id for entry in hub.alerts.after(0)] == ["2"]
    hub.put_tick(tick("B", 3))  # an old tape begins again
    hub.put_signal(signal("A-B", 3))
    assert (hub.ticks["B"].message.event_us, hub.signals["A-B"].message.event_us) == (3, 3)
    hub.handle(alert(1), acked)
    assert [entry.handling for entry in hub.last_alerts()] == [Handling(), acked]


def test_a_late_message_is_no_news_of_its_key() -> None:
    hub = Hub()
    for event_us in (5, 3, 5):
        hub.put_tick(tick("A", event_us))
        hub.put_signal(signal("A-B", event_us, closed=False))
    assert hub.version == 2
    assert (hub.ticks["A"].message.event_us, hub.live["A-B"].message.event_us) == (5, 5)


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 5), st.integers(0, 3)), max_size=12),
    st.lists(st.integers(0, 12), max_size=3).map(sorted),
)
def test_ticks_that_come_together_leave_what_they_leave_one_by_one(
    ticks: list[tuple[str, int, int]], cuts: list[int]
) -> None:
    one_by_one, together = Hub(), Hub()
    came = [replace(tick(symbol, event_us), trade_id=trade_id) for symbol, event_us, trade_id in ticks]
    for hub in (one_by_one, together):
        hub.seed([tick("A", 4), tick("C", 4)], [])
    for one in came:
        one_by_one.put_tick(one)
    for first, last in pairwise([0, *cuts, len(came)]):
        together.put_ticks(came[first:last])
    expected, found = (
        {symbol: (entry.message, entry.stored) for symbol, entry in hub.ticks.items()}
        for hub in (one_by_one, together)
    )
    assert found == expected
    assert together.version <= one_by_one.version


def test_every_close_is_kept_once_whatever_is_later_between_closes() -> None:
    hub = Hub()
    hub.put_signal(signal("A-B", 12, closed=False))
    for event_us in (10, 11, 10, 9):
        hub.put_signal(signal("A-B", event_us))
    assert [entry.message.event_us for entry in hub.closes.after(0)] == [10, 11, 9]
    assert (hub.signals["A-B"].message.event_us, hub.live["A-B"].message.event_us) == (11, 12)


def test_a_forgotten_pair_has_no_present() -> None:
    hub = Hub()
    hub.put_signal(signal("A-B", 1))
    hub.put_signal(signal("A-B", 1, closed=False))
    hub.forget("A-B")
    hub.forget("C-B")
    assert (hub.signals, hub.live) == ({}, {})


def test_handling_is_news_of_the_alert_and_outlives_a_repetition() -> None:
    hub = Hub()
    hub.put_alert(alert(1))
    hub.put_alert(alert(2))
    seen = hub.version
    acked = Handling(acked_us=3, acked_by="desk")
    hub.handle(alert(1), acked)
    hub.put_alert(alert(1))
    (entry,) = hub.alerts.after(seen)
    assert entry.row()["acked_time"] == "1970-01-01T00:00:00.000003Z"
    assert (entry.message, entry.handling) == (alert(1), acked)
    version = hub.version
    hub.handle(alert(1), acked)
    assert hub.version == version
    hub.handle(alert(1), Handling())
    assert [entry.handling for entry in hub.alerts.after(version)] == [Handling()]


def test_what_the_store_knows_of_the_handling_reaches_alerts_of_the_topic_before_and_after() -> None:
    hub, acked = Hub(), Handling(acked_us=3)
    hub.put_alert(alert(1))
    hub.seed_alerts([(alert(1), acked), (alert(2), acked), (alert(3), Handling())])
    hub.put_alert(alert(2))
    hub.put_alert(alert(3))
    assert [entry.handling for entry in hub.last_alerts()] == [Handling(), acked, acked]


def test_a_history_is_bounded_and_says_what_it_has_lost() -> None:
    hub = Hub()
    for number in range(ALERTS_KEPT):
        hub.put_alert(alert(number))
    assert hub.alerts.lost_version == 0
    hub.put_alert(alert(ALERTS_KEPT))
    assert hub.alerts.lost_version == 1
    assert len(hub.alerts.after(0)) == ALERTS_KEPT
    assert alert(0) not in hub.alerts
