"""A Faust agent that reads ticks and does nothing, with the settings of stream_analytics; prints its rate."""

import asyncio
import os
import time
from typing import Any

from services.common.settings import load
from services.common.topics import TICKS
from services.stream_analytics.faust_app import new_app
from services.stream_analytics.settings import StreamSettings


async def run() -> None:
    """Read the ticks there are and print how many a second, from the first to the last."""
    app, count = new_app(load(StreamSettings)), int(os.environ["BENCH_TICKS"])
    done: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def agent(stream: Any) -> None:
        read, began = 0, 0.0
        async for _ in stream.events():
            began = began or time.process_time()
            read += 1
            if read == count:
                done.set_result(count / (time.process_time() - began))

    app.agent(app.topic(TICKS.name, key_type=bytes, value_type=bytes), name="nothing")(agent)
    await app.start()
    print(await done, flush=True)
    await app.stop()


if __name__ == "__main__":
    asyncio.run(run())
