"""Health of services at a real API: after a kill, with several processes of a service, and with losses."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from services.api.models.status import Status
from services.api.service_health import SERVICES
from services.common import clock
from services.common.codec import encode
from services.contracts.messages import Heartbeat, ServiceState, TapeEvent
from services.contracts.topics import HEARTBEATS, TAPE_EVENTS
from tests.api_process import ApiProcess, running_api
from tests.broker import produce
from tests.brokers.kafka import Cluster
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

NO_DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"
PARTITIONS = {"ingest": 0, "stream_analytics": 1, "sink": 2}
HOUR_US = 3_600 * clock.SECOND


def beat(service: str, number: int = 0, state: ServiceState = "running", at_us: int = 0) -> Heartbeat:
    """Return a heartbeat of a clock that steps by an hour, forward and back."""
    step_us = (0, HOUR_US, -HOUR_US)[number // 3 % 3]
    now_us = at_us or clock.now_us()
    return Heartbeat(
        service=service,
        at_us=now_us + step_us,
        started_us=1,
        state=state,
        version="0.1.0",
        instance=f"{service}-1",
    )


@contextmanager
def beating(broker: str, *services: str) -> Iterator[None]:
    """Have services say twice a second that they run."""
    is_over = threading.Event()

    def run() -> None:
        number = 0
        while not is_over.wait(0.5):
            number += 1
            for service in services:
                said = encode(beat(service, number))
                produce(broker, HEARTBEATS.name, [(said, PARTITIONS[service])], service.encode())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def services(api: ApiProcess) -> dict[str, dict[str, Any]]:
    answer = api.get("/v1/status").json()
    Status.model_validate(answer, strict=True)
    return {row["service"]: row for row in answer["services"]}


def watch(api: ApiProcess, until: Callable[[dict[str, dict[str, Any]]], bool], what: str) -> None:
    """Look again and again at who is said to live until that holds.

    Who beats is never called dead or unhealthy, and nobody who does not is called healthy.
    """

    def holds() -> bool:
        told = services(api)
        for name in ("stream_analytics", "sink"):
            assert told[name]["healthy"] is not False, told[name]
            assert told[name]["state"] in ("catching up", "running"), told[name]
        assert told["ingest"]["healthy"] is not True, told["ingest"]
        ages = [row["age_s"] for row in told.values() if row["age_s"] is not None]
        assert all(0 <= age_s < 60 for age_s in ages), ages
        return until(told)

    wait_until(holds, what, within_s=20)


def test_an_api_that_was_killed_takes_no_old_heartbeat_for_news_and_nobody_for_dead(broker: str) -> None:
    past = [
        (encode(beat(service, second, at_us=clock.now_us() - (1_600 - second) * clock.SECOND)), partition)
        for second in range(26 * 60)
        for service, partition in PARTITIONS.items()
    ]
    produce(broker, HEARTBEATS.name, past, b"old")
    with beating(broker, "stream_analytics", "sink"):
        for _ in range(2):
            with running_api(broker, NO_DATABASE, ready=False) as api:
                watch(
                    api,
                    lambda told: told["sink"]["healthy"] and told["stream_analytics"]["healthy"],
                    "who lives is known",
                )
                watch(api, lambda told: told["ingest"]["state"] == "silent", "who is dead is known")
                assert services(api)["ingest"]["age_s"] is None
                api.process.send_signal(signal.SIGKILL)
                api.process.wait()


def test_nobody_is_called_dead_by_an_api_that_was_frozen(broker: str) -> None:
    with beating(broker, "stream_analytics", "sink"), running_api(broker, NO_DATABASE, ready=False) as api:
        watch(api, lambda told: told["sink"]["healthy"] and told["stream_analytics"]["healthy"], "all live")
        api.process.send_signal(signal.SIGSTOP)
        frozen_s = time.monotonic()
        wait_until(lambda: time.monotonic() - frozen_s > 7, "longer than anybody is silent")
        api.process.send_signal(signal.SIGCONT)
        watch(api, lambda told: bool(told["sink"]["healthy"] and told["sink"]["age_s"] < 1), "all live again")


def test_foreign_messages_and_unknown_services_by_the_thousand_hide_nobody(broker: str) -> None:
    with beating(broker, "stream_analytics", "sink"), running_api(broker, NO_DATABASE, ready=False) as api:
        watch(api, lambda told: told["sink"]["healthy"] and told["stream_analytics"]["healthy"], "all live")
        foreign = [b'{"foreign": 1}', b"[", b'{"service": "sink", "state": "unheard-of"}']
        named = [encode(beat(f"service-{number}")) for number in range(3_000)]
        produce(broker, HEARTBEATS.name, [(value, 3) for value in foreign * 200 + named], b"foreign")
        watch(api, lambda told: len(told) > len(SERVICES), "some of them are listed")
        answer = api.wait_for("/v1/status", lambda response: response.json()["left_out"] > 2_000)
        assert len(answer.content) < 60_000
        assert services(api)["api"]["counters"]["bad_messages"] == 600
        watch(api, lambda told: len(told) == len(SERVICES), "nobody expects them")


@contextmanager
def sink_process(broker: str, url: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "PAIRSTREAM_BROKERS": broker, "PAIRSTREAM_DATABASE_URL": url}
    process = subprocess.Popen([sys.executable, "-m", "services.sink"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def sinks(api: ApiProcess) -> list[str]:
    """Return how each sink is."""
    return sorted(one["state"] for one in services(api)["sink"]["instances"])


def test_each_process_of_a_service_is_told_until_it_ends_or_is_replaced(
    kafka: Cluster, database_url: str
) -> None:
    def wait_for(states: list[str]) -> None:
        wait_until(lambda: sinks(api) == states, f"sinks that are {states}")

    with (
        running_api(kafka.servers, database_url) as api,
        sink_process(kafka.servers, database_url) as first,
        sink_process(kafka.servers, database_url) as second,
    ):
        wait_for(["running", "running"])
        instances = services(api)["sink"]["instances"]
        assert {str(first.pid), str(second.pid)} == {one["instance"].split("-")[-2] for one in instances}
        first.kill()
        wait_for(["running", "silent"])
        dead = services(api)["sink"]
        assert (dead["state"], dead["healthy"]) == ("silent", False)
        assert dead["age_s"] >= 5
        with running_api(kafka.servers, database_url) as later:
            # Its broker has stamped what came before it began.
            wait_until(lambda: sinks(later) == ["running", "silent"], "it tells the same")
            told = services(later)
            assert told["sink"]["age_s"] >= dead["age_s"]
            assert len(told["api"]["instances"]) == 2
        with sink_process(kafka.servers, database_url) as third:
            wait_for(["running", "running"])
            assert services(api)["sink"]["healthy"] is True
            third.terminate()
            wait_for(["running"])
        second.terminate()
        wait_until(
            lambda: services(api)["sink"]["state"] == "stopped", "all have ended as they were asked to"
        )


def lose(broker: str, messages: int) -> None:
    event = TapeEvent(
        kind="messages_lost",
        venue="",
        symbol="",
        at_us=clock.now_us(),
        reader="sink",
        topic="ticks",
        partition=1,
        messages=messages,
    )
    produce(broker, TAPE_EVENTS.name, [(encode(event), 0)])


def test_a_service_that_lost_messages_is_degraded_until_somebody_acknowledges_it(
    broker: str, database_url: str
) -> None:
    def wait_for(state: str, unacknowledged: dict[str, int]) -> None:
        def holds() -> bool:
            sink = services(api)["sink"]
            return (sink["state"], sink["unacknowledged"]) == (state, unacknowledged)

        wait_until(holds, f"a sink that is {state} for {unacknowledged}")

    with sink_process(broker, database_url):
        with running_api(broker, database_url) as api:
            wait_for("running", {})
            lose(broker, 5)
            wait_for("degraded", {"ticks": 5})
            lose(broker, 7)
            wait_for("degraded", {"ticks": 12})
            assert services(api)["sink"]["detail"].startswith(
                "12 messages lost, which nobody has acknowledged"
            )
        # A new API knows it, too.
        with running_api(broker, database_url) as api:
            wait_for("degraded", {"ticks": 12})
            url = "/v1/status/acknowledge"
            assert api.http.post(url, json={"service": "ingest"}).json() == {"services": {}}
            assert api.http.post(url, json={"service": "sink"}).json() == {
                "services": {"sink": {"ticks": 12}}
            }
            wait_for("running", {})
        with running_api(broker, database_url) as api:
            wait_for("running", {})
            lose(broker, 1)
            wait_for("degraded", {"ticks": 1})
            assert api.http.post(url, json={}).json() == {"services": {"sink": {"ticks": 1}}}
            refused = api.http.post(url, json={"services": "sink"})
            assert refused.status_code == 422
