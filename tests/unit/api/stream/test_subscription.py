"""Subscription: commands of a client, and the time of its next message."""

import gc
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.api.stream.composer import PHASES, TOPICS, Filter
from services.api.stream.live_state import ALERTS_KEPT
from services.api.stream.subscription import Command, StreamQuery
from tests.unit.api.stream.stream_messages import Present, alert, read, signal, tick


def command(op: str, **fields: Any) -> Command:
    return Command(op=op, **fields)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ([], [], [])),
        ({"topics": ["ticks,alerts", " status "]}, (["ticks", "alerts", "status"], [], [])),
        (
            {"symbols": ["btcusdt, ethusdt", ""], "pairs": [",a2-b2,"]},
            ([], ["BTCUSDT", "ETHUSDT"], ["A2-B2"]),
        ),
    ],
)
def test_lists_are_repeated_or_have_commas(given: dict[str, Any], expected: Any) -> None:
    query = StreamQuery.model_validate(given)
    assert (query.topics, query.symbols, query.pairs) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"op": "buy"}, "'subscribe', 'unsubscribe', 'set' or 'ping'"),
        ({}, "op"),
        ({"op": "set", "topics": ["candles"]}, "'ticks', 'signals', 'alerts', 'radar' or 'status'"),
        ({"op": "set", "topics": "ticks"}, "list"),
        ({"op": "set", "symbols": ["!"]}, "expected a symbol"),
        ({"op": "set", "pairs": ["BTCUSDT"]}, "expected a pair Y-X"),
        ({"op": "set", "symbols": ["BTCUSDT"] * 1_001}, "at most 1000"),
        ({"op": "set", "interval_ms": -1}, "greater than or equal to 0"),
        ({"op": "set", "interval_ms": 60_001}, "less than or equal to 60000"),
        ({"op": "set", "interval_ms": "soon"}, "valid integer"),
        ({"op": "set", "symbol": []}, "Extra inputs"),
        ({"op": "ping", "topics": []}, "expected no topics with ping"),
        ({"op": "unsubscribe", "interval_ms": 5}, "expected no interval_ms with unsubscribe"),
        ({"op": "ping", "request_id": "x" * 101}, "at most 100"),
    ],
)
def test_a_wrong_command_is_refused_with_what_was_expected(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        Command.model_validate(given)


NAMES = st.frozensets(st.sampled_from(["A2", "B2", "C2"]))
ALL = frozenset({"A2", "B2", "C2"})


@given(has=NAMES, named=NAMES)
def test_subscribing_adds_and_unsubscribing_takes_away(has: frozenset[str], named: frozenset[str]) -> None:
    before = Filter(frozenset(TOPICS), symbols=has)

    def wanted(filtered: Filter) -> frozenset[str]:
        return frozenset(name for name in ALL if filtered.wants("ticks", name))

    more = command("subscribe", symbols=sorted(named)).applied_to(before)
    assert wanted(more) == wanted(before) | (named or ALL)
    assert command("set", symbols=sorted(named)).applied_to(before).symbols == named
    assert command("set", pairs=["A2-B2"]).applied_to(before).symbols == has
    try:
        fewer = command("unsubscribe", symbols=sorted(named)).applied_to(before)
    except ValueError:
        assert not has or has <= named
    else:
        assert wanted(fewer) == wanted(before) - named


def test_topics_are_all_again_when_none_is_set() -> None:
    before = Filter(frozenset({"ticks"}))
    assert command("set", topics=[]).applied_to(before).topics == frozenset(TOPICS)
    assert command("subscribe", topics=["alerts"]).applied_to(before).topics == {"ticks", "alerts"}
    with pytest.raises(ValueError, match="topics: expected to keep at least one"):
        command("unsubscribe", topics=["ticks"]).applied_to(before)
    assert before.topics == {"ticks"}


def test_a_change_brings_what_is_newly_wanted_and_nothing_is_missed() -> None:
    present = Present()
    live_state = present.live_state
    for symbol in ("A2", "B2"):
        live_state.put_tick(tick(symbol, 1))
    live_state.put_signal(signal("A2-B2", 1))
    reader = present.subscription("ticks", "signals", symbols=["A2"])
    reader.first()
    live_state.put_signal(signal("A2-B2", 2))  # on its way when the change comes
    said = reader.change(command("subscribe", topics=["alerts"], symbols=["B2"]))
    assert read(said.text) == {
        "type": "snapshot",
        "id": said.id,
        "feed": None,
        "scope": "added",
        "ticks": [live_state.ticks["B2"].row()],
        "alerts": [],
    }
    live_state.put_tick(tick("B2", 2))
    live_state.put_alert(alert(1))
    news = read(reader.update().text)
    assert [one["symbol"] for one in news["ticks"]] == ["B2"]
    assert [one["event_us"] for one in news["signals"]] == [2]
    assert len(news["alerts"]) == 1
    reader.change(command("unsubscribe", topics=["ticks", "signals"]))
    live_state.put_tick(tick("A2", 3))
    assert reader.update().text is None


def test_who_asks_for_a_topic_later_has_not_missed_what_came_before() -> None:
    present = Present()
    reader = present.subscription("ticks")
    reader.first()
    for number in range(ALERTS_KEPT + 1):
        present.live_state.put_alert(alert(number))
    assert reader.update().text is None
    reader.change(command("subscribe", topics=["alerts"]))
    present.live_state.put_alert(alert(ALERTS_KEPT + 1))
    assert len(read(reader.update().text)["alerts"]) == 1


@pytest.mark.parametrize("last_event_id", ["of-another-process", "x-5"])
def test_who_is_back_from_another_process_is_told_all_that_is_kept_after_the_snapshot(
    last_event_id: str,
) -> None:
    present = Present()
    for second in range(1, 4):
        present.live_state.put_signal(signal("A2-B2", second))
    present.live_state.put_alert(alert(1))
    reader = present.subscription("signals", "alerts", last_event_id=last_event_id)
    first = read(reader.first().text)
    assert (first["type"], first["resumed"]) == ("snapshot", False)
    news = read(reader.update().text)
    assert [one["event_us"] for one in news["signals"]] == [1, 2, 3]
    assert len(news["alerts"]) == 1
    assert reader.update().text is None


def test_who_is_new_is_told_only_what_comes_after_the_snapshot() -> None:
    present = Present()
    present.live_state.put_signal(signal("A2-B2", 1))
    reader = present.subscription("signals", "alerts")
    reader.first()
    assert reader.update().text is None


def test_a_refused_change_changes_nothing() -> None:
    reader = Present().subscription("ticks", symbols=["A2"], interval_ms=50)
    reader.first()
    wanted = reader.wanted
    with pytest.raises(ValueError, match="keep at least one"):
        reader.change(command("unsubscribe", symbols=["A2"]))
    assert (reader.wanted, reader.interval_ms) == (wanted, 50)


def test_after_a_silence_news_is_due_at_once_and_then_once_an_interval() -> None:
    present = Present()
    present.seconds = 10.02
    reader = present.subscription("ticks", interval_ms=100)
    reader.first()
    assert reader.due_s() == pytest.approx(0.08)
    present.seconds = 10.5
    assert reader.due_s() == 0
    assert reader.update().text is None
    assert reader.due_s() == 0
    present.live_state.put_tick(tick("A", 1))
    assert reader.update().text
    assert reader.due_s() == pytest.approx(0.1)
    reader.change(command("set", interval_ms=0))
    present.live_state.put_tick(tick("A", 2))
    assert reader.update().text
    assert reader.due_s() == 0


def test_clients_are_told_one_after_another_each_in_its_part_of_the_interval() -> None:
    present = Present()
    present.seconds = 10.0
    readers = [present.subscription("ticks", interval_ms=100) for _ in range(2 * len(PHASES))]
    for reader in readers:
        reader.first()
    due = [reader.due_s() for reader in readers]
    assert sorted(due[: len(PHASES)]) == pytest.approx([0.025, 0.05, 0.075, 0.1])
    assert due[len(PHASES) :] == due[: len(PHASES)]
    present.live_state.put_tick(tick("A", 1))
    for reader, first_s in zip(readers, due, strict=True):
        present.seconds = 10.0 + first_s
        assert reader.update().text
        assert reader.due_s() == pytest.approx(0.1)


def test_the_interval_of_the_composer_is_the_shortest_of_those_who_listen() -> None:
    present = Present()
    assert present.composer.interval_s() == math.inf
    slow, fast = present.subscription(interval_ms=1_000), present.subscription(interval_ms=30)
    assert present.composer.interval_s() == 0.03
    fast.first()
    fast.change(command("set", interval_ms=5_000))
    assert present.composer.interval_s() == 1.0
    del slow
    gc.collect()
    assert present.composer.interval_s() == 5.0
