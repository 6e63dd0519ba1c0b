"""Stream composer: every client ends with the newest of each key, and with every close and every alert."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.api.stream.composer import MESSAGE_BYTES, SNAPSHOT_ALERTS, STATUS_EVERY_S, TOPICS, LaggingError
from services.api.stream.live_state import ALERTS_KEPT
from services.contracts.messages import Alert, Signal, Tick
from tests.unit.api.stream.stream_messages import (
    Present,
    alert,
    alert_of,
    put,
    read,
    signal,
    tick,
)


class Client:
    """What a well-behaved reader makes of the messages."""

    def __init__(self) -> None:
        self.id: str | None = None
        self.ticks: dict[str, int] = {}
        self.live: dict[str, int] = {}
        self.closes: list[tuple[str, int]] = []
        self.alerts: list[str] = []

    def apply(self, message: dict[str, Any]) -> None:
        self.id = message.get("id", self.id)
        self.ticks |= {one["symbol"]: one["event_us"] for one in message.get("ticks", [])}
        signals = message.get("signals", [])
        self.live |= {one["pair"]: one["event_us"] for one in signals if not one["closed"]}
        self.closes += [(one["pair"], one["event_us"]) for one in signals if one["closed"]]
        alerts = message.get("alerts", [])
        if message.get("type") == "snapshot":
            alerts = alerts[::-1]
        self.alerts += [one["alert_id"] for one in alerts]


Event = Tick | Signal | Alert | str
MOMENTS = st.integers(0, 20)
PAIRS = st.sampled_from(["A-B", "C-B"])
LOOK, LEAVE = "the client looks", "the client leaves and comes back"
EVENTS = st.lists(
    st.one_of(
        st.builds(tick, st.sampled_from(["A", "B", "C"]), MOMENTS, MOMENTS),
        st.builds(signal, PAIRS, MOMENTS, st.booleans()),
        st.builds(alert, st.integers(0, 45), PAIRS),
        st.sampled_from([LOOK, LEAVE]),
    ),
    max_size=80,
)


def newest(events: list[Event], closed: bool) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in events:
        if isinstance(one, Signal) and one.closed is closed:
            found[one.pair] = max(one.event_us, found.get(one.pair, 0))
    return found


@given(before=EVENTS, after=EVENTS)
def test_a_client_ends_with_the_newest_of_each_key_and_every_close_and_alert_once(
    before: list[Event], after: list[Event]
) -> None:
    present, client = Present(), Client()
    for event in before:
        put(present.live_state, event)
    reader = present.subscription("ticks", "signals", "alerts")
    client.apply(read(reader.first().text))
    for event in after:
        put(present.live_state, event)
        if event == LOOK:
            client.apply(read(reader.update().text))
        elif event == LEAVE:
            reader = present.subscription("ticks", "signals", "alerts", last_event_id=client.id)
            message = read(reader.first().text)
            assert (message["type"], message["resumed"]) == ("update", True)
            client.apply(message)
    client.apply(read(reader.update().text))
    assert reader.update().text is None

    events = [*before, *after]
    symbols = {one.symbol for one in events if isinstance(one, Tick)}
    assert client.ticks == {
        symbol: max(one.event_us for one in events if isinstance(one, Tick) and one.symbol == symbol)
        for symbol in symbols
    }
    assert client.live == newest(events, closed=False)
    closes = [(one.pair, one.event_us) for one in after if isinstance(one, Signal) and one.closed]
    known = {(one.pair, one.event_us) for one in before if isinstance(one, Signal) and one.closed}
    fresh = [one for one in dict.fromkeys(closes) if one not in known]
    first = list(newest(before, closed=True).items())
    assert sorted(client.closes[: len(first)]) == sorted(first)
    assert client.closes[len(first) :] == fresh
    assert sorted(client.alerts) == sorted({one.alert_id for one in events if isinstance(one, Alert)})


REVISIONS = st.lists(
    st.one_of(st.builds(signal, PAIRS, MOMENTS, st.just(value=True), st.integers(0, 3)), st.just(LEAVE)),
    max_size=60,
)


@given(events=REVISIONS)
def test_a_client_ends_with_the_highest_revision_of_every_second(events: list[Event]) -> None:
    present = Present()
    reader = present.subscription("signals")
    message = read(reader.first().text)
    closes: dict[tuple[str, int], int] = {}
    highest: dict[tuple[str, int], int] = {}
    for event in [*events, LEAVE]:
        put(present.live_state, event)
        if isinstance(event, Signal):
            key = event.pair, event.event_us
            highest[key] = max(event.revision, highest.get(key, 0))
        else:
            reader = present.subscription("signals", last_event_id=message["id"])
            message = read(reader.first().text)
            assert message["resumed"]
            closes |= {(one["pair"], one["event_us"]): one["revision"] for one in message.get("signals", [])}
    assert closes == highest


@given(events=EVENTS, symbol=st.sampled_from("ABC"), pair=PAIRS)
def test_a_client_gets_only_the_symbols_and_pairs_it_named(
    events: list[Event], symbol: str, pair: str
) -> None:
    present = Present()
    reader = present.subscription(symbols=[symbol], pairs=[pair])
    messages = [read(reader.first().text)]
    for event in events:
        put(present.live_state, event)
        messages.append(read(reader.update().text))
    for message in messages:
        assert {one["symbol"] for one in message.get("ticks", [])} <= {symbol}
        assert {one["pair"] for one in (*message.get("signals", []), *message.get("alerts", []))} <= {pair}


def test_an_alert_goes_by_what_it_is_of() -> None:
    pair, swapped = "ETHUSDT-BTCUSDT", "BTCUSDT-ETHUSDT"
    on_leg = structs.replace(alert(5, pair), subject="SOLUSDT")
    subjects = [pair, swapped, "BTCUSDT", "ETHUSDT", "sink"]
    alerts = [*(alert_of(number, subject) for number, subject in enumerate(subjects)), on_leg]
    cases: list[tuple[dict[str, Any], set[int]]] = [
        ({}, {0, 1, 2, 3, 4, 5}),
        ({"pairs": [pair]}, {0, 2, 3, 4, 5}),
        ({"symbols": ["BTCUSDT"]}, {0, 1, 2, 4, 5}),
        ({"pairs": [pair], "symbols": ["BTCUSDT"]}, {0, 2, 4, 5}),
    ]
    for named, wanted in cases:
        present = Present()
        reader, late = present.subscription("alerts", **named), present.subscription("alerts", **named)
        reader.first()
        for one in alerts:
            present.live_state.put_alert(one)
        for message in (read(reader.update().text), read(late.first().text)):
            assert {int(one["alert_id"]) for one in message["alerts"]} == wanted, named


def test_a_snapshot_has_every_topic_asked_for_and_the_last_alerts_newest_first() -> None:
    present = Present()
    for number in range(SNAPSHOT_ALERTS + 10):
        present.live_state.put_alert(alert(number))
    message = read(present.subscription().first().text)
    assert list(message) == ["type", "id", "feed", "scope", "resumed", *TOPICS]
    assert [one["event_us"] for one in message["alerts"]] == list(range(SNAPSHOT_ALERTS + 9, 9, -1))


def test_clients_who_want_the_same_share_the_text() -> None:
    present = Present()
    some = [present.subscription("ticks") for _ in range(2)]
    other = present.subscription("ticks", symbols=["A"])
    for reader in (*some, other):
        reader.first()
    present.live_state.put_tick(tick("A", 1))
    one, two = (reader.update().text for reader in some)
    assert one is two
    third = other.update().text
    assert (third is one, third) == (False, one)


def test_a_client_that_has_lost_alerts_is_told() -> None:
    present = Present()
    reader, without = present.subscription("alerts"), present.subscription("ticks")
    event_id = reader.first().id
    without.first()
    for number in range(ALERTS_KEPT):
        present.live_state.put_alert(alert(number))
    assert read(present.subscription("alerts", last_event_id=event_id).first().text)["resumed"]
    present.live_state.put_alert(alert(ALERTS_KEPT))
    with pytest.raises(LaggingError):
        reader.update()
    assert without.update().text is None
    message = read(present.subscription("alerts", last_event_id=event_id).first().text)
    assert (message["type"], message["resumed"]) == ("snapshot", False)


def test_a_quiet_topic_does_not_lag() -> None:
    present = Present()
    reader = present.subscription("alerts", pairs=["C-B"])
    reader.first()
    for number in range(3 * ALERTS_KEPT):
        present.live_state.put_alert(alert(number))
        if number % ALERTS_KEPT == 0:
            assert reader.update().text is None


@pytest.mark.parametrize(
    "event_id", ["", "-", "x", "5", "-5", "{epoch}-", "{epoch}-9", "{epoch}--1", "{epoch}-²"]
)
def test_an_id_that_is_not_of_this_hub_gives_a_snapshot(event_id: str) -> None:
    present = Present()
    given = event_id.format(epoch=present.live_state.epoch)
    assert present.subscription(last_event_id=given).first().kind == "snapshot"
    assert Present().live_state.epoch != present.live_state.epoch


def test_a_client_that_was_away_for_long_gets_messages_of_a_bounded_size() -> None:
    present = Present()
    event_id = present.subscription("signals").first().id
    reader = present.subscription("signals", last_event_id=event_id)
    count = 2_000
    for number in range(count):
        present.live_state.put_signal(signal("A-B", number))
    texts = [reader.first().text]
    while texts[-1] is not None:
        texts.append(reader.update().text)
    closes = [one["event_us"] for text in texts for one in read(text).get("signals", [])]
    assert closes == list(range(count))
    sizes = [len(text) for text in texts if text]
    assert len(sizes) > 2
    assert max(sizes) < MESSAGE_BYTES + 2_000


def test_the_status_comes_once_a_second_and_is_asked_for_once() -> None:
    present = Present()
    readers = [present.subscription(), present.subscription()]
    for reader in readers:
        assert read(reader.first().text)["status"] == {"asked": 1}
        assert reader.update().text is None
        assert reader.patience_s() == STATUS_EVERY_S
    present.live_state.put_tick(tick("A", 1))
    assert "status" not in read(readers[0].update().text)
    present.seconds += STATUS_EVERY_S
    for reader in readers:
        assert read(reader.update().text)["status"] == {"asked": 2}
    without = present.subscription("ticks")
    without.first()
    present.seconds += STATUS_EVERY_S
    without.update()
    assert present.asked == 2
    assert without.patience_s() > 0


def test_who_wants_anything_is_told_once_what_is_wrong_and_that_it_is_well_again() -> None:
    present = Present()
    early = present.subscription("ticks")
    assert "degraded" not in read(early.first().text)
    present.wrong = ["the broker cannot be reached"]
    present.seconds += 1
    late = present.subscription("alerts")
    assert read(late.first().text)["degraded"] == present.wrong
    assert read(early.update().text)["degraded"] == present.wrong
    for client in (early, late):
        assert client.update().text is None
    present.wrong = []
    present.seconds += 1
    for client in (early, late):
        assert read(client.update().text)["degraded"] == []
        assert client.update().text is None


def test_who_comes_back_is_told_what_is_wrong_now() -> None:
    present = Present()
    first = read(present.subscription("signals").first().text)
    present.wrong = ["the database cannot be reached"]
    present.seconds += 1
    again = read(present.subscription("signals", last_event_id=first["id"]).first().text)
    assert (again["resumed"], again["degraded"]) == (True, present.wrong)
