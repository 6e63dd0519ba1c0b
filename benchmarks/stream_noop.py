"""A Faust agent that reads ticks and does nothing: what Faust itself costs.

It has the settings of stream_analytics that matter, but Faust's own transport and one event for each tick, whatever
stream_analytics does. `BENCH_PARTS` says how many ticks there are in each part; it prints the number of a part, from 0,
when it has read it, and ends after the last.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver

from services.contracts.topics import TICKS

PARTS = [int(count) for count in os.environ["BENCH_PARTS"].split(",")]


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        # Faust has 1.5 s in its code, and the embedded broker answers a fetch when its wait is over.
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = int(os.environ["PAIRSTREAM_FETCH_MAX_WAIT_MS"])
        return consumer


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class _Transport(driver.Transport):
    Consumer = _Consumer


async def run() -> None:
    """Read the ticks, say when, and end."""
    app = faust.App(
        "benchmark",
        broker=[f"kafka://{server}" for server in os.environ["PAIRSTREAM_BROKERS"].split(",")],
        broker_commit_interval=0.5,
        broker_max_poll_records=1000,
        broker_session_timeout=60,
        cython_optimizations=True,
        datadir=str(Path(tempfile.gettempdir(), f"pairstream-faust-{os.getuid()}")),
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        stream_buffer_maxsize=8192,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )
    app.transport = _Transport(app.conf.broker_consumer, app)
    done = asyncio.Event()

    async def agent(stream: Any) -> None:
        left, number = PARTS[0], 0
        async for _ in stream.events():
            left -= 1
            if left == 0:
                print(number, flush=True)
                number += 1
                if number == len(PARTS):
                    done.set()
                else:
                    left = PARTS[number]

    app.agent(app.topic(TICKS.name, key_type=bytes, value_type=bytes), name="nothing")(agent)
    await app.start()
    await done.wait()
    await app.stop()


if __name__ == "__main__":
    asyncio.run(run())
