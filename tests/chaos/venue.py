"""Venue for ingest in a chaos run, with symbols that no pair has; and a check of the dashboard."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import psycopg

from services.contracts.messages import Tick
from tests.fake_venue.__main__ import Ready

RATES = {"DOGEUSDT": 40.0, "LTCUSDT": 10.0}
"""Trades a second of each symbol."""


class LiveVenue:
    """A process that trades all the time, every trade of which is known."""

    def __init__(self) -> None:
        """Start it, and return when it listens."""
        arguments = (f"{symbol}={rate}" for symbol, rate in RATES.items())
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fake_venue", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        ready = msgspec.json.decode(self._process.stdout.readline(), type=Ready)
        self._market = ready.market
        self._until_ms = 0.0
        self.environment = {
            "PAIRSTREAM_FEED": "live",
            "PAIRSTREAM_SYMBOLS": ",".join(RATES),
            "PAIRSTREAM_BINANCE_WS_URL": f"ws://127.0.0.1:{ready.port}",
            "PAIRSTREAM_BINANCE_REST_URL": f"http://127.0.0.1:{ready.port}",
            # Ingest may begin late; that is no fault.
            "PAIRSTREAM_HISTORY_MINUTES": "30",
        }

    def end(self) -> None:
        """Have no trade count that comes from now on."""
        self._until_ms = time.time() * 1000

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def ticks(self, url: str) -> list[Tick]:
        """Return every trade from the first to the last one of each symbol that is stored."""
        return [
            self._market.trade(symbol, trade_id).tick()
            for symbol, (first, last, _) in _spans(url).items()
            for trade_id in range(first, last + 1)
        ]

    def missing(self, url: str) -> list[str]:
        """Return what is wrong with the trades that count and are stored."""
        found, spans = [], _spans(url)
        for symbol in RATES:
            first, last, count = spans.get(symbol, (0, -1, 0))
            begin, end = self._market.first_id, self._market.head(symbol, self._until_ms)
            if first > begin or last < end or count <= last - first:
                found.append(
                    f"store: {count} trades of {symbol} from {first} to {last}, expected all from {begin} to {end}"
                )
        return found


def _spans(url: str) -> dict[str, tuple[int, int, int]]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT symbol, min(trade_id), max(trade_id), count(DISTINCT trade_id) FROM ticks "
            "WHERE symbol = ANY(%s) GROUP BY symbol",
            [[*RATES]],
        ).fetchall()
    return {symbol: (first, last, count) for symbol, first, last, count in rows}


def of_dashboard(url: str, log: Path) -> Iterator[str]:
    """Yield what is wrong with a dashboard: it answers, and reads the stream of its API."""
    try:
        status = httpx.get(url, timeout=5, trust_env=False).status_code
        if status != httpx.codes.OK:
            yield f"dashboard: expected 200, received {status}"
    except httpx.HTTPError as error:
        yield f"dashboard: expected an answer within 5 s, received {error!r}"
    told = [line["event"] for line in map(json.loads, log.read_text().splitlines()) if "event" in line]
    links = [event for event in told if event in ("stream connected", "no stream from the API, trying again")]
    if links[-1:] != ["stream connected"]:
        yield f"dashboard: expected it to read the stream, received {links[-1:] or 'nothing'}"
