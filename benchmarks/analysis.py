"""Pair analysis: our numbers beside plain statsmodels for the same ones, and through the API.

    python -m benchmarks.analysis [numbers|api]

Plain statsmodels is OLS, rolling OLS, ADF on both legs and on the spread, Engle-Granger both ways, all with their own
choice of lags.
"""

import sys
import tempfile
import threading
import time
from statistics import quantiles
from typing import NamedTuple

import httpx
import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from statsmodels.regression.rolling import RollingOLS
from statsmodels.tsa.stattools import adfuller, coint

from services.common.clock import SECOND
from services.quant.analysis.pair_analysis import analyse
from services.quant.options import AnalysisOptions
from services.store import schema
from tests.api_process import PAIR, START_US, ApiProcess, running_api, store, tick
from tests.fix_broker import embedded_broker
from tests.fix_database import created, embedded_postgres

SIZES = (500, 10_000)
WINDOW = 300
_RUNS = 3
_REQUESTS = 200

Values = NDArray[np.float64]


class Cost(NamedTuple):
    """Seconds of processor time for one analysis of so many bars."""

    bars: int
    ours: float
    theirs: float


def legs(n: int) -> tuple[Values, Values]:
    """Return legs whose spread reverts."""
    random = np.random.default_rng(1)
    x = 60_000 + np.cumsum(random.normal(0, 5, n))
    spread = np.zeros(n)
    for at in range(1, n):
        spread[at] = 0.9 * spread[at - 1] + random.normal()
    return 300 + 0.05 * x + spread, x


def plain(y: Values, x: Values) -> None:
    """Do with statsmodels what an analysis does."""
    design = sm.add_constant(x)
    fit = sm.OLS(y, design).fit()
    fit.conf_int()
    RollingOLS(y, design, WINDOW).fit()
    for series in (y, x, fit.resid):
        adfuller(series, result_object=True)
    coint(y, x, return_results=True)
    coint(x, y, return_results=True)


def measure() -> list[Cost]:
    """Return the costs, each the least of some runs that take turns."""
    costs = []
    for n in SIZES:
        y, x = legs(n)
        best = [float("inf")] * 2
        for _ in range(_RUNS):
            for number, work in enumerate(
                (lambda y=y, x=x: analyse(y, x, AnalysisOptions()), lambda y=y, x=x: plain(y, x))
            ):
                began = time.process_time()
                work()
                best[number] = min(best[number], time.process_time() - began)
        costs.append(Cost(n, *best))
    return costs


def _p(values: list[float], share: int) -> float:
    return 1e3 * quantiles(values, n=100)[share - 1]


def _timed(api: ApiProcess, path: str, **params: object) -> float:
    began = time.perf_counter()
    response = api.http.get(path, params={name: str(value) for name, value in params.items()}, timeout=60)
    assert response.status_code == httpx.codes.OK, response.text
    return time.perf_counter() - began


def through_the_api() -> list[str]:
    """Return lines on latency: analyses one after the other, none of them kept, and /healthz beside four at once."""
    path, lines = f"/v1/pairs/{PAIR}/analysis", []
    y, x = legs(SIZES[-1] + _REQUESTS + 1)
    ticks = [
        tick(number, symbol, START_US + number * SECOND, float(price))
        for symbol, prices in (("ETHUSDT", y), ("BTCUSDT", x))
        for number, price in enumerate(prices)
    ]
    with (
        tempfile.TemporaryDirectory() as directory,
        embedded_postgres(f"{directory}/") as postgres,
        created(postgres.url) as url,
        embedded_broker() as broker,
    ):
        schema.upgrade(url)
        store(url, ticks)
        with running_api(broker, url) as api:
            _timed(api, path, interval="1s", limit=10)
            last_us = START_US + len(y) * SECOND
            for n, requests in zip(SIZES, (_REQUESTS, 20), strict=True):
                # Another end is another question.
                took = [
                    _timed(api, path, interval="1s", limit=n, end=last_us - number * SECOND)
                    for number in range(requests)
                ]
                lines.append(
                    f"analysis of {n:>6} bars   p50 {_p(took, 50):6.0f} ms   p95 {_p(took, 95):6.0f} ms"
                )
            lines.append(_healthz_beside_four(api, path, last_us))
    return lines


def _healthz_beside_four(api: ApiProcess, path: str, last_us: int) -> str:
    stop = threading.Event()

    def analyse_on(first: int) -> None:
        with httpx.Client(base_url=api.url, trust_env=False, timeout=60) as http:
            number = first
            while not stop.is_set():
                end = last_us - number * SECOND
                http.get(path, params={"interval": "1s", "limit": SIZES[-1], "end": end}).raise_for_status()
                number += 4

    threads = [threading.Thread(target=analyse_on, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    took = []
    try:
        for _ in range(300):
            took.append(_timed(api, "/healthz"))
            time.sleep(0.02)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return f"/healthz beside four     p50 {_p(took, 50):6.1f} ms   p99 {_p(took, 99):6.1f} ms"


def main(what: str = "numbers") -> None:
    """Print the costs, or the latencies of a real API."""
    if what == "api":
        print(*through_the_api(), sep="\n")
        return
    print("a pair analysis, ms of one processor (share of plain statsmodels)")
    for cost in measure():
        share = cost.ours / cost.theirs
        print(f"{cost.bars:>6} bars {1e3 * cost.ours:8.1f}  plain {1e3 * cost.theirs:8.1f}  ({share:.3f})")


if __name__ == "__main__":
    main(*sys.argv[1:])
