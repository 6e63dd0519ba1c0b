"""A Faust agent that reads ticks and does nothing: what Faust itself costs.

It has the settings of stream_analytics that matter, but Faust's own transport and one event for each tick, whatever
stream_analytics does. It prints ``warm`` when it has read the first `BENCH_WARM` ticks, and ``done`` after
`BENCH_TICKS` more.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver

from services.common.topics import TICKS

WARM, TICKS_AFTER = int(os.environ["BENCH_WARM"]), int(os.environ["BENCH_TICKS"])


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
        read = 0
        async for _ in stream.events():
            read += 1
            if read == WARM:
                print("warm", flush=True)
            elif read == WARM + TICKS_AFTER:
                print("done", flush=True)
                done.set()

    app.agent(app.topic(TICKS.name, key_type=bytes, value_type=bytes), name="nothing")(agent)
    await app.start()
    await done.wait()
    await app.stop()


if __name__ == "__main__":
    asyncio.run(run())
