"""Heartbeat of a process: its identity, its state, and its end."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from services.common import process
from services.common.codec import decode
from services.common.heartbeat import HeartbeatState
from services.contracts.messages import Heartbeat, TapeEvent


class Topics:
    """Takes what is sent, and calls `came` for each heartbeat."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.came: Callable[[], object] = lambda: None

    async def send(self, topic: str, *, key: bytes, value: bytes) -> None:
        self.sent.append((topic, key, value))
        if topic == "heartbeats":
            self.came()

    @property
    def beats(self) -> list[Heartbeat]:
        return [decode(value, Heartbeat) for topic, _, value in self.sent if topic == "heartbeats"]


def test_a_process_is_told_from_others_of_its_service_and_its_heartbeats_are_in_order() -> None:
    heartbeat = HeartbeatState("sink")
    beat = heartbeat.message()
    assert beat.instance is not None
    assert f"-{os.getpid()}-" in beat.instance
    assert len(beat.instance) <= 64
    assert heartbeat.message().instance == beat.instance


def test_who_does_not_tell_its_instance_is_still_understood() -> None:
    old = b'{"service":"sink","at_us":1,"started_us":1,"state":"running","version":"0.1.0"}'
    assert decode(old, Heartbeat).instance is None


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_the_last_word_of_a_process_that_is_asked_to_end_says_so(signum: signal.Signals) -> None:
    heartbeat = HeartbeatState("sink")
    topics = Topics()
    topics.came = lambda: None if len(topics.beats) > 1 else os.kill(os.getpid(), signum)
    heartbeat.state = "running"

    async def serve() -> None:
        heartbeat.outrun("ticks", 0, 7)
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            tasks.create_task(heartbeat.beat(topics.send))

    process.run("test", serve)
    assert [beat.state for beat in topics.beats] == ["running", "stopping"]
    assert {key for topic, key, _ in topics.sent if topic == "heartbeats"} == {
        f"sink/{heartbeat.instance}".encode()
    }
    assert [
        decode(value, TapeEvent).messages for topic, _, value in topics.sent if topic == "tape-events"
    ] == [7]


def test_whoever_is_cancelled_to_begin_again_does_not_say_that_it_ends() -> None:
    heartbeat, topics = HeartbeatState("api"), Topics()

    async def run() -> None:
        beaten = asyncio.Event()
        topics.came = beaten.set
        beating = asyncio.create_task(heartbeat.beat(topics.send))
        await beaten.wait()
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)

    asyncio.run(run())
    assert [beat.state for beat in topics.beats] == ["starting"]


def test_nobody_waits_for_a_broker_that_takes_no_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.common.heartbeat.GOODBYE_S", 0.05)
    heartbeat = HeartbeatState("sink")
    said: list[str] = []
    limits: list[asyncio.Timeout] = []

    async def send(_: str, **__: Any) -> None:
        said.append(heartbeat.state)
        if len(said) == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            await asyncio.Event().wait()

    async def serve() -> None:
        async with asyncio.timeout(10) as limit:
            limits.append(limit)
            await heartbeat.beat(send)

    process.run("test", serve)
    assert (said, limits[0].expired()) == (["starting", "stopping"], False)
