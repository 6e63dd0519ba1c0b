"""Feed health: reports of connections, as one state and as messages."""

import pytest

from services.contracts.messages import Filling, TapeEvent
from services.ingest.connections.events import (
    Connected,
    Delivering,
    Dropped,
    Live,
    Lost,
    Occurrence,
    Stale,
    SubscriptionRefused,
    Unsubscribed,
)
from services.ingest.feed import Counted, FeedStatus, Item
from services.ingest.feeds.feed_health import Answered, FeedHealth, Unanswered
from services.ingest.venues.venue import Stream

AA = Stream("trades", "AA", "aa@trades", "/market")
AA_QUOTES = Stream("quotes", "AA", "aa@quotes", "/public")
BB = Stream("trades", "BB", "bb@trades", "/market")
RUNNING = FeedStatus("running")


def noted(condition: FeedHealth, *news: Occurrence | Unanswered | Answered) -> list[Item]:
    return [item for one in news for item in condition.note(one)]


def events(items: list[Item]) -> list[tuple[str, str, str | None]]:
    return [(item.kind, item.symbol, item.stream) for item in items if isinstance(item, TapeEvent)]


def test_it_is_running_when_data_have_come_and_says_so_once() -> None:
    condition = FeedHealth()
    assert noted(condition, Answered("v"), Connected("v", 1, 1, (AA, BB), None)) == []
    assert noted(condition, Delivering("v", 1, 1), Delivering("v", 2, 2)) == [RUNNING]


def test_it_is_degraded_for_as_long_as_any_reason_lasts() -> None:
    condition = FeedHealth()
    noted(condition, Delivering("v", 1, 1), Delivering("v", 2, 2))
    lost = Lost("v", 1, (AA,), "it hung up", 1.0)
    assert noted(condition, lost) == [FeedStatus("degraded", "it hung up")]
    [status, *_] = noted(condition, Unanswered("w", "HTTP 503", 1.0))
    assert status == FeedStatus("degraded", "it hung up; HTTP 503")
    assert noted(condition, Delivering("v", 1, 3)) == [FeedStatus("degraded", "HTTP 503")]
    assert noted(condition, Answered("w")) == [RUNNING]


def test_it_is_running_while_the_past_is_played_and_says_how_much_has_been() -> None:
    condition = FeedHealth()
    noted(condition, Answered("v"))
    assert [*condition.fill(Filling(0, 60))] == [FeedStatus("running", filling=Filling(0, 60))]
    lost = Lost("v", 1, (AA,), "it hung up", 1.0)
    assert noted(condition, lost) == [FeedStatus("degraded", "it hung up", Filling(0, 60))]
    assert [*condition.fill(Filling(7, 60))] == [FeedStatus("degraded", "it hung up", Filling(7, 60))]
    assert noted(condition, Delivering("v", 1, 2)) == [FeedStatus("running", filling=Filling(7, 60))]
    assert [*condition.fill(None), *condition.fill(None)] == [RUNNING]


def test_few_of_many_reasons_are_named() -> None:
    condition = FeedHealth()
    for lane in range(5):
        items = noted(condition, Lost("v", lane, (AA,), f"reason {lane}", 1.0))
    assert items == [FeedStatus("degraded", "reason 0; reason 1; reason 2; and 2 more")]


def test_a_stale_stream_is_an_event_a_count_and_a_reason_until_it_speaks() -> None:
    condition = FeedHealth()
    noted(condition, Delivering("v", 1, 1))
    items = noted(condition, Stale("v", AA, 31.4, 30.0))
    assert events(items) == [("stream_stale", "AA", "aa@trades")]
    assert Counted("stale_streams") in items
    assert items[-1] == FeedStatus("degraded", "aa@trades of v has been silent for 31 s")
    items = noted(condition, Live("v", AA))
    assert events(items) == [("stream_live", "AA", "aa@trades")]
    assert items[-1] == RUNNING


def test_a_refused_stream_is_stale_with_the_venues_reason() -> None:
    items = noted(FeedHealth(), SubscriptionRefused("v", AA, "no such stream"))
    assert events(items) == [("stream_stale", "AA", "aa@trades")]
    assert items[-1] == FeedStatus("degraded", "v refuses aa@trades: no such stream")


def test_a_reconnection_is_counted_once_and_told_once_for_each_symbol() -> None:
    condition = FeedHealth()
    assert noted(condition, Connected("v", 1, 1, (AA, BB), None)) == []
    items = noted(condition, Connected("v", 1, 2, (AA, AA_QUOTES, BB), "it hung up"))
    assert events(items) == [("reconnect", "AA", None), ("reconnect", "BB", None)]
    assert [item for item in items if isinstance(item, Counted)] == [Counted("reconnects")]


@pytest.mark.parametrize("connection", [1, 2])
def test_what_was_dropped_is_told_for_each_symbol_even_of_the_connection_before(connection: int) -> None:
    condition = FeedHealth()
    noted(condition, Connected("v", 1, 1, (AA, BB), None), Connected("v", 1, 2, (AA, BB), "again"))
    items = noted(condition, Dropped("v", connection, 7))
    assert events(items) == [("dropped", "AA", None), ("dropped", "BB", None)]
    assert Counted("dropped", 7) in items


def test_connections_that_are_long_gone_are_forgotten() -> None:
    condition = FeedHealth()
    for connection in range(1, 1000):
        noted(condition, Connected("v", 1, connection, (AA,), "again"))
    assert events(noted(condition, Dropped("v", 1, 7))) == []


def test_what_is_wanted_no_longer_is_no_reason_any_more() -> None:
    condition = FeedHealth()
    noted(condition, Delivering("v", 1, 1), Stale("v", AA, 30, 10), Lost("v", 2, (BB,), "gone", 1.0))
    assert noted(condition, Unsubscribed("v", (AA,)))[-1] != RUNNING
    assert noted(condition, Unsubscribed("v", (BB,), 2)) == [RUNNING]
