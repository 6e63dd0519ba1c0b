"""Duration of a large upload and of its deletion, and the API's latency meanwhile.

    python -m benchmarks.datasets [MB]

Minutes of two symbols, by default as large as an upload may be, on the embedded PostgreSQL. Who uploads is a process of
its own. Somebody asks for `/healthz`, 20 ms after each answer, before, meanwhile, and while the dataset is deleted.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import httpx
import numpy as np
import psutil

from services.common.clock import MINUTE
from services.store import schema
from tests.api_process import START_US, running_api
from tests.fix_broker import embedded_broker
from tests.fix_database import embedded_postgres

MEGABYTES = 195
SYMBOLS = ("BTCUSDT", "ETHUSDT")
LINE_BYTES = 66
PAUSE_S = 0.02
QUIET_S = 5


def main() -> None:
    """Print one table."""
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES
    with (
        tempfile.TemporaryDirectory(prefix="pairstream-bench-") as directory,
        embedded_postgres("pairstream-bench-") as postgres,
        embedded_broker() as broker,
        ProcessPoolExecutor(1, get_context("spawn")) as client,
    ):
        path = Path(directory) / "bars.csv"
        _write(path, round(megabytes * 1e6 / LINE_BYTES))
        schema.upgrade(postgres.url)
        with running_api(broker, postgres.url) as api:
            asyncio.run(_measure(api.url, psutil.Process(api.process.pid), path, client))


def _write(path: Path, lines: int) -> None:
    """Write a random walk of each symbol, one behind the other."""
    chance = np.random.default_rng(1)
    with path.open("w") as file:
        file.write("open_time,symbol,open,high,low,close,volume\n")
        for symbol in SYMBOLS:
            count = lines // len(SYMBOLS)
            walk = 40_000 * np.exp(np.cumsum(chance.normal(0, 1e-4, count + 1)))
            for minute, (opened, close, volume) in enumerate(
                zip(walk[:-1].tolist(), walk[1:].tolist(), (chance.random(count) * 100).tolist(), strict=True)
            ):
                low, high = 0.9999 * min(opened, close), 1.0001 * max(opened, close)
                moment = (START_US - count * MINUTE + minute * MINUTE) // 1000
                prices = f"{opened:.2f},{high:.2f},{low:.2f},{close:.2f}"
                file.write(f"{moment},{symbol},{prices},{volume:.5f}\n")


class _Watch:
    """Asks for `/healthz`, and looks how much memory the process has."""

    def __init__(self, client: httpx.AsyncClient, process: psutil.Process) -> None:
        self.took_ms: list[float] = []
        self.most_bytes = 0
        self._client = client
        self._process = process

    async def during(self, work: Awaitable[object]) -> "_Watch":
        """Return itself once `work` is done."""
        working = asyncio.ensure_future(work)
        while not (self.took_ms and working.done()):
            began = time.perf_counter()
            (await self._client.get("/healthz")).raise_for_status()
            self.took_ms.append((time.perf_counter() - began) * 1000)
            self.most_bytes = max(self.most_bytes, self._process.memory_info().rss)
            await asyncio.sleep(PAUSE_S)
        await working
        return self


def _print(what: str, seconds: float, watch: _Watch) -> None:
    took = sorted(watch.took_ms)
    p50, p99 = (took[len(took) * share // 100] for share in (50, 99))
    print(f"  {what}: {seconds:.2f} s, RSS {watch.most_bytes / 1e6:.0f} MB at most, ", end="")
    print(f"healthz p50 {p50:.1f} ms, p99 {p99:.1f} ms", flush=True)


async def _measure(url: str, process: psutil.Process, path: Path, pool: ProcessPoolExecutor) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        quiet = await _Watch(client, process).during(asyncio.sleep(QUIET_S))
        _print("nothing else to do", QUIET_S, quiet)
        before = process.cpu_times()
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        upload = loop.run_in_executor(pool, _upload, url, path)
        meanwhile = await _Watch(client, process).during(upload)
        seconds = time.perf_counter() - began
        size, bars = upload.result()
        megabytes = size / 1e6
        speed = f"{megabytes / seconds:.1f} MB/s, {bars / seconds:,.0f} rows/s"
        _print(f"upload of {megabytes:.0f} MB, {bars:,} rows: {speed}", seconds, meanwhile)
        after = process.cpu_times()
        print(f"  processor of the API: {after.user + after.system - before.user - before.system:.1f} s")
        began = time.perf_counter()
        gone = await _Watch(client, process).during(client.delete("/v1/datasets/large"))
        _print("delete", time.perf_counter() - began, gone)


def _upload(url: str, path: Path) -> tuple[int, int]:
    with path.open("rb") as file, httpx.Client(base_url=url, timeout=900, trust_env=False) as client:
        answer = client.post("/v1/datasets", files={"files": (path.name, file)}, data={"name": "large"})
        answer.raise_for_status()
        return path.stat().st_size, int(answer.json()["bars"])


if __name__ == "__main__":
    main()
