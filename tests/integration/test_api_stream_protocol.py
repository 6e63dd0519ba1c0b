"""Stream protocol: commands of clients, resumed streams, and clients that do not read."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from msgspec.structs import replace
from websockets.sync.client import ClientConnection

from services.api.security.event_stream_timeout import SLOW_S
from services.contracts.messages import Signal
from services.contracts.topics import ALERTS, SIGNALS, TICKS
from tests.api_process import PAIR, ApiProcess, alert, pair_signal, running_api, store, tick
from tests.fix_broker import embedded_broker
from tests.fix_database import Postgres, created
from tests.stream_client import (
    answer,
    open_silent_stream,
    open_stream,
    publish,
    read_to_the_end,
    receive,
    say,
)

pytestmark = pytest.mark.integration
OTHER = "SOLUSDT-BTCUSDT"
PAIRS = {"PAIRSTREAM_SYMBOLS": "BTCUSDT,ETHUSDT,SOLUSDT", "PAIRSTREAM_PAIRS": f"{PAIR},{OTHER}"}


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with embedded_broker() as address:
        yield address


@pytest.fixture(scope="module")
def api(broker: str, postgres: Postgres, template: str) -> Iterator[ApiProcess]:
    with created(postgres.url, template) as url:
        store(url, [tick(1), pair_signal(1), alert(1)])
        with running_api(broker, url, variables=PAIRS) as running:
            yield running


def closes(message: dict[str, Any]) -> list[int]:
    return [one["samples"] for one in message.get("signals", ()) if one["closed"]]


def collect(stream: ClientConnection, wanted: set[int]) -> list[int]:
    """Return the closes of the updates until all that are wanted have come."""
    found: list[int] = []
    while not wanted <= set(found):
        found += closes(receive(stream))
    return found


def live(number: int) -> Signal:
    close = pair_signal(number)
    return replace(close, closed=False, event_us=close.event_us + 900_000)


def test_every_close_comes_in_its_order_and_of_what_lies_between_the_latest(
    api: ApiProcess, broker: str
) -> None:
    with open_stream(api, "?topics=signals&interval_ms=200") as stream:
        assert receive(stream)["type"] == "snapshot"
        for first in range(100, 400, 100):
            numbers = range(first, first + 100)
            publish(broker, SIGNALS, *(one for n in numbers for one in (live(n), pair_signal(n))))
        news = [receive(stream)]
        while closes(news[-1])[-1:] != [399]:
            news.append(receive(stream))
        assert [number for message in news for number in closes(message)] == list(range(100, 400))
        between = [[one for one in message["signals"] if not one["closed"]] for message in news]
        assert max(map(len, between)) == 1
        assert between[-1][0]["samples"] == 399


def test_topics_and_filters_change_without_a_new_connection(api: ApiProcess, broker: str) -> None:
    publish(broker, TICKS, tick(10), tick(11, "ETHUSDT"))
    prices = [tick(number).price for number in (10, 11)]
    api.wait_for(
        "/v1/status",
        lambda response: [one["last_price"] for one in response.json()["symbols"][:2]] == prices,
    )
    with open_stream(api, "?topics=ticks&symbols=BTCUSDT&interval_ms=0") as stream:
        assert [one["symbol"] for one in receive(stream)["ticks"]] == ["BTCUSDT"]
        say(stream, op="subscribe", symbols=["ethusdt"], topics=["alerts"], request_id=7)
        assert answer(stream) == {
            "type": "ack",
            "request_id": 7,
            "op": "subscribe",
            "topics": ["ticks", "alerts"],
            "symbols": ["BTCUSDT", "ETHUSDT"],
            "pairs": [],
            "interval_ms": 0,
        }
        added = receive(stream)
        assert (added["type"], added["scope"]) == ("snapshot", "added")
        assert [one["trade_id"] for one in added["ticks"]] == [11]
        assert added["alerts"]
        say(stream, op="unsubscribe", symbols=["BTCUSDT"])
        assert answer(stream)["symbols"] == ["ETHUSDT"]
        assert receive(stream)["scope"] == "added"
        publish(broker, TICKS, tick(12), tick(13, "ETHUSDT"))
        assert [one["trade_id"] for one in receive(stream)["ticks"]] == [13]
        say(stream, op="set", symbols=[], topics=["ticks"], interval_ms=20)
        assert answer(stream)["interval_ms"] == 20
        assert "BTCUSDT" in [one["symbol"] for one in receive(stream)["ticks"]]


def test_a_wrong_command_is_answered_and_too_many_of_them_end_the_stream(api: ApiProcess) -> None:
    wrong = {
        "ping": "JSON object",
        "[" * 5_000: "JSON object",
        '{"op": "buy"}': "'subscribe', 'unsubscribe', 'set' or 'ping'",
        '{"op": "set", "topics": ["candles"]}': "'ticks', 'signals', 'alerts', 'radar' or 'status'",
        '{"op": "set", "symbols": ["BTCUSDR"]}': "BTCUSDT",
        '{"op": "subscribe", "pairs": ["ETHUSDT-SOLUSDT"]}': PAIR,
        '{"op": "unsubscribe", "topics": ["ticks"]}': "expected to keep at least one",
        '{"op": "ping", "symbol": "BTCUSDT"}': "documented",
    }
    with open_stream(api, "?topics=ticks") as stream:
        for text, expected in wrong.items():
            stream.send(text)
            error = answer(stream)
            assert error["type"] == "error"
            assert expected in error["detail"]
        say(stream, op="ping", request_id="still here")
        pong = answer(stream)
        assert (pong["type"], pong["request_id"]) == ("pong", "still here")
        assert pong["now_us"] > tick(0).event_us
        for _ in range(5):
            stream.send(b"bytes")
        assert read_to_the_end(stream) == 1008
        assert "too many errors" in str(stream.close_reason)


def test_a_flood_of_commands_and_a_long_one_end_the_stream(api: ApiProcess) -> None:
    with open_stream(api, "?topics=alerts") as stream:
        for _ in range(60):
            say(stream, op="ping")
        assert read_to_the_end(stream) == 1008
    with open_stream(api, "?topics=alerts") as stream:
        say(stream, op="ping", request_id="x" * 100_000)
        assert read_to_the_end(stream) == 1009


def test_a_client_that_comes_back_gets_what_it_missed(api: ApiProcess, broker: str) -> None:
    with open_stream(api, "?topics=signals,alerts") as stream:
        first = receive(stream)
        publish(broker, SIGNALS, pair_signal(1_000))
        seen = receive(stream)
    assert (first["resumed"], closes(seen)) == (False, [1_000])
    publish(broker, SIGNALS, *map(pair_signal, range(1_001, 1_050)))
    publish(broker, ALERTS, alert(1_000))
    with open_stream(api, "?topics=signals") as other:
        if 1_049 not in closes(receive(other)):
            collect(other, {1_049})
    with open_stream(api, f"?topics=signals,alerts&last_event_id={seen['id']}") as stream:
        missed = receive(stream)
        assert (missed["type"], missed["resumed"]) == ("update", True)
        while closes(missed)[-1] != 1_049 or "alerts" not in missed:
            more = receive(stream)
            missed["signals"] += more.get("signals", [])
            missed["alerts"] = missed.get("alerts", []) + more.get("alerts", [])
        assert closes(missed) == list(range(1_001, 1_050))
        assert [one["alert_id"] for one in missed["alerts"]] == ["alert-001000"]
    epoch = "0" * 12
    with open_stream(api, f"?topics=signals&last_event_id={epoch}-5") as stream:
        assert (again := receive(stream))["type"] == "snapshot"
        assert again["resumed"] is False


def read_event(lines: Iterator[str]) -> dict[str, str]:
    """Return the fields of the next server-sent event; `comment` of one that is a comment only."""
    event: dict[str, str] = {}
    for line in lines:
        if not line:
            return event
        name, _, text = line.partition(":")
        event[name or "comment"] = text.strip()
    raise AssertionError(f"expected the end of an event, received the end of the stream after {event}")


def test_events_say_what_the_stream_says_and_resume(api: ApiProcess, broker: str) -> None:
    url = "/v1/events"
    query = {"topics": "signals,alerts", "interval_ms": "0"}
    with api.http.stream("GET", url, params=query, timeout=20) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.iter_lines()
        snapshot = read_event(lines)
        assert snapshot["event"] == "snapshot"
        assert json.loads(snapshot["data"])["id"] == snapshot["id"]
        publish(broker, SIGNALS, pair_signal(2_000))
        update = read_event(lines)
        assert (update["event"], closes(json.loads(update["data"]))) == ("update", [2_000])
    publish(broker, SIGNALS, *map(pair_signal, range(2_001, 2_005)))
    header = {"Last-Event-ID": update["id"]}
    with api.http.stream("GET", url, params=query, headers=header, timeout=20) as response:
        lines = response.iter_lines()
        resumed = json.loads(read_event(lines)["data"])
        assert (resumed["type"], resumed["resumed"]) == ("update", True)
        found = closes(resumed)
        while found[-1:] != [2_004]:
            found += closes(json.loads(read_event(lines)["data"]))
        assert found == list(range(2_001, 2_005))


@pytest.mark.parametrize(
    ("query", "status", "expected"),
    [
        ({"topics": "candles"}, 422, "'ticks', 'signals', 'alerts', 'radar' or 'status'"),
        ({"symbols": "BTCUSDR"}, 404, "BTCUSDT"),
        ({"pairs": "BTCUSDT-ETHUSDT"}, 404, PAIR),
        ({"interval_ms": "-1"}, 422, "interval_ms"),
        ({"topic": "ticks"}, 422, "documented"),
    ],
)
def test_a_wrong_request_for_events_is_a_problem(
    api: ApiProcess, query: dict[str, str], status: int, expected: str
) -> None:
    response = api.get("/v1/events", **query)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert expected in response.json()["detail"]


def test_many_clients_hear_everything_and_those_that_do_not_read_harm_nobody(
    api: ApiProcess, broker: str
) -> None:
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(closing(open_silent_stream(api, "signals")))
        clients = [stack.enter_context(open_stream(api, "?topics=signals")) for _ in range(50)]
        for client in clients:
            receive(client)
        for first in range(3_000, 3_500, 100):
            publish(broker, SIGNALS, *map(pair_signal, range(first, first + 100)))
        for client in clients:
            assert collect(client, set(range(3_000, 3_500))) == list(range(3_000, 3_500))


def test_a_client_that_does_not_read_is_closed_and_told_why(api: ApiProcess, broker: str) -> None:
    why = f"expected a message to be read within {SLOW_S:g} s".encode()
    with closing(open_silent_stream(api, "alerts")) as silent:
        publish(broker, ALERTS, *(alert(n, "x" * 5_000) for n in range(5_000, 5_600)))
        time.sleep(SLOW_S + 1)
        silent.settimeout(10)
        received = b""
        while why not in received:
            chunk = silent.recv(1 << 20)
            assert chunk, "expected the reason, received the end"
            received = received[-200:] + chunk
