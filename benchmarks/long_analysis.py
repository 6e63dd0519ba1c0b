"""An analysis of all of a long dataset: how long it takes, in how much memory, and what others notice of it.

    python -m benchmarks.long_analysis [BARS] [METHOD ...]

Minutes of two symbols on the embedded PostgreSQL, a million of each unless told otherwise, by OLS or by the methods
named. Meanwhile somebody asks for `/healthz`, and for analyses of 500 other bars, one after the other.
"""

import asyncio
import io
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import psutil

from benchmarks.analysis import legs
from services.common.clock import MINUTE
from services.common.settings import DatabaseSettings
from services.datasets.report import ImportReport
from services.datasets.sources import FileSource, Upload
from services.datasets.storage import store_dataset
from services.store import database, schema
from tests.api_process import ApiProcess, running_api
from tests.fix_broker import embedded_broker
from tests.fix_database import embedded_postgres

BARS = 1_000_000
PATH = "/v1/pairs/YYY-XXX/analysis"
PAUSE_S = 0.02
FIRST_US = 1_262_304_000_000_000  # 2010-01-01


def csv(bars: int) -> bytes:
    """Return minutes of two symbols, one behind the other."""
    text = io.StringIO("time,symbol,close,volume\n")
    text.seek(0, io.SEEK_END)
    for symbol, prices in zip(("YYY", "XXX"), legs(bars), strict=True):
        prices += 1 + max(0, -prices.min())
        for minute, price in enumerate(prices.tolist()):
            text.write(f"{(FIRST_US + minute * MINUTE) // 1_000_000},{symbol},{price:.4f},1\n")
    return text.getvalue().encode()


async def store(url: str, bars: int) -> None:
    """Store the dataset."""
    upload = Upload("long", [FileSource("bars.csv", io.BytesIO(csv(bars)))])
    async with database.connect(DatabaseSettings(database_url=url), "benchmark") as connection:
        await store_dataset(connection, upload, ImportReport())


class Beside:
    """Asks other things until `stop`, and looks at the memory of all processes of the API."""

    def __init__(self, api: ApiProcess) -> None:
        self._api = api
        self._process = psutil.Process(api.process.pid)
        self._stop = asyncio.Event()
        self.health_ms: list[float] = []
        self.others_ms: list[float] = []
        self.most_mb: dict[str, float] = {"the api": 0, "a worker": 0}

    async def run(self, client: httpx.AsyncClient) -> None:
        """Ask until told to stop."""
        asking = [asyncio.create_task(self._ask(client, "/healthz", self.health_ms, [{}]))]
        ends = ({"limit": 500, "end": FIRST_US + (1_000 + number) * MINUTE} for number in range(1_000_000))
        asking += [asyncio.create_task(self._ask(client, PATH, self.others_ms, ends))]
        while not self._stop.is_set():
            self._look()
            await asyncio.sleep(PAUSE_S)
        for task in asking:
            task.cancel()

    def stop(self) -> None:
        """Have it end."""
        self._stop.set()

    async def _ask(
        self,
        client: httpx.AsyncClient,
        path: str,
        took_ms: list[float],
        asked: Iterator[dict[str, int]] | list[dict[str, int]],
    ) -> None:
        given = iter(asked)
        last: dict[str, int] = {}
        while True:
            last = next(given, last)
            began = time.perf_counter()
            params = {**last, "dataset": "long"} if path == PATH else {}
            (await client.get(path, params=params)).raise_for_status()
            took_ms.append(1e3 * (time.perf_counter() - began))
            await asyncio.sleep(PAUSE_S)

    def _look(self) -> None:
        def mb(process: psutil.Process) -> float:
            try:
                return process.memory_info().rss / 1e6
            except psutil.NoSuchProcess:
                return 0

        workers = self._process.children(recursive=True)
        self.most_mb["the api"] = max(self.most_mb["the api"], mb(self._process))
        self.most_mb["a worker"] = max(self.most_mb["a worker"], *map(mb, workers), 0)


async def measure(api: ApiProcess, bars: int, method: str, form: str) -> str:
    """Return one line on an analysis of all bars."""
    async with httpx.AsyncClient(base_url=api.url, timeout=600, trust_env=False) as client:
        (
            await client.get(PATH, params={"dataset": "long", "limit": 500, "end": FIRST_US + 900 * MINUTE})
        ).raise_for_status()
        beside = Beside(api)
        asking = asyncio.create_task(beside.run(client))
        began = time.perf_counter()
        params = {"dataset": "long", "start": FIRST_US, "method": method, "format": form}
        answer = await client.get(PATH, params={name: str(value) for name, value in params.items()})
        took_s = time.perf_counter() - began
        beside.stop()
        await asking
    if answer.is_error:
        return f"{method:<10} {form:<7} {bars:>9,} bars  {took_s:6.1f} s  {answer.json()['detail']}"
    words = [
        f"{method:<10} {form:<7} {bars:>9,} bars  {took_s:6.1f} s  {len(answer.content) / 1e6:6.1f} MB of answer",
        *(f"{name} {mb:.0f} MB" for name, mb in beside.most_mb.items()),
        *(
            f"{name} p99 {np.percentile(took, 99):.0f} ms, at most {max(took):.0f}"
            for name, took in (("/healthz", beside.health_ms), ("500 other bars", beside.others_ms))
        ),
    ]
    return ", ".join(words)


def main(bars: int = BARS, methods: tuple[str, ...] = ("ols",)) -> None:
    """Print a line for each method and form."""
    with (
        tempfile.TemporaryDirectory(prefix="pairstream-bench-") as directory,
        embedded_postgres(f"{Path(directory)}/") as postgres,
        embedded_broker() as broker,
    ):
        schema.upgrade(postgres.url)
        began = time.perf_counter()
        asyncio.run(store(postgres.url, bars))
        print(f"stored in {time.perf_counter() - began:.1f} s", flush=True)
        with running_api(broker, postgres.url) as api:
            for method in methods:
                for form in ("json", "csv") if method == methods[0] else ("json",):
                    print(asyncio.run(measure(api, bars, method, form)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else BARS, tuple(sys.argv[2:]) or ("ols",))
