"""Latency of the API with five million ticks stored and the whole pipeline running at 500 ticks/s.

    python -m benchmarks.api

Requests are sent when they are due, 50 a second, whether or not the ones before are answered; the time of each is
from when it was due until its last byte was read. The client is a process of its own on the same machine, and so are
all the services, so it does no more than that.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import psutil

from benchmarks.store import SYMBOLS, fill, load, timed
from benchmarks.up import directory
from services.common import clock
from tests.pipeline import Pipeline, pipeline

RATE, CLIENTS = 50, 20
WARM_S, SECONDS = 5, 20
EXPORT_ROWS = 500_000
EXPORTS = ("csv", "csv, gzip", "parquet")

_chance = random.Random(1)


def _symbol() -> str:
    return f"S{_chance.randrange(SYMBOLS)}USDT"


ROUTES: dict[str, Callable[[], str]] = {
    "bars": lambda: f"/v1/bars?symbol={_symbol()}&interval={_chance.choice(('1s', '1m', '5m', '1h'))}",
    "signals": lambda: "/v1/pairs/ETHUSDT-BTCUSDT/signals?limit=500",
    "symbols": lambda: "/v1/symbols",
    "status": lambda: "/v1/status",
    "ticks": lambda: f"/v1/ticks?symbol={_symbol()}&limit=500",
    "healthz": lambda: "/healthz",
}


def main() -> None:
    """Print every figure."""
    environ = {"PAIRSTREAM_RATE": "500", "PAIRSTREAM_HISTORY_S": "60"}
    with directory() as path, pipeline(path, "--feed", "synthetic", environ=environ) as up:
        timed("copy of the ticks", lambda: load(up.database, clock.now_us()))
        timed("bars filled in", lambda: fill(up.database))
        asyncio.run(_measure(up))


async def _measure(up: Pipeline) -> None:
    process = psutil.Process(up.pid_of("api"))
    async with httpx.AsyncClient(base_url=up.api, timeout=60, trust_env=False) as client:
        for name, route in ROUTES.items():
            _load(up.api, route, WARM_S)
            before = _cpu_s(process)
            began = time.perf_counter()
            took = _load(up.api, route, SECONDS)
            share = 100 * (_cpu_s(process) - before) / (time.perf_counter() - began)
            _print(f"{name} at {RATE}/s", took, f", {share:.0f} % of a core")
        for form in EXPORTS:
            await _export(client, up.api, process, form)


def _load(api: str, route: Callable[[], str], seconds: float) -> list[float]:
    """Return what each request took from when it was due (ms), in order."""
    own, began = threading.local(), time.perf_counter()

    def ask(due: float) -> float:
        time.sleep(max(0.0, began + due - time.perf_counter()))
        if not hasattr(own, "connection"):
            own.connection = HTTPConnection(urlsplit(api).netloc, timeout=60)
        own.connection.request("GET", route(), headers={"Accept-Encoding": "gzip"})
        answer = own.connection.getresponse()
        answer.read()
        assert answer.status == httpx.codes.OK, f"{answer.status} {answer.reason}"
        return (time.perf_counter() - began - due) * 1000

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sorted(pool.map(ask, (number / RATE for number in range(round(seconds * RATE)))))


async def _export(client: httpx.AsyncClient, api: str, process: psutil.Process, form: str) -> None:
    """Print how fast the ticks of one symbol come, and what `/healthz` takes meanwhile."""
    kind, _, coding = form.partition(", ")
    url = f"/v1/ticks?symbol=S0USDT&limit={EXPORT_ROWS}&format={kind}"
    before, peak, size, cpu = process.memory_info().rss, 0, 0, _cpu_s(process)
    began = time.perf_counter()
    probing = asyncio.create_task(asyncio.to_thread(_load, api, ROUTES["healthz"], 4))
    async with client.stream("GET", url, headers={"Accept-Encoding": coding or "identity"}) as response:
        response.raise_for_status()
        async for part in response.aiter_raw():
            size += len(part)
            peak = max(peak, process.memory_info().rss)
    seconds = time.perf_counter() - began
    print(
        f"  {form}: {EXPORT_ROWS / seconds:,.0f} rows/s, {size / 1e6:.0f} MB, {_cpu_s(process) - cpu:.1f} s of a core, "
        f"RSS {before / 1e6:.0f} MB before, {peak / 1e6:.0f} MB at most"
    )
    _print(f"healthz at {RATE}/s meanwhile", await probing)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _print(what: str, took: list[float], more: str = "") -> None:
    p50, p95, p99 = (took[len(took) * share // 100] for share in (50, 95, 99))
    print(f"  {what}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms{more}", flush=True)


if __name__ == "__main__":
    main()
