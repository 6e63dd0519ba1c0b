"""stream_analytics on a backlog; prints its rate, until nothing waits any more on any of its topics."""

import asyncio
import os
import time

from services.common import logs
from services.common.cancellation import pause
from services.common.settings import load
from services.stream_analytics.app import StreamAnalytics
from services.stream_analytics.settings import StreamSettings


async def run() -> None:
    """Read the ticks there are and print how many a second, from the first to the end of what they cause."""
    logs.configure("bench", "error")
    worker, count = StreamAnalytics(load(StreamSettings)), int(os.environ["BENCH_TICKS"])
    serving = asyncio.create_task(worker.serve())
    while not worker.counters["ticks"]:
        await pause(0.001)
    first, began = worker.counters["ticks"], time.process_time()
    while worker.counters["ticks"] < count or worker.progress.fetched() != 0:
        await pause(0.005)
    print((count - first) / (time.process_time() - began), flush=True)
    serving.cancel()
    await asyncio.wait([serving])


if __name__ == "__main__":
    asyncio.run(run())
