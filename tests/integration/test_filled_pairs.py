"""A new pair of a running worker is filled from what is stored, also if that worker is killed meanwhile.

Ingest, sink and worker are all it takes: no API and no page.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec import structs
from psycopg.rows import dict_row

from services.common.clock import SECOND, from_datetime
from services.common.codec import encode
from services.common.kafka.publisher import partition_of_key
from services.contracts.messages import Signal
from services.contracts.pair_messages import DEFAULTS as CONFIG
from services.contracts.topics import PAIRS
from tests.analytics import final_signals, outcomes
from tests.broker import produce
from tests.builders import tick
from tests.forks import Forked
from tests.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

FIRST, ADDED, LATER = "ETHUSDT-BTCUSDT", "SOLUSDT-BTCUSDT", "SOLUSDT-ETHUSDT"
NUMBERS = ("hedge_ratio", "intercept", "spread", "zscore", "correlation", "zscore_rank", "r_squared")
# Seconds of the market that a window of 300 can be filled from.
ENOUGH = 400
# Loaded machines are slow; on a quiet one it takes less than 3 s.
FIRST_SIGNAL_S = 60


class Running:
    """A synthetic market, the sink and a worker, and what they have stored."""

    def __init__(self, broker: str, url: str, log: Path) -> None:
        log.touch()
        self._broker = broker
        self._connection = psycopg.connect(url, autocommit=True)
        self._log = log
        self._environment = {
            **os.environ,
            "PAIRSTREAM_BROKERS": broker,
            "PAIRSTREAM_DATABASE_URL": url,
            "PAIRSTREAM_FETCH_MAX_WAIT_MS": "50",
            "PAIRSTREAM_SESSION_TIMEOUT_S": "3",
            "PAIRSTREAM_FEED": "synthetic",
            "PAIRSTREAM_SYMBOLS": "BTCUSDT,ETHUSDT,SOLUSDT",
            "PAIRSTREAM_PAIRS": FIRST,
        }
        self._services = {name: self._start(name) for name in ("sink", "ingest", "stream_analytics")}

    def _start(self, name: str) -> Forked:
        return Forked(name, self._environment, self._log)

    def kill_the_worker(self) -> None:
        """End the worker as a power cut does, and start another one."""
        worker = self._services["stream_analytics"]
        worker.kill()
        worker.wait()
        self._services["stream_analytics"] = self._start("stream_analytics")

    def close(self) -> None:
        """End all."""
        self._connection.close()
        for service in self._services.values():
            service.kill()
            service.wait()

    def add(self, pair: str, window: int = CONFIG.window) -> None:
        """Add a pair as the API does."""
        config = structs.replace(CONFIG, pair=pair, window=window)
        place = partition_of_key(pair.encode(), range(4))
        produce(self._broker, PAIRS.name, [(encode(config), place)], key=pair.encode())

    def signals(self, pair: str) -> list[dict[str, Any]]:
        """Return the stored signals of a pair, oldest first."""
        return self._rows("SELECT * FROM signals WHERE pair = %s ORDER BY ts", pair)

    def expected(self, pair: str, window: int) -> dict[int, Signal]:
        """Return what a pair says that was there from the first stored tick on; the feed brings none of them late."""
        rows = self._rows(
            "SELECT symbol, trade_id, ts, price FROM ticks WHERE symbol = ANY(%s) ORDER BY ts, trade_id",
            pair.split("-"),
        )
        ticks = [
            tick(row["trade_id"], from_datetime(row["ts"]), row["symbol"], price=row["price"]) for row in rows
        ]
        config = structs.replace(CONFIG, pair=pair, window=window)
        return {one.event_us: one for one in final_signals(outcomes(ticks, config, ends=False))}

    def _rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query.encode(), values).fetchall()


@contextmanager
def running(broker: str, url: str, log: Path) -> Iterator[Running]:
    started = Running(broker, url, log)
    try:
        yield started
    except BaseException as error:
        error.add_note(log.read_text()[-4000:])
        raise
    finally:
        started.close()


def agrees(market: Running, pair: str, window: int) -> None:
    """Compare all signals with those of a pair that was there all along, to 1e-9."""
    found, known = market.signals(pair), market.expected(pair, window)
    times = [from_datetime(row["ts"]) for row in found]
    assert times == list(range(times[0], times[-1] + SECOND, SECOND))
    compared = [(row, known[at]) for row, at in zip(found, times, strict=True) if at in known]
    assert len(compared) > 5
    for row, other in compared:
        assert (row["quality"], row["samples"], row["revision"]) == ("ok", window, 0)
        assert (other.quality, other.samples, other.revision) == ("ok", window, 0)
        for name in NUMBERS:
            assert row[name] == pytest.approx(getattr(other, name), rel=1e-9, abs=1e-12), (row["ts"], name)


def test_a_new_pair_a_new_window_and_one_whose_worker_is_killed_are_filled(
    broker: str, database_url: str, tmp_path: Path
) -> None:
    with running(broker, database_url, tmp_path / "log") as market:
        wait_until(lambda: len(market.signals(FIRST)) > ENOUGH, "a past to be filled with", 120)
        market.add(ADDED)
        wait_until(lambda: bool(market.signals(ADDED)), "a first signal", FIRST_SIGNAL_S)
        first = market.signals(ADDED)[0]
        assert (first["quality"], first["samples"]) == ("ok", 300)
        assert first["filled"].startswith("ticks 20")
        wait_until(lambda: len(market.signals(ADDED)) > 10, "more of them", 60)
        agrees(market, ADDED, 300)

        market.add(LATER, window=120)
        market.kill_the_worker()
        before = len(market.signals(ADDED))
        for pair, more in ((LATER, 10), (ADDED, before + 10)):
            wait_until(lambda: len(market.signals(pair)) > more, f"{pair} after the kill", 60)  # noqa: B023
        agrees(market, LATER, 120)
        agrees(market, ADDED, 300)
