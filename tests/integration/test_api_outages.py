"""Outages of the API's broker and database: the API reports each, and misses nothing."""

import threading
import time

import httpx
import psycopg
import pytest
from websockets.sync.client import ClientConnection

from services.contracts.topics import SIGNALS
from tests.api_process import ApiProcess, pair_signal, running_api, store, tick
from tests.brokers.kafka import Cluster
from tests.fix_database import Postgres
from tests.outages import OUTAGES, frozen
from tests.stream_client import open_stream, publish, receive
from tests.waiting import wait_until

pytestmark = pytest.mark.integration
BROKER_AWAY, DATABASE_AWAY = "the broker cannot be reached", "the database cannot be reached"
NOTICED_S = BACK_S = 5.0
# What the machine may take on top, which has others to serve.
BUSY_S = 3.0


def is_ready(response: httpx.Response) -> bool:
    return response.status_code == httpx.codes.OK


def lacks(api: ApiProcess, reason: str) -> None:
    """Wait until the API says within the time that it promises what it lacks."""
    api.wait_for(
        "/readyz",
        lambda response: response.status_code == 503 and reason in response.json()["reasons"],
        NOTICED_S + BUSY_S,
    )


def hear_degraded(stream: ClientConnection, *problems: str) -> None:
    """Return once the stream says that this, and nothing else, is wrong."""
    deadline = time.monotonic() + BUSY_S
    while receive(stream).get("degraded") != list(problems):
        assert time.monotonic() < deadline, f"expected {problems} in time"


def hear(stream: ClientConnection, seconds: set[int], until: int) -> None:
    """Add the seconds of the closed signals that come, up to that number."""
    deadline = time.monotonic() + BACK_S + BUSY_S
    while until not in seconds:
        assert time.monotonic() < deadline, f"expected second {until} in time, received {sorted(seconds)}"
        for signal in receive(stream).get("signals", ()):
            seconds.add(signal["samples"])


def test_streams_go_on_after_a_broker_was_away_and_miss_nothing(kafka: Cluster, database_url: str) -> None:
    """Each kind of outage comes after the other one, too."""
    broker, seconds = kafka.brokers[0], set[int]()
    with running_api(kafka.servers, database_url) as api, open_stream(api, "?topics=signals") as stream:
        for number, outage in zip((1, 3, 5), [*OUTAGES, OUTAGES[0]], strict=True):
            publish(kafka.servers, SIGNALS, pair_signal(number))
            hear(stream, seconds, number)
            with outage(broker):
                lacks(api, BROKER_AWAY)
                hear_degraded(stream, BROKER_AWAY)
            publish(kafka.servers, SIGNALS, pair_signal(number + 1))
            hear(stream, seconds, number + 1)
            api.wait_for("/readyz", is_ready, BACK_S + BUSY_S)
    assert seconds == {1, 2, 3, 4, 5, 6}


def test_a_frozen_database_is_noticed_holds_up_nobody_and_leaves_no_connection(
    broker: str, database_url: str, postgres: Postgres
) -> None:
    store(database_url, [tick(1), pair_signal(1)])
    answers: list[tuple[float, httpx.Response]] = []

    def ask(api: ApiProcess) -> None:
        began = time.monotonic()
        response = httpx.get(f"{api.url}/v1/ticks?symbol=BTCUSDT", timeout=30, trust_env=False)
        answers.append((time.monotonic() - began, response))

    with running_api(broker, database_url) as api:
        for _ in range(2):
            with frozen(postgres.pid):
                asking = [threading.Thread(target=ask, args=(api,)) for _ in range(8)]
                for one in asking:
                    one.start()
                lacks(api, DATABASE_AWAY)
                for one in asking:
                    one.join()
                ask(api)
            api.wait_for("/readyz", is_ready, BACK_S + BUSY_S)
            assert len(api.data("/v1/ticks", symbol="BTCUSDT")) == 1
        assert len(answers) == 18
        for seconds, response in answers:
            assert (response.status_code, response.json()["detail"]) == (503, DATABASE_AWAY)
            assert response.headers["Content-Type"] == "application/problem+json"
            assert seconds < NOTICED_S + BUSY_S
        # Those that were cut have ended on the other side, too.
        wait_until(lambda: connections(database_url) <= 6, "the connections that are used, and no others")


def connections(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'pairstream-api%'"
        ).fetchone()
    assert found is not None
    return int(found[0])
