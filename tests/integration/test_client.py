"""Python client, code of the README, notebook and programs page, on a running pipeline."""

import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pairstream_client
import pytest
from pairstream_client import Alert, Bar, Client, Incident, ProblemError, Signal, Tick

from services.api.models import alerts, incidents, market, pairs
from services.ui.pages.programs.routes import groups
from services.ui.pages.programs.snippets import SNIPPETS, Snippet, filled
from tests.pipeline import Pipeline, pipeline

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]
PAIR = "ETHUSDT-BTCUSDT"
# Routes of things that nobody has made here.
STORED_BY_USERS = re.compile(r"\{(dataset|job|radar|id|alert_id)\}")


@pytest.fixture(scope="module")
def running() -> Iterator[Pipeline]:
    with tempfile.TemporaryDirectory(prefix="pairstream-test-") as directory:
        Path(directory).chmod(0o755)  # PostgreSQL's own user has to reach it
        with pipeline(Path(directory), "--feed", "synthetic", "--seed", 7) as started:
            started.wait_until(lambda: started.count("signals") > 300, "signals")
            yield started


@pytest.fixture
def client(running: Pipeline) -> Iterator[Client]:
    with Client(running.api) as opened:
        yield opened


def test_the_lines_of_the_readme_print_a_frame(running: Pipeline) -> None:
    (lines,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len([line for line in lines.splitlines() if line]) <= 5
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", lines],
        env={"PYTHONPATH": str(ROOT / "docs/client"), "PAIRSTREAM_API_URL": running.api},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"count +\d{2,}", done.stdout), done.stdout
    assert "zscore" in done.stdout


def test_the_notebook_reproduces_the_signals(running: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRSTREAM_API_URL", running.api)
    notebook = json.loads((ROOT / "docs/notebooks/reproduce_a_signal.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in cells), "expected a notebook without outputs"
    names: dict[str, Any] = {}
    for cell in cells:
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)  # noqa: S102
    names["client"].close()
    assert len(names["judged"]) == names["JUDGED"]
    assert set(names["difference"].index) == {"hedge_ratio", "intercept", "spread", "zscore", "correlation"}
    assert names["difference"].max() < 1e-9


def test_a_range_is_read_whole_however_many_pages_it_has(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairstream_client, "PAGE_ROWS", 50)
    end = datetime.now(UTC) - timedelta(seconds=10)
    start = end - timedelta(seconds=60)
    ticks = client.ticks("BTCUSDT", start, end)
    ids = [tick["trade_id"] for tick in ticks]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert len(list(client.pages("/v1/ticks", symbol="BTCUSDT", start=start, end=end))) > 1
    assert ticks == list(client.ticks("BTCUSDT", start.isoformat(), end.isoformat(), limit=9_000))
    assert client.ticks("BTCUSDT", start, end, limit=70) == ticks[:70]
    assert ticks.feed == "synthetic"
    frame = ticks.frame()
    assert (frame.index.name, str(frame.index.tz), len(frame)) == ("event_time", "UTC", len(ticks))
    assert [int(moment.timestamp() * 1e6 + 0.5) for moment in frame.index[:5]] == [
        tick["event_us"] for tick in ticks[:5]
    ]


def test_without_a_start_the_newest_rows_come(client: Client) -> None:
    end = datetime.now(UTC) - timedelta(seconds=10)
    signals = client.signals(PAIR, end=end, limit=20)
    assert len(signals) == 20
    assert [row["event_us"] for row in signals] == sorted(row["event_us"] for row in signals)
    assert client.signals(PAIR, signals[0]["event_us"], end) == signals
    assert len(client.bars("BTCUSDT", "1s", limit=3)) == 3


def test_the_work_of_a_signal_says_what_the_signal_says(client: Client) -> None:
    signal = client.signals(PAIR, end=datetime.now(UTC) - timedelta(seconds=10), limit=1)[0]
    for moment in (signal["event_us"], signal["event_time"], datetime.fromisoformat(signal["event_time"])):
        work = client.work(PAIR, moment)
        assert (work["zscore"], work["agrees"]) == (signal["zscore"], True)
    assert client.calibration(PAIR)["pair"] == PAIR


def test_the_rows_have_the_fields_of_the_api() -> None:
    of_alerts = ((Alert, alerts.Alert), (Incident, incidents.Incident))
    models = ((Tick, market.Tick), (Bar, market.Bar), (Signal, pairs.Signal), *of_alerts)
    for typed, model in models:
        assert list(typed.__annotations__) == list(model.model_fields)


def test_incidents_are_those_of_the_route(client: Client) -> None:
    found = client.incidents(limit=5, rule="zscore-threshold")
    assert {one["rule"] for one in found} <= {"zscore-threshold"}
    assert client.incidents(rule="nobody-has-it") == []


def test_a_refusal_is_an_error_with_the_text_of_the_problem(client: Client) -> None:
    with pytest.raises(
        ProblemError, match=r"404 Unknown symbol: expected one of .*, received 'BTCUSDX'"
    ) as refused:
        client.ticks("btcusdx", "2026-01-01T00:00:00Z")
    assert (refused.value.status, refused.value.problem["near"]) == (404, ["BTCUSDT"])


def test_pairs_are_watched_changed_and_dropped(client: Client) -> None:
    name = "BTCUSDT-ETHUSDT"
    assert client.put_pair(name, window=60)["window"] == 60
    assert client.change("PATCH", f"/v1/pairs/{name}", paused=True)["paused"]
    assert {pair["pair"] for pair in client.pairs()} == {PAIR, name}
    client.delete_pair(name)
    with pytest.raises(ProblemError, match="404 Unknown pair"):
        client.pair(name)


def test_a_dataset_is_uploaded_and_analysed(client: Client, tmp_path: Path) -> None:
    for symbol, step in (("AAAUSDT", 7), ("BBBUSDT", 11)):
        rows = [f"2021-01-01T{n // 60:02}:{n % 60:02}:00Z,{100 + n * step % 13}" for n in range(600)]
        (tmp_path / f"{symbol}.csv").write_text("\n".join(["time,close", *rows]))
    dataset = client.upload("two-legs", *sorted(tmp_path.iterdir()))
    assert dataset["bars"] == 1_200
    bars = client.bars("AAAUSDT", start="2021-01-01T00:00:00Z", dataset=dataset["dataset_id"])
    assert [bar["close"] for bar in bars] == [100 + n * 7 % 13 for n in range(600)]
    analysis = client.analysis("AAAUSDT-BBBUSDT", dataset="two-legs", series=False, limit=600)
    assert analysis["bars"] == 600


def test_the_stream_begins_with_a_snapshot_and_goes_on(client: Client) -> None:
    stream = client.stream(topics=["ticks"], symbols=["BTCUSDT"], interval_ms=0)
    first, second = next(stream), next(stream)
    assert (first["type"], second["type"]) == ("snapshot", "update")
    assert {tick["symbol"] for tick in second["ticks"]} == {"BTCUSDT"}
    stream.close()


PRINTS = {
    "http": r"\d{4}-\d\d-\d\dT\S+ \d+\.\d+ (True|False) \d\.\d+$",
    "client": r" +spread +zscore$",
    "websocket": r'{"type":"snapshot"',
    "events": "event: snapshot$",
    "kafka": r"b'ETHUSDT-BTCUSDT' b'{\"pair\":",
}


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.key)
def test_an_example_of_the_page_for_programs_prints_what_it_says(snippet: Snippet, running: Pipeline) -> None:
    program = filled(snippet.text, running.api, "BTCUSDT", PAIR, running.brokers)
    environment = {"PYTHONPATH": str(ROOT / "docs/client"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.kill()
    assert re.match(PRINTS[snippet.key], line), line


def test_the_lines_for_curl_of_the_page_for_programs_are_answered(running: Pipeline) -> None:
    second = running.get(f"/v1/pairs/{PAIR}/signals?limit=1")["data"][0]["event_time"]
    known = {"symbol": "BTCUSDT", "pair": PAIR, "time": second}
    routes = [
        route for group in groups(running.get("/openapi.json"), running.api, known) for route in group.routes
    ]
    asked = [route for route in routes if route.method == "GET" and not STORED_BY_USERS.search(route.path)]
    assert len(asked) > 10
    for route in asked:
        (url,) = (word for word in shlex.split(route.curl) if word.startswith(running.api))
        with httpx.stream("GET", url, timeout=30) as answer:
            assert answer.status_code == 200, url
