"""``pairstream up`` as a user meets it: a whole recording, restarts, refusals, the end."""

import asyncio
import os
import re
import signal
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from services.common.codec import decode
from services.contracts.messages import PairConfig, Tick
from tests.analytics import outcomes
from tests.broker import read_all
from tests.pipeline import RECORDING, Pipeline, pipeline, recorded_trades, refused

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

VENUE_RECORDING = Path(__file__).parents[3] / "shared/data/binance_futures_2021-07-22.ws.txt"


def plain_bars(trades: list[Tick], width_us: int) -> dict[tuple[str, int], tuple[float, ...]]:
    """Return open, high, low, close, volume, count by symbol and start."""
    bars: dict[tuple[str, int], list[Tick]] = {}
    for trade in sorted(trades, key=lambda trade: trade.trade_id):
        bars.setdefault((trade.symbol, trade.event_us // width_us * width_us), []).append(trade)
    return {
        key: (
            rows[0].price,
            max(row.price for row in rows),
            min(row.price for row in rows),
            rows[-1].price,
            sum(row.size for row in rows),
            len(rows),
        )
        for key, rows in bars.items()
    }


def expected_signals(trades: list[Tick]) -> int:
    """Return how many seconds one uninterrupted worker closes."""
    return len(outcomes(trades, PairConfig(pair="ETHUSDT-BTCUSDT")))


def check_everything_arrived(
    running: Pipeline, trades: list[Tick], published: list[Tick] | None = None
) -> None:
    """Compare the topic (with `published`, if not all came again), the database and the API with the recording."""

    def key(tick: Tick) -> tuple[object, ...]:
        return (tick.symbol, tick.event_us, tick.trade_id, tick.price, tick.size, tick.buyer_is_maker)

    running.wait_until(lambda: running.count("ticks") >= len(trades), "every trade in the database")
    on_topic = [decode(record.value, Tick) for record in asyncio.run(read_all(running.brokers, "ticks"))]
    assert sorted(map(key, on_topic)) == sorted(map(key, published or trades))
    with psycopg.connect(running.database) as connection:
        rows = connection.execute(
            """SELECT symbol, (extract(epoch FROM ts) * 1000000)::bigint, trade_id, price, size, buyer_is_maker
               FROM ticks"""
        ).fetchall()
    assert sorted(rows) == sorted(map(key, trades))
    for interval, width_us in (("1s", 10**6), ("1m", 60 * 10**6), ("5m", 300 * 10**6), ("1h", 3600 * 10**6)):
        expected = plain_bars(trades, width_us)
        got = {}
        for symbol in {trade.symbol for trade in trades}:
            for bar in running.get(f"/v1/bars?symbol={symbol}&interval={interval}&limit=10000")["data"]:
                names = ("open", "high", "low", "close", "volume", "trade_count")
                got[symbol, bar["start_us"]] = tuple(bar[name] for name in names)
        assert got.keys() == expected.keys()
        for start, values in expected.items():
            assert got[start] == pytest.approx(values, rel=1e-12)


def test_a_recording_arrives_whole_is_shown_by_one_instance_and_survives_a_restart(data_dir: Path) -> None:
    trades = recorded_trades(RECORDING, {"BTCUSDT", "ETHUSDT"})
    with pipeline(data_dir, "--replay-file", RECORDING, "--speed", "max") as running:
        check_everything_arrived(running, trades)
        assert running.get("/v1/status")["feed"] == "replay"
        signals = expected_signals(trades)
        running.wait_until(lambda: running.count("signals") >= signals, "a signal for each second")
        assert running.count("signals") == signals
        assert httpx.get(f"{running.api}/readyz").status_code == 200
        assert "pairstream" in httpx.get(running.dashboard).text.lower()
        in_use = rf"pairstream: --data-dir: {data_dir} is in use by another pairstream \(process \d+\)"
        refused(data_dir, [], in_use)
        environment = psutil.Process(running.pid_of("sink")).environ()
        wake_directory = Path(environment["PAIRSTREAM_WAKE_DIRECTORY"])
        # Four read the pairs besides; API and alerting rules and silences, too, and alerting what is no signal; ingest,
        # sink and API what users have decided on symbols, and the API what is listed. Delivery reads the alerts.
        assert len(list(wake_directory.iterdir())) == 18
    assert running.returncode == 0
    assert running.survivors() == []
    assert not wake_directory.exists()
    # Again on the same directory: a fresh broker, the same trades as far as a copy that was cut off has them whole,
    # and nothing twice.
    cut = data_dir / "cut.txt"
    cut.write_bytes(RECORDING.read_bytes()[:-40])
    whole = recorded_trades(cut, {"BTCUSDT", "ETHUSDT"})
    with pipeline(data_dir, "--replay-file", cut, "--speed", "max") as running:
        # Signals and alerts come again, too.
        running.wait_until(lambda: running.counters("sink")["duplicates"] > len(whole), "each trade again")
        assert running.counters("sink")["ticks"] == 0
        check_everything_arrived(running, trades, published=whole)
        assert running.count("signals") == signals
        running.wait_until(
            lambda: running.services()["ingest"]["state"] == "finished", "the end of the replay"
        )
        assert re.search(
            r"cut\.txt:341: expected a whole line, received the first", running.services()["ingest"]["detail"]
        )
        assert running.counters("ingest")["dead_letters"] == 1


@pytest.mark.long
@pytest.mark.skipif(not VENUE_RECORDING.exists(), reason="the venue's own recording is not on this machine")
def test_a_recording_of_the_venue_arrives_whole(data_dir: Path) -> None:
    symbols = "SUSHIUSDT,CTKUSDT,AKROUSDT,KEEPUSDT"
    trades = recorded_trades(VENUE_RECORDING, set(symbols.split(",")))
    assert len(trades) == 91
    flags = ["--symbols", symbols, "--pairs", "CTKUSDT-SUSHIUSDT", "--speed", "max"]
    with pipeline(data_dir, "--replay-file", VENUE_RECORDING, *flags) as running:
        check_everything_arrived(running, trades)


def test_a_start_does_not_wait_for_the_past_to_be_played(data_dir: Path) -> None:
    """The past is 4.5 million ticks of four symbols here, and more of them come while these are played."""
    pairs = ["--symbols", "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT", "--pairs", "ETHUSDT-BTCUSDT,SOLUSDT-BNBUSDT"]
    with pipeline(data_dir, "--feed", "synthetic", *pairs, environ={"PAIRSTREAM_RATE": "5000"}) as running:

        def filling() -> dict[str, float]:
            ingest = running.services()["ingest"]
            assert (ingest["state"], ingest["healthy"]) == ("running", True)
            assert ingest["filling"] is not None, "expected the past to be played still"
            return dict(ingest["filling"])

        first = filling()
        assert 0 <= first["done_s"] < first["total_s"]
        assert first["total_s"] >= 900
        running.wait_until(lambda: running.count("signals") > 0, "the first signals", within_s=60)
        running.wait_until(lambda: filling()["done_s"] > first["done_s"], "more of the past")
        running.wait_until(
            lambda: running.said(r"ingest .*filling: \d+ of 9\d\d s"), "the progress in the log"
        )
        assert httpx.get(running.dashboard).status_code == 200
        filling()


def test_a_killed_service_comes_back_and_the_numbers_go_on(data_dir: Path) -> None:
    # With workers for analyses, of which none may be left either.
    at_once = {"PAIRSTREAM_API_ANALYSIS_IDLE": "1s"}
    with pipeline(data_dir, "--feed", "synthetic", environ=at_once) as running:
        running.wait_until(lambda: running.count("signals") > 100, "signals")
        running.wait_until(lambda: running.services()["ingest"]["filling"] is None, "all of the past")
        for name in ("ingest", "api", "sink", "stream_analytics", "alerting", "ui"):
            os.kill(running.pid_of(name), signal.SIGKILL)
            news = partial(running.said, f"{name} .*killed by SIGKILL; starting")
            running.wait_until(news, f"that {name} is started again")
        running.wait_until(running.is_healthy, "every service healthy again", within_s=60)
        before = running.count("signals")
        running.wait_until(lambda: running.count("signals") > before + 3, "new signals")
        ids = running.rows(
            "SELECT symbol, count(*), count(DISTINCT trade_id), max(trade_id) - min(trade_id) + 1 FROM ticks GROUP BY 1"
        )
        # Every id from the first to the last, once: nothing was lost while the sink and ingest were away.
        assert all(count == distinct == width for _, count, distinct, width in ids)
        pid = running.process.pid
        os.kill(pid, signal.SIGKILL)
        running.process.wait(10)
        running.wait_until(lambda: running.survivors() == [], "no process left after a kill of the parent")


@pytest.mark.parametrize(
    ("flags", "environ", "message"),
    [
        (["--feed", "synthetic", "--symbols", "BTCUSDT,NOSUCH"], {}, "NOSUCH"),
        (["--feed", "synthetic", "--pairs", "BTCUSDT"], {}, "PAIRSTREAM_PAIRS: expected a pair Y-X"),
        (["--feed", "synthetic", "--pairs", "SOLUSDT-BTCUSDT"], {}, "PAIRSTREAM_PAIRS: expected legs among"),
        (["--replay-file", "/nowhere/frames.txt"], {}, "/nowhere/frames.txt"),
        (["--feed", "replay"], {}, "PAIRSTREAM_REPLAY_FILE"),
        (
            ["--feed", "synthetic", "--speed", "fast"],
            {},
            "PAIRSTREAM_SPEED: expected a number above 0 or max",
        ),
        (["--feed", "synthetic"], {"PAIRSTREAM_WINDOW": "many"}, "PAIRSTREAM_WINDOW: .*'many'"),
        (["--feed", "synthetic"], {"PAIRSTREAM_LOG_LEVEL": "loud"}, "PAIRSTREAM_LOG_LEVEL: .*'loud'"),
    ],
)
def test_bad_input_is_one_line_and_nothing_starts(
    data_dir: Path, flags: list[str], environ: dict[str, str], message: str
) -> None:
    refused(data_dir, flags, message, environ)
    assert not (data_dir / "postgresql").exists()


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


@pytest.mark.parametrize("flag", ["--api-port", "--ui-port"])
def test_a_port_in_use_is_refused(data_dir: Path, taken_port: int, flag: str) -> None:
    refused(
        data_dir,
        ["--feed", "synthetic", flag, str(taken_port)],
        f"{flag}: expected a free port, but {taken_port}",
    )
