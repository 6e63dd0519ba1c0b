"""Stream of the API, also while broker, database and clients fail."""

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from services.common.codec import decode
from services.contracts.messages import Alert, Heartbeat, Signal, Tick
from services.contracts.topics import ALERTS, HEARTBEATS, SIGNALS, TICKS
from tests.api_process import (
    PAIR,
    ApiProcess,
    alert,
    heartbeat,
    pair_signal,
    running_api,
    store,
    tick,
)
from tests.broker import read_all
from tests.fix_broker import embedded_broker
from tests.fix_database import Postgres
from tests.ports import free_port
from tests.stream_client import (
    open_silent_stream,
    open_stream,
    publish,
    read_to_the_end,
    receive,
    receive_until,
)
from tests.waiting import wait_until

pytestmark = pytest.mark.integration
PAIRS = {"PAIRSTREAM_SYMBOLS": "BTCUSDT,ETHUSDT,SOLUSDT", "PAIRSTREAM_PAIRS": f"{PAIR},SOLUSDT-BTCUSDT"}


@pytest.fixture
def api(broker: str, database_url: str) -> Iterator[ApiProcess]:
    store(database_url, [tick(1), pair_signal(1), *(alert(number) for number in range(60))])
    with running_api(broker, database_url, variables=PAIRS) as running:
        yield running


def test_a_snapshot_of_store_and_topics_and_then_what_is_new(api: ApiProcess, broker: str) -> None:
    publish(broker, HEARTBEATS, heartbeat("ingest", feed="synthetic"))
    publish(broker, TICKS, tick(5, "ETHUSDT"))
    api.wait_for("/v1/status", lambda response: response.json()["symbols"][1]["last_price"] is not None)
    api.wait_for("/v1/status", lambda response: response.json()["feed"] == "synthetic")
    with open_stream(api) as stream:
        snapshot = receive(stream)
        assert list(snapshot) == [
            "type",
            "id",
            "feed",
            "scope",
            "resumed",
            "ticks",
            "signals",
            "alerts",
            "radar",
            "status",
        ]
        assert (snapshot["type"], snapshot["feed"]) == ("snapshot", "synthetic")
        assert {one["symbol"] for one in snapshot["ticks"]} == {"BTCUSDT", "ETHUSDT"}
        assert [one["samples"] for one in snapshot["signals"]] == [1]
        assert [one["alert_id"] for one in snapshot["alerts"]] == [f"alert-{n:06}" for n in range(59, 9, -1)]
        assert [one["service"] for one in snapshot["status"]["services"]][-1] == "api"

        publish(broker, TICKS, *(tick(number, "SOLUSDT") for number in range(2_000)))
        (last,) = receive_until(stream, "ticks")[-1:]
        while last["trade_id"] != 1999:
            (last,) = receive_until(stream, "ticks")
        expected = tick(1999, "SOLUSDT")
        assert msgspec.convert(last, Tick) == expected
        assert last["event_time"] == "2026-01-01T00:08:19.750000Z"

        publish(broker, SIGNALS, pair_signal(2))
        assert msgspec.convert(receive_until(stream, "signals"), list[Signal]) == [pair_signal(2)]
        publish(broker, ALERTS, alert(59), alert(70), alert(70), alert(61))
        news: list[dict[str, Any]] = []
        while not news or news[-1]["alert_id"] != alert(61).alert_id:
            news += receive_until(stream, "alerts")
        assert msgspec.convert(news, list[Alert])[-2:] == [alert(70), alert(61)]
        assert receive_until(stream, "status")


def test_a_correction_reaches_a_client_and_is_not_the_latest_signal_of_its_pair(
    api: ApiProcess, broker: str
) -> None:
    def last_signal() -> dict[str, Any]:
        return dict(api.get(f"/v1/pairs/{PAIR}").json()["last_signal"])

    corrected = msgspec.structs.replace(pair_signal(5), zscore=-2.5, late=1, revision=1)
    with open_stream(api, "?topics=signals") as stream:
        began = receive(stream)["id"]
        publish(broker, SIGNALS, pair_signal(5), pair_signal(6), corrected, pair_signal(5))
        news: list[dict[str, Any]] = []
        while not news or not news[-1]["revision"]:
            news += receive_until(stream, "signals")
    assert msgspec.convert(news[-1], Signal) == corrected
    assert msgspec.convert(last_signal(), Signal) == pair_signal(6)
    with open_stream(api, f"?topics=signals&last_event_id={began}") as stream:
        missed = msgspec.convert(receive(stream)["signals"], list[Signal])
    assert missed == [pair_signal(6), corrected]
    with open_stream(api, "?topics=signals") as stream:
        assert [one["samples"] for one in receive(stream)["signals"]] == [6]
    publish(broker, SIGNALS, msgspec.structs.replace(pair_signal(6), late=2, revision=1))
    wait_until(lambda: last_signal()["revision"] == 1, "a correction of the latest signal")
    assert last_signal()["late"] == 2


def test_a_client_gets_only_what_it_asked_for(api: ApiProcess, broker: str) -> None:
    with open_stream(api, "?topics=ticks,alerts&symbols=ethusdt&pairs=SOLUSDT-BTCUSDT") as stream:
        snapshot = receive(stream)
        assert (snapshot["ticks"], snapshot["alerts"]) == ([], [])
        assert not {"signals", "status"} & snapshot.keys()
        publish(broker, TICKS, tick(2), tick(3, "ETHUSDT"))
        publish(broker, SIGNALS, pair_signal(3))
        assert [one["symbol"] for one in receive_until(stream, "ticks")] == ["ETHUSDT"]
        publish(broker, ALERTS, alert(80), alert(81, pair="SOLUSDT-BTCUSDT"))
        update = receive(stream)
        assert list(update) == ["type", "id", "feed", "alerts"]
        assert msgspec.convert(update["alerts"], list[Alert]) == [alert(81, pair="SOLUSDT-BTCUSDT")]


WRONG = {
    "?topics=ticks,candles": "topics.1: expected 'ticks', 'signals', 'alerts', 'radar' or 'status'",
    "?symbols=XRPUSDT": "BTCUSDT",
    "?symbols=%20,!": "expected a symbol",
    "?pairs=BTCUSDT-ETHUSDT": PAIR,
    "?topic=ticks": "topic: expected only documented parameters",
    "?interval_ms=soon": "interval_ms: expected",
    "?symbols=" + "X" * 4000: "expected a symbol",
}


def test_a_wrong_subscription_is_closed_with_the_reason(api: ApiProcess) -> None:
    for query, reason in WRONG.items():
        with open_stream(api, query) as stream, pytest.raises(ConnectionClosed) as closed:
            stream.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        assert reason in closed.value.rcvd.reason


def resident_bytes(api: ApiProcess) -> int:
    pages = int(Path(f"/proc/{api.process.pid}/statm").read_text().split()[1])
    return pages * 4096


def test_a_client_that_does_not_read_costs_nothing_and_is_told_when_it_has_lost_alerts(
    api: ApiProcess, broker: str
) -> None:
    slow_socket = socket.socket()
    slow_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow_socket.connect(("127.0.0.1", int(api.url.rpartition(":")[2])))
    with open_stream(api, sock=slow_socket, max_queue=1) as slow, open_stream(api, "?topics=alerts") as quick:
        receive(quick)
        before = resident_bytes(api)
        seen: list[str] = []
        for first in range(100, 3_100, 500):
            publish(broker, ALERTS, *(alert(number, "x" * 2_000) for number in range(first, first + 500)))
            while len(seen) < first + 400:
                seen += [one["alert_id"] for one in receive_until(quick, "alerts")]
        assert seen == [f"alert-{number:06}" for number in range(100, 3_100)]
        assert resident_bytes(api) - before < 30e6
        assert read_to_the_end(slow) == 1013


def test_open_streams_do_not_hold_up_the_end(api: ApiProcess, broker: str) -> None:
    with open_stream(api) as stream, closing(open_silent_stream(api, "alerts")):
        assert receive(stream)["type"] == "snapshot"
        publish(broker, ALERTS, *(alert(number, "x" * 5_000) for number in range(100, 900)))
        assert len(receive_until(stream, "alerts")) > 0
        assert api.stop() < 10
        assert read_to_the_end(stream) == 1012


def test_a_restarted_database_is_a_problem_for_as_long_as_it_is_away(
    api: ApiProcess, postgres: Postgres
) -> None:
    url = "/v1/ticks?symbol=BTCUSDT"
    before = api.data(url)
    postgres.stop()
    try:
        away = api.wait_for(url, lambda response: response.status_code == 503)
        assert away.headers["Retry-After"] == "2"
        assert away.headers["Content-Type"] == "application/problem+json"
        assert away.json()["detail"] == "the database cannot be reached"
        ready = api.wait_for("/readyz", lambda response: response.status_code == 503)
        assert ready.json()["reasons"] == ["the database cannot be reached"]
        status = api.get("/v1/status").json()
        assert [one["state"] for one in status["services"] if one["service"] == "api"] == ["degraded"]
        with open_stream(api) as stream:
            assert receive(stream)["ticks"][0]["trade_id"] == before[0]["trade_id"]
    finally:
        postgres.start()
    api.wait_for("/readyz", lambda response: response.status_code == 200)
    assert api.data(url) == before


def test_a_database_without_schema_is_not_ready(broker: str, empty_database_url: str) -> None:
    with running_api(broker, empty_database_url, ready=False) as api:
        answer = api.wait_for("/readyz", lambda response: "schema" in response.text)
        assert answer.status_code == 503
        assert "pairstream db upgrade" in answer.json()["detail"]
        assert "pairstream db upgrade" in api.get("/v1/ticks", symbol="BTCUSDT").json()["detail"]


def forward(port: int, target: str) -> socket.socket:
    """Accept connections on `port` and pass them on to `target`, both ways."""
    listener = socket.create_server(("127.0.0.1", port))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with source, sink:
            try:
                while chunk := source.recv(65536):
                    sink.sendall(chunk)
            except OSError:
                return  # one side is gone, and so is the other now

    def accept() -> None:
        host, _, number = target.rpartition(":")
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection((host, int(number)))
            for ends in ((client, server), (server, client)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener


def test_a_broker_that_comes_later_is_found_and_hears_our_heartbeat(database_url: str) -> None:
    store(database_url, [tick(1)])
    port = free_port()
    with running_api(f"127.0.0.1:{port}", database_url, ready=False) as api:
        api.wait_for(
            "/readyz", lambda response: response.json().get("reasons") == ["the broker cannot be reached"]
        )
        assert len(api.data("/v1/ticks", symbol="BTCUSDT")) == 1
        with open_stream(api) as stream:
            assert [one["trade_id"] for one in receive(stream)["ticks"]] == [1]
        with embedded_broker() as broker, closing(forward(port, broker)):
            api.wait_for("/readyz", lambda response: response.status_code == 200)

            def heard() -> bool:
                records = asyncio.run(read_all(broker, HEARTBEATS.name))
                beats = [decode(record.value, Heartbeat) for record in records]
                return bool(beats) and (beats[-1].service, beats[-1].state) == ("api", "running")

            wait_until(heard, "a heartbeat of a running api")
            assert api.stop() < 10


def test_a_stop_without_a_broker_is_quick(database_url: str) -> None:
    with running_api(f"127.0.0.1:{free_port()}", database_url, ready=False) as api:
        assert api.stop() < 10


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PAIRSTREAM_API_PORT", "taken", "Address already in use"),
        ("PAIRSTREAM_API_PORT", "99999", "received '99999'"),
        ("PAIRSTREAM_API_HOST", "no such host", "received 'no such host'"),
        ("PAIRSTREAM_DATABASE_URL", "mysql://x", "PAIRSTREAM_DATABASE_URL"),
    ],
)
def test_a_wrong_setting_is_one_line_and_a_failure(variable: str, value: str, expected: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        if value == "taken":
            value = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "services.api"],
            env={"PAIRSTREAM_API_PORT": "0", "PAIRSTREAM_LOG_LEVEL": "error", variable: value},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"api: {variable}: ")
    assert expected in line
