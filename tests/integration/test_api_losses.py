"""Reader of the API on a broker that deletes messages before they are read."""

import asyncio
import threading
from collections.abc import Iterable

import pytest

from services.api.service_health import ServiceHealth
from services.api.stream.live_state import LiveState
from services.api.stream.topic_reader import TopicReader
from services.api.tape_health import TapeHealth
from services.common.codec import decode, encode
from services.common.heartbeat import HeartbeatState
from services.common.settings import KafkaSettings
from services.contracts.messages import TapeEvent, Tick
from tests.api_process import tick
from tests.broker import first_offsets, produce, read_all
from tests.waiting import wait_until

pytestmark = pytest.mark.integration


class SlowLiveState(LiveState):
    """Stands still with each ticks it is given, and all that runs on its loop with it, while it may not go on."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[int] = set()
        self.goes_on = threading.Event()
        self.goes_on.set()

    def put_ticks(self, ticks: Iterable[Tick]) -> int:
        self.seen.update(one.trade_id for one in ticks)
        self.goes_on.wait()
        return 0


def send(broker: str, numbers: range, padding: bytes = b"") -> None:
    produce(broker, "ticks", ((encode(tick(number)) + padding, 2) for number in numbers))


def test_each_message_is_read_or_counted_and_the_reading_goes_on(broker: str) -> None:
    live_state, heartbeat = SlowLiveState(), HeartbeatState("api")

    async def read() -> None:
        reading = asyncio.create_task(
            TopicReader(
                KafkaSettings(brokers=broker, fetch_max_wait_ms=25),
                live_state,
                TapeHealth(),
                ServiceHealth(),
                heartbeat,
            ).run()
        )
        await asyncio.to_thread(is_over.wait)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    is_over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(read()))
    send(broker, range(3))
    thread.start()
    try:
        wait_until(lambda: len(live_state.seen) == 3, "the first ticks are read")
        live_state.goes_on.clear()
        send(broker, range(3, 4))
        wait_until(lambda: len(live_state.seen) == 4, "one more is read, and the reader stands still")
        # Both brokers of the tests keep 5 MiB of a partition.
        send(broker, range(4, 84), b" " * 100_000)
        wait_until(lambda: first_offsets(broker, "ticks")[2] > 15, "the first of them are deleted")
        live_state.goes_on.set()
        send(broker, range(84, 85))
        wait_until(lambda: 84 in live_state.seen, "it reads on")

        def said() -> list[TapeEvent]:
            return [
                decode(record.value, TapeEvent) for record in asyncio.run(read_all(broker, "tape-events"))
            ]

        lost = 85 - len(live_state.seen)
        wait_until(lambda: sum(one.messages or 0 for one in said()) == lost, "the loss is said")
        assert {(one.kind, one.reader, one.topic, one.partition) for one in said()} == {
            ("messages_lost", "api", "ticks", 2)
        }
        assert (lost > 10, heartbeat.lost) == (True, {"ticks": lost})
    finally:
        live_state.goes_on.set()
        is_over.set()
        thread.join()
