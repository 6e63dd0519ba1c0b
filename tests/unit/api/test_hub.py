"""Whatever arrives and whenever a client looks: it ends with the newest of each key and every alert."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.hub import ALERTS_KEPT, Hub
from services.api.rows import Row
from services.api.subscription import (
    SNAPSHOT_ALERTS,
    STATUS_EVERY_S,
    TOPICS,
    LaggingError,
    Subscription,
    Topic,
)
from services.common.messages import Alert, Signal, Tick


class Present:
    """What a subscription looks at, with a status that says how often it was asked for."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.feed: str | None = None
        self.asked = 0

    def status(self) -> Row:
        self.asked += 1
        return {"asked": self.asked}


def tick(symbol: str, event_us: int, trade_id: int = 0) -> Tick:
    return Tick(
        venue="v",
        symbol=symbol,
        trade_id=trade_id,
        event_us=event_us,
        received_us=event_us,
        price=1.0,
        size=1.0,
        buyer_is_maker=False,
    )


def signal(pair: str, event_us: int) -> Signal:
    return Signal(
        pair=pair,
        event_us=event_us,
        y_price=1.0,
        x_price=1.0,
        hedge_ratio=None,
        intercept=None,
        method="ols",
        spread=None,
        zscore=None,
        correlation=None,
        window=300,
        samples=1,
        quality="not_enough_data",
    )


def alert(number: int, pair: str = "A-B") -> Alert:
    return Alert(
        alert_id=str(number),
        rule_id="r",
        pair=pair,
        event_us=number,
        state="firing",
        value=1.0,
        threshold=1.0,
        message="m",
    )


def subscription(
    present: Present,
    *topics: Topic,
    symbols: frozenset[str] = frozenset(),
    pairs: frozenset[str] = frozenset(),
    seconds: Callable[[], float] = lambda: 0.0,
) -> Subscription:
    return Subscription(present, frozenset(topics or TOPICS), symbols, pairs, seconds)


def read(message: bytes | None) -> dict[str, Any]:
    return {} if message is None else dict(json.loads(message))


class Client:
    """What a well-behaved reader makes of the messages."""

    def __init__(self) -> None:
        self.ticks: dict[str, int] = {}
        self.signals: dict[str, int] = {}
        self.alerts: list[str] = []

    def apply(self, message: dict[str, Any]) -> None:
        self.ticks |= {one["symbol"]: one["event_us"] for one in message.get("ticks", [])}
        self.signals |= {one["pair"]: one["event_us"] for one in message.get("signals", [])}
        alerts = message.get("alerts", [])
        if message.get("type") == "snapshot":
            alerts = alerts[::-1]
        self.alerts += [one["alert_id"] for one in alerts]


MOMENTS = st.integers(0, 20)
EVENTS = st.lists(
    st.one_of(
        st.builds(tick, st.sampled_from(["A", "B", "C"]), MOMENTS, MOMENTS),
        st.builds(signal, st.sampled_from(["A-B", "C-B"]), MOMENTS),
        st.builds(alert, st.integers(0, 45), st.sampled_from(["A-B", "C-B"])),
        st.just("the client looks"),
    ),
    max_size=80,
)


def put(hub: Hub, message: Tick | Signal | Alert | str) -> None:
    match message:
        case Tick():
            hub.put_tick(message)
        case Signal():
            hub.put_signal(message)
        case Alert():
            hub.put_alert(message)


@given(before=EVENTS, after=EVENTS)
def test_a_client_ends_with_the_newest_of_each_key_and_every_alert_once(
    before: list[Tick | Signal | Alert | str], after: list[Tick | Signal | Alert | str]
) -> None:
    present, client = Present(), Client()
    for event in before:
        put(present.hub, event)
    reader = subscription(present, "ticks", "signals", "alerts")
    client.apply(read(reader.snapshot()))
    for event in after:
        put(present.hub, event)
        if isinstance(event, str):
            client.apply(read(reader.update()))
    client.apply(read(reader.update()))
    assert reader.update() is None

    events = [*before, *after]
    symbols = {one.symbol for one in events if isinstance(one, Tick)}
    assert client.ticks == {
        symbol: max(one.event_us for one in events if isinstance(one, Tick) and one.symbol == symbol)
        for symbol in symbols
    }
    pairs = {one.pair for one in events if isinstance(one, Signal)}
    assert client.signals == {
        pair: max(one.event_us for one in events if isinstance(one, Signal) and one.pair == pair)
        for pair in pairs
    }
    known = {one.alert_id for one in events if isinstance(one, Alert)}
    assert sorted(client.alerts) == sorted(known)


@given(events=EVENTS, symbol=st.sampled_from("ABC"), pair=st.sampled_from(["A-B", "C-B"]))
def test_a_client_gets_only_the_symbols_and_pairs_it_named(
    events: list[Tick | Signal | Alert | str], symbol: str, pair: str
) -> None:
    present = Present()
    reader = subscription(present, symbols=frozenset({symbol}), pairs=frozenset({pair}))
    messages = [read(reader.snapshot())]
    for event in events:
        put(present.hub, event)
        messages.append(read(reader.update()))
    for message in messages:
        assert {one["symbol"] for one in message.get("ticks", [])} <= {symbol}
        assert {one["pair"] for one in (*message.get("signals", []), *message.get("alerts", []))} <= {pair}


def test_a_snapshot_has_every_topic_asked_for_and_the_last_alerts_newest_first() -> None:
    present = Present()
    for number in range(SNAPSHOT_ALERTS + 10):
        present.hub.put_alert(alert(number))
    message = read(subscription(present).snapshot())
    assert list(message) == ["type", "feed", *TOPICS]
    assert [one["event_us"] for one in message["alerts"]] == list(range(SNAPSHOT_ALERTS + 9, 9, -1))


def test_what_is_stored_fills_gaps_and_gives_way_to_the_topic() -> None:
    hub = Hub()
    hub.put_tick(tick("A", 5))
    hub.put_alert(alert(2))
    hub.seed([tick("A", 9), tick("B", 9)], [signal("A-B", 9)], [alert(1), alert(2)])
    assert {symbol: entry.message.event_us for symbol, entry in hub.ticks.items()} == {"A": 5, "B": 9}
    assert [one.alert_id for one in hub.last_alerts()] == ["2", "1"]
    assert [entry.message.alert_id for entry in hub.alerts_after(0)] == ["2"]
    hub.put_tick(tick("B", 3))  # an old tape begins again
    hub.put_signal(signal("A-B", 3))
    assert (hub.ticks["B"].message.event_us, hub.signals["A-B"].message.event_us) == (3, 3)


def test_a_client_that_has_lost_alerts_is_told() -> None:
    present = Present()
    reader, without = subscription(present, "alerts"), subscription(present, "ticks")
    for number in range(ALERTS_KEPT):
        present.hub.put_alert(alert(number))
    assert len(read(reader.update())["alerts"]) == ALERTS_KEPT
    for number in range(ALERTS_KEPT, 2 * ALERTS_KEPT + 1):
        present.hub.put_alert(alert(number))
    with pytest.raises(LaggingError):
        reader.update()
    assert without.update() is None


def test_the_status_comes_once_a_second() -> None:
    present, now = Present(), [0.0]
    reader = subscription(present, seconds=lambda: now[0])
    assert read(reader.snapshot())["status"] == {"asked": 1}
    assert reader.update() is None
    assert reader.status_due_s() == STATUS_EVERY_S
    present.hub.put_tick(tick("A", 1))
    assert "status" not in read(reader.update())
    now[0] += STATUS_EVERY_S
    assert reader.status_due_s() == 0
    assert read(reader.update())["status"] == {"asked": 2}
    assert subscription(present, "ticks").status_due_s() is None
