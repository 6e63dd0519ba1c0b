"""Research under test: its process, and bars in the store for it to scan."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psutil
import psycopg

from tests.api_process import ApiProcess

START = datetime(2026, 1, 1, tzinfo=UTC)
_COPY = """
COPY ohlc_1m (symbol, ts, open, high, low, close, volume, quote_volume, trade_count, first_id, last_id) FROM STDIN
"""
_TICK = """
INSERT INTO ticks (symbol, trade_id, ts, received_at, venue, price, size, buyer_is_maker)
VALUES (%s, 1, %s, %s, 'binance', 1, 1, false)
"""


def names(count: int) -> list[str]:
    """Return as many symbols, in order."""
    return [f"S{number:03}USDT" for number in range(count)]


def store_bars(
    url: str, prices: "np.ndarray[Any, np.dtype[np.float64]]", symbols: list[str], start: datetime = START
) -> None:
    """Store a minute bar of each symbol at each time where there is a price, and a trade long after them."""
    after = start + timedelta(days=3_650)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy(_COPY) as copy:
            for at, row in enumerate(prices.tolist()):
                moment = start + timedelta(minutes=at)
                for symbol, price in zip(symbols, row, strict=True):
                    if price == price:
                        copy.write_row((symbol, moment, price, price, price, price, 1.0, price, 1, at, at))
        # It would scan between what a test asks for.
        cursor.execute("UPDATE radars SET paused = true WHERE radar_id = 'default'")
        # The bars before it are closed, and the API knows the symbol.
        cursor.executemany(_TICK, [(symbol, after, after) for symbol in symbols])


@contextmanager
def running_research(broker: str, database_url: str, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the service until the block ends, then kill it."""
    environment = {**os.environ, "PAIRSTREAM_BROKERS": broker, "PAIRSTREAM_DATABASE_URL": database_url}
    process = subprocess.Popen([sys.executable, "-m", "services.research"], env={**environment, **variables})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def children(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """Return the processes that a service has started."""
    return list(psutil.Process(process.pid).children(recursive=True))


def asked(api: ApiProcess, **body: Any) -> dict[str, Any]:
    """Ask for a scan and return it."""
    response = api.http.post("/v1/scans", json=body)
    assert response.status_code in (200, 202), response.text
    return dict(response.json())


def ended(api: ApiProcess, job_id: str, within_s: float = 60) -> dict[str, Any]:
    """Return a job once it has ended."""
    states = ("done", "failed", "cancelled")
    return dict(
        api.wait_for(
            f"/v1/jobs/{job_id}", lambda answer: answer.json().get("state") in states, within_s
        ).json()
    )
