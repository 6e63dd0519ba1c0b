"""Commands import, export and reconcile on the embedded database."""

import asyncio
import csv
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pyarrow.parquet
import pytest

from services.cli.__main__ import main
from services.common.clock import MINUTE
from services.common.codec import encode
from services.common.settings import DatabaseSettings
from services.contracts.messages import Tick
from services.datasets.tables import bars_relation
from services.store import database
from services.store.bars.timescale import catch_up
from tests import builders
from tests.contract.store import assert_bars, recompute, select
from tests.pipeline import RECORDING, recorded_trades
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

START_MS = 1_704_067_200_000
HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"


def tick(number: int) -> Tick:
    at_us = (START_MS + number * 37) * 1_000
    return builders.tick(
        trade_id=number,
        event_us=at_us,
        price=65_000 + number % 977 / 10,
        size=0.001 * (1 + number % 13),
        buyer_is_maker=number % 2 == 0,
    )


def row(one: Tick) -> str:
    maker = str(one.buyer_is_maker).lower()
    return f"{one.trade_id},{one.price!r},{one.size!r},1,1,{one.event_us // 1_000},{maker}"


def archive(directory: Path, rows: Sequence[str]) -> Path:
    path = directory / "BTCUSDT-aggTrades-2024-01-01.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


class Commands:
    """Runs ``pairstream`` commands in this process, which saves each a second, on the test's database."""

    def __init__(self, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self._patch = patch
        self._capture = capture

    def __call__(self, *arguments: str | Path, fails: bool = False) -> str:
        """Return what a command writes to standard output; `fails` says whether it ends with an error."""
        self._patch.setattr(sys, "argv", ["pairstream", *map(str, arguments)])
        self._capture.readouterr()
        error: object = None
        try:
            main()
        except SystemExit as ended:
            error = ended.code
        assert bool(error) == fails, error
        return self._capture.readouterr().out


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    """Return what runs a command."""
    monkeypatch.setenv("PAIRSTREAM_DATABASE_URL", database_url)
    return Commands(monkeypatch, capsys)


def test_an_import_that_is_killed_goes_on_where_it_was(
    tmp_path: Path, database_url: str, run: Commands
) -> None:
    ticks = [tick(number) for number in range(150_000)]
    path = archive(tmp_path, [row(one) for one in ticks])

    killed = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "import", path], stderr=subprocess.DEVNULL
    )
    with psycopg.connect(database_url, autocommit=True) as connection:
        progress = "SELECT FROM stream_offsets WHERE next_offset > 50000"
        wait_until(lambda: connection.execute(progress).fetchone() is not None, "some batches")
        killed.kill()
        killed.wait()
        stored = connection.execute("SELECT count(*) FROM ticks").fetchone()
        assert stored is not None
        assert 0 < stored[0] < len(ticks), "killed in the middle"

    out = run("import", path)
    # Of the first part at most the batch is read again whose end was not remembered.
    (read,) = (int(word.replace(",", "")) for word in out.partition(": ")[2].split()[:1])
    assert len(ticks) - stored[0] <= read <= len(ticks) - stored[0] + 25_000
    assert_bars(database_url, ticks)
    assert len(select(database_url, "ticks")) == len(ticks)
    assert select(database_url, "stream_offsets") == []


def test_what_is_not_stored_is_reported_with_its_line(
    tmp_path: Path, database_url: str, run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = [tick(number) for number in range(6)]
    rows = [row(one) for one in ticks]
    other = row(tick(2)).replace(",0.003,", ",0.004,")
    moved = row(tick(3)).replace(str(START_MS + 3 * 37), str(START_MS + 3 * 37 + 1))
    report = tmp_path / "report.txt"
    path = archive(tmp_path, [*rows[:5], rows[1], "rubbish", other, moved, rows[5]])

    out = run("import", path, "--report", report)
    assert "9 ticks read, 6 stored" in out
    assert sorted(line.split(": ")[0:2] for line in report.read_text().splitlines()) == [
        [f"{path}:7", "out of order"],
        [f"{path}:7", "repeated"],
        [f"{path}:8", "rejected"],
        [f"{path}:9-10", "conflicting"],
    ]
    assert_bars(database_url, ticks)

    again = run("import", path)
    assert "9 ticks read, 0 stored" in again
    assert_bars(database_url, ticks)
    monkeypatch.setenv("PAIRSTREAM_RETENTION_TICKS", "60d")
    old = run("import", path, "--report", report)
    assert "0 ticks read" in old
    assert "PAIRSTREAM_RETENTION_TICKS" in report.read_text()


def test_recorded_frames_ndjson_and_a_dataset(tmp_path: Path, database_url: str, run: Commands) -> None:
    trades = recorded_trades(RECORDING, {"BTCUSDT", "ETHUSDT", "SOLUSDT"})
    ndjson = tmp_path / "ticks.ndjson"
    late = [tick(number) for number in range(3, 0, -1)]
    ndjson.write_bytes(b"\n".join(map(encode, late)))
    bars = tmp_path / "ETHUSDT-1h.csv"
    bars.write_text(
        "time,open,high,low,close,volume\n"
        "2024-01-01 01:00,2,3,1,2,5\n2024-01-01,2,3,1,2,\n2024-01-01 01:00,9,9,9,9,9\n2024,1\n"
    )
    report = tmp_path / "report.txt"

    out = run("import", RECORDING, ndjson, bars, "--report", report)
    assert "1 rejected, 3 out of order, 1 repeated" in out
    assert_bars(database_url, [*trades, *late])
    assert len(select(database_url, "ticks")) == len({(t.symbol, t.event_us, t.trade_id) for t in trades}) + 3
    ((identity, name, _, width, count, _, files, findings),) = select(database_url, "datasets")
    assert (name, files[0]["name"], width.total_seconds(), count) == ("ETHUSDT-1h", bars.name, 3_600, 2)
    assert findings == {"rejected": 1, "out of order": 1, "repeated": 1}
    rows = select(database_url, bars_relation(identity))
    assert [(row[0], *row[2:7]) for row in rows] == [
        ("ETHUSDT", 2.0, 3.0, 1.0, 2.0, None),
        ("ETHUSDT", 2.0, 3.0, 1.0, 2.0, 5.0),
    ]
    assert f"{bars}:4: repeated" in report.read_text()

    assert "is there already" in run("import", bars)
    bars.write_text("time,open,high,low,close\n2024-01-01,1,1,1,1\n2024-01-02,1,1,1,1\n")
    run("import", bars, fails=True)
    run("import", bars, "--dataset", "daily")
    assert len(select(database_url, "datasets")) == 2
    bars.write_text("time,close,volume\n2024-01-01,1,2\n2024-01-02,1,0\n2024-01-03,1,0\n")
    assert "2 of them carried: nothing traded in them" in run("import", bars, "--dataset", "filled")


@pytest.fixture
def stored(tmp_path: Path, run: Commands) -> list[Tick]:
    """Return the ticks that are in the store, imported with their bars."""
    ticks = [tick(number) for number in range(6_000)]
    run("import", archive(tmp_path, [row(one) for one in ticks]))
    return ticks


def test_an_export_holds_what_is_stored(tmp_path: Path, stored: list[Tick], run: Commands) -> None:
    end = "2024-01-01T00:03:00Z"
    out = tmp_path / "ticks.csv.gz"
    run("export", "ticks", "--output", out)
    again = run("import", out, fails=True)  # what people will try: it says what it takes
    assert again == ""
    ticks, bars = tmp_path / "ticks.parquet", tmp_path / "bars.csv"
    run("export", "ticks", "--symbol", "btcusdt", "--end", end, "--output", ticks)
    expected = [one for one in stored if one.event_us < START_MS * 1_000 + 3 * MINUTE]
    table = pyarrow.parquet.read_table(ticks)
    assert table["trade_id"].to_pylist() == [one.trade_id for one in expected]
    assert table["price"].to_pylist() == [one.price for one in expected]
    run("export", "bars", "--interval", "1m", "--output", bars)
    with bars.open() as file:
        rows = list(csv.DictReader(file))
    minutes = recompute(stored, MINUTE)
    assert [(row["start_time"], int(row["trade_count"])) for row in rows] == [
        (f"2024-01-01T00:0{number}:00.000000Z", len(one)) for number, one in enumerate(minutes.values())
    ]
    assert [(row["closed"], row["coverage"]) for row in rows[:-1]] == [("true", "1")] * (len(rows) - 1)
    covered = stored[-1].event_us % MINUTE / MINUTE
    assert rows[-1]["closed"] == "false"
    assert float(rows[-1]["coverage"]) == pytest.approx(covered)
    run("export", "signals", "--output", tmp_path / "signals.csv", fails=True)
    assert not (tmp_path / "signals.csv").exists()


def test_reconcile_finds_every_kind_of_difference(
    stored: list[Tick], database_url: str, run: Commands
) -> None:
    assert "0 differ" in run("reconcile")
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM ohlc_1s WHERE ts = '2024-01-01 00:00:07+00'")
        connection.execute(
            "UPDATE ohlc_1m SET close = 1, volume = volume + 1 WHERE ts = '2024-01-01 00:01:00+00'"
        )
        connection.execute(
            "INSERT INTO ohlc_5m SELECT symbol, ts + interval '9 years', open, high, low, close, volume,"
            " quote_volume, trade_count, first_id, last_id FROM ohlc_5m"
        )
    *lines, last = run("reconcile", fails=True).splitlines()
    assert [line.split()[1:4] for line in lines] == [
        ["1s", "2024-01-01T00:00:07.000000Z", "missing:"],
        ["1m", "2024-01-01T00:01:00.000000Z", "close:"],
        ["1m", "2024-01-01T00:01:00.000000Z", "volume:"],
        ["5m", "2033-01-01T00:00:00.000000Z", "surplus:"],
    ]
    assert "3 differ" in last
    assert "0 differ" in run("reconcile", "--interval", "1h")
    assert "1 differ" in run("reconcile", "--interval", "1m", "--end", "2024-01-01T00:01:30Z", fails=True)
    assert "0 differ" in run("reconcile", "--interval", "1m", "--start", "2024-01-01T00:02:00Z")


def kline(at_us: int, trades: Sequence[Tick]) -> list[str | int]:
    prices = [one.price for one in trades]
    edges = [prices[0], max(prices), min(prices), prices[-1]]
    sums = [sum(one.size for one in trades), sum(one.size * one.price for one in trades)]
    return [at_us // 1_000, *map(str, (*edges, sums[0])), 0, str(sums[1]), 1, "0", "0", "0"]


@pytest.fixture
def exchange(stored: list[Tick]) -> Iterator[tuple[str, list[str]]]:
    """Return the URL of a venue whose klines are those of the stored ticks, and the requests it gets."""
    requests: list[str] = []
    minutes = recompute(stored, MINUTE)
    last_ms = stored[-1].event_us // MINUTE * 60_000 + 60_000

    class Klines(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            query = {name: value for name, (value,) in parse_qs(urlsplit(self.path).query).items()}
            first, last = int(query["startTime"]), int(query["endTime"])
            lines = [kline(at_us, trades) for (_, at_us), trades in minutes.items()]
            lines.append([last_ms, "1", "1", "1", "1", "0", 0, "0", 0, "0", "0", "0"])
            body = json.dumps([line for line in lines if first <= int(line[0]) <= last]).encode()
            self.send_response(200 if len(requests) > 1 else 429)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Klines) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", requests
        server.shutdown()


def test_reconcile_asks_the_exchange(
    exchange: tuple[str, list[str]], database_url: str, run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, requests = exchange
    monkeypatch.setenv("PAIRSTREAM_BINANCE_REST_URL", url)
    arguments = ("reconcile", "--exchange", "--interval", "1m", "--end", "2024-01-01T00:10:00Z")
    assert "compared 8 bars: 0 differ" in run(*arguments)
    assert "symbol=BTCUSDT" in requests[-1]
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE ohlc_1m SET quote_volume = 0 WHERE ts = '2024-01-01 00:02:00+00'")
    out = run(*arguments, fails=True)
    assert out.count("BTCUSDT 1m 2024-01-01T00:02:00.000000Z quote_volume: expected") == 2


async def aggregate(url: str) -> None:
    """Aggregate what there is, as a policy does in time; on plain PostgreSQL there is nothing to do."""
    async with database.connect(DatabaseSettings(database_url=url), "test") as connection:
        await catch_up(connection)


def test_history_below_what_is_there_shows_in_bars_at_once(
    tmp_path: Path, store: str, run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRSTREAM_DATABASE_URL", store)
    ticks = [tick(number) for number in range(0, 120_000, 20)]
    run("import", archive(tmp_path, [row(one) for one in ticks[2_000:]]))
    asyncio.run(aggregate(store))
    run("import", archive(tmp_path, [row(one) for one in ticks[:4_000]]))
    assert_bars(store, ticks)
