"""State of the service: feed, history, alarms and clocks."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from msgspec import structs
from structlog.testing import capture_logs

from services.common.errors import FatalError
from services.common.heartbeat import HeartbeatState
from services.common.kafka.flow_control import FlowControl
from services.common.settings import load
from services.contracts.messages import DeliveryLag, FeedName, Filling
from services.ingest import ingest_health
from services.ingest.feed import FeedStatus, Item, Rejected
from services.ingest.service import check, publish
from services.ingest.settings import IngestSettings
from tests import virtual_time
from tests.publishing import FakeProducer, publisher
from tests.unit.ingest.scripted import TICK, Scripted, run


def test_the_state_is_the_feeds_until_it_ends() -> None:
    states = []

    class Watched(Scripted):
        async def stream(self) -> AsyncGenerator[Item]:
            async for item in super().stream():
                yield item
                states.append((heartbeat.state, heartbeat.detail))

    heartbeat = HeartbeatState("ingest", "replay")
    feed = Watched(FeedStatus("degraded", "the venue is away"), FeedStatus("running", "a file is cut off"))
    run(feed, heartbeat, FakeProducer())
    assert states == [("degraded", "the venue is away"), ("running", "a file is cut off")]
    assert (heartbeat.state, heartbeat.detail) == ("finished", "a file is cut off")


def test_what_the_past_is_filled_with_is_told_and_logged_every_five_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Filling | None] = []
    seconds = asyncio.Queue[None](), asyncio.Queue[None]()

    async def second(_: float) -> None:
        seconds[1].put_nowait(None)
        await seconds[0].get()

    class Past(Scripted):
        async def stream(self) -> AsyncGenerator[Item]:
            await seconds[1].get()
            for done_s in range(1, 12):
                yield FeedStatus("running", filling=Filling(done_s + 0.9, 900.9))
                seconds[0].put_nowait(None)
                await seconds[1].get()
                told.append(heartbeat.filling)
            yield FeedStatus("running")
            told.append(heartbeat.filling)

    monkeypatch.setattr(ingest_health, "pause", second)
    heartbeat = HeartbeatState("ingest", "synthetic")
    with capture_logs() as logged:
        run(Past(), heartbeat, FakeProducer())
    assert told == [*(Filling(done_s + 0.9, 900.9) for done_s in range(1, 12)), None]
    said = [line["event"] for line in logged if line["event"].startswith("filling")]
    assert said == ["filling: 5 of 900 s", "filling: 10 of 900 s"]
    assert heartbeat.message().filling is None


def test_that_it_waits_for_readers_is_said_for_as_long_as_it_does() -> None:
    said: list[str | None] = []
    read = 0

    async def committed(_: str, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(places, read)

    class Full(Scripted):
        async def stream(self) -> AsyncGenerator[Item]:
            nonlocal read
            for number in range(30):
                yield structs.replace(TICK, trade_id=number)
            for seconds, has_read in ((4, 0), (4, 100), (2, 100)):
                await asyncio.sleep(seconds)
                said.append(heartbeat.detail)
                read = has_read

    async def run() -> None:
        out = publisher(FakeProducer(batch_bytes=500), flow=FlowControl(committed, 2_000))
        await publish(Full(), out, heartbeat)

    heartbeat = HeartbeatState("ingest", "replay")
    virtual_time.run(run())
    assert said == [None, "waits for the readers of ticks", None]


def test_a_broker_that_takes_nothing_is_said_for_as_long_as_it_does() -> None:
    said: list[tuple[str, str | None]] = []

    class Away(FakeProducer):
        is_away = True

        async def send_batch(self, *given: Any, **more: Any) -> Any:
            if self.is_away:
                raise KafkaConnectionError
            return await super().send_batch(*given, **more)

    class Long(Scripted):
        async def stream(self) -> AsyncGenerator[Item]:
            yield TICK
            for seconds, is_away in ((4, True), (4, False), (20, False)):
                await asyncio.sleep(seconds)
                said.append((heartbeat.state, heartbeat.detail))
                producer.is_away = is_away

    async def run() -> None:
        await publish(Long(), publisher(producer), heartbeat)

    producer, heartbeat = Away(), HeartbeatState("ingest", "replay")
    heartbeat.state = "running"
    virtual_time.run(run())
    well = ("running", None)
    assert said == [well, ("degraded", "the broker does not answer"), well]


def test_many_damaged_frames_are_an_alarm_that_ends_when_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The feed itself finds nothing wrong. A second lasts as long as the test wants."""
    seconds = asyncio.Queue[None](), asyncio.Queue[None]()

    async def second(_: float) -> None:
        seconds[1].put_nowait(None)
        await seconds[0].get()

    async def pass_one() -> None:
        seconds[0].put_nowait(None)
        await seconds[1].get()

    states: list[tuple[str, str | None]] = []

    class Changing(Scripted):
        async def stream(self) -> AsyncGenerator[Item]:
            await seconds[1].get()
            yield FeedStatus("running")
            for count in (9, 1):
                for _ in range(count):
                    yield Rejected(b"{", "it is cut off", "connection 1")
                await pass_one()
                states.append((heartbeat.state, heartbeat.detail))
            for _ in range(60):
                await pass_one()
            states.append((heartbeat.state, heartbeat.detail))

    monkeypatch.setattr(ingest_health, "pause", second)
    heartbeat = HeartbeatState("ingest", "replay")
    run(Changing(), heartbeat, FakeProducer())
    alarm = "10 of the last minute's 10 frames were rejected (100%): see dead-letters"
    assert states == [("running", None), ("degraded", alarm), ("running", None)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("live", "the local clock is 3.2 s behind the venue's"),
        ("replay", "the recording's clock was 3.2 s behind the venue's"),
    ],
)
def test_the_delivery_lag_is_told_and_a_clock_behind_is_said_once(name: FeedName, words: str) -> None:
    said: list[tuple[str, str | None, dict[str, DeliveryLag]]] = []

    class Delayed(Scripted):
        async def stream(self) -> AsyncGenerator[Item]:
            yield FeedStatus("running")
            for lag_us in (80_000, -3_200_000, -3_200_000):
                for _ in range(3):
                    self.delivery.take("BTCUSDT", TICK.received_us, TICK.received_us - lag_us)
                await asyncio.sleep(1.5)
                said.append((heartbeat.state, heartbeat.detail, heartbeat.message().delivery))

    async def run() -> None:
        await publish(feed, publisher(FakeProducer()), heartbeat)

    feed, heartbeat = Delayed(), HeartbeatState("ingest", name)
    feed.name = name
    with capture_logs() as logged:
        virtual_time.run(run())
    assert said == [
        ("running", None, {"BTCUSDT": DeliveryLag(80, 80, 80)}),
        ("running", words, {"BTCUSDT": DeliveryLag(-3200, -3208, 80)}),
        ("running", words, {"BTCUSDT": DeliveryLag(-3200, -3208, 80)}),
    ]
    assert heartbeat.detail == words
    assert [line["event"] for line in logged if line["log_level"] == "warning"] == [words]


def test_a_clock_that_was_put_right_is_said_as_long_as_it_is_wrong() -> None:
    said: list[tuple[str | None, int]] = []

    class Corrected(Scripted):
        async def stream(self) -> AsyncGenerator[Item]:
            yield FeedStatus("running")
            for behind_us in (0, 12_300_000, -7_000_000, 0):
                self.delivery.behind_us = behind_us
                await asyncio.sleep(1.5)
                said.append((heartbeat.detail, heartbeat.message().clock_behind_us))

    async def run() -> None:
        await publish(feed, publisher(FakeProducer()), heartbeat)

    feed, heartbeat = Corrected(), HeartbeatState("ingest", "live")
    feed.name = "live"
    with capture_logs() as logged:
        virtual_time.run(run())
    behind = "the local clock is 12.3 s behind the venue's, which counts"
    ahead = "the local clock is 7.0 s ahead of the venue's, which counts"
    assert said == [(None, 0), (behind, 12_300_000), (ahead, -7_000_000), (None, 0)]
    assert [line["event"] for line in logged if line["log_level"] == "warning"] == [behind]


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"PAIRSTREAM_FEED": "replay", "PAIRSTREAM_REPLAY_FILE": "/no/such/file"}, "No such file"),
        ({"PAIRSTREAM_FEED": "synthetic", "PAIRSTREAM_SYMBOLS": "DOGEUSDT"}, "BTCUSDT, ETHUSDT.*DOGEUSDT"),
        ({"PAIRSTREAM_FEED": "synthetic", "PAIRSTREAM_RATE": "0.001"}, "PAIRSTREAM_RATE: expected 0, or"),
    ],
)
def test_check_refuses_before_anything_starts(environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(FatalError, match=complaint):
        asyncio.run(check(load(IngestSettings, environment)))
