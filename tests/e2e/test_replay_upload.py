"""Controls of the upload page over a running pipeline: the API then has what was stored."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from services.common.clock import MINUTE, SECOND, to_iso
from tests.e2e.conftest import OpenPage
from tests.e2e.replayed import LOAD_S, saved, says
from tests.e2e.stage import Dashboard, until
from tests.e2e.test_pairs_side import choose as select
from tests.e2e.test_upload import candles, choose, rows
from tests.pipeline import Pipeline

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

HEADER = "time,symbol,open,high,low,close,volume"
START_US = 1_714_521_600 * SECOND
BARS = 600
GERMAN = "Tag;Zeit;Was;Auf;Hoch;Tief;Zu;Menge\n" + "".join(
    f"01/05/2024;00:{minute:02};BTCUSDT;1,5;2,5;1,25;2,{minute:02};3\n" for minute in range(30)
)
GERMAN_COLUMNS = dict(
    zip(
        ("time", "clock", "symbol", "open", "high", "low", "close", "volume"),
        GERMAN.partition("\n")[0].split(";"),
        strict=True,
    )
)
UPLOAD_BYTES_S = 2 << 20


def minutes(symbol: str, level: float, gap: int = 0) -> str:
    """Return bars of one minute that follow a walk of their own; `gap` minutes are missing in the middle."""
    dice, market, lines = random.Random(7), 0.0, []
    noise = random.Random(symbol)
    for minute in range(BARS):
        market += dice.gauss(0, 1e-3)
        close = level * (1 + market + noise.gauss(0, 1e-3))
        if not BARS // 2 <= minute < BARS // 2 + gap:
            prices = f"{close:.2f},{close * 1.001:.2f},{close * 0.999:.2f},{close:.2f}"
            lines.append(f"{to_iso(START_US + minute * MINUTE)},{symbol},{prices},{1 + minute % 5}")
    return "\n".join((HEADER, *lines)) + "\n"


@pytest.fixture
def clean(running: Pipeline) -> Iterator[None]:
    """Leave no dataset."""
    yield
    for one in running.get("/v1/datasets")["data"]:
        httpx.delete(f"{running.api}/v1/datasets/{one['dataset_id']}").raise_for_status()


@pytest.fixture
def upload_page(running: Pipeline, open_page: OpenPage, clean: None) -> Dashboard:
    # The browser itself complains of answers that refuse.
    dashboard = open_page(running.dashboard, "upload", problems=True)
    expect(dashboard.page.locator("#datasets-empty")).to_be_hidden()
    return dashboard


@pytest.fixture
def dataset(running: Pipeline, clean: None) -> str:
    """Return the id of a dataset of two symbols, of which one has a gap."""
    files = [
        ("files", ("both.csv", minutes("BTCUSDT", 60_000))),
        ("files", ("eth.csv", minutes("ETHUSDT", 3_000, 3))),
    ]
    answer = httpx.post(f"{running.api}/v1/datasets", files=files, data={"name": "both"}, timeout=LOAD_S)
    return str(answer.raise_for_status().json()["dataset_id"])


def stored(running: Pipeline) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in running.get("/v1/datasets")["data"]}


def test_files_are_stored_as_the_page_says(running: Pipeline, upload_page: Dashboard, tmp_path: Path) -> None:
    page = upload_page.page
    good, bad = tmp_path / "BTCUSDT-1m.csv", tmp_path / "eth.csv"
    good.write_text(minutes("BTCUSDT", 60_000))
    bad.write_text(minutes("ETHUSDT", 3_000, 3) + "2024-05-01T10:00:00Z,ETHUSDT,x,2,1,2,3\n")
    choose(upload_page, good, bad)
    found = page.locator("#upload-found")
    expect(found).to_contain_text("2 files: BTCUSDT, ETHUSDT, bars of 1 min")
    expect(found).to_contain_text("1 of them are invalid")
    expect(page.locator("#upload-findings")).to_contain_text("eth.csv:599 rejected")
    page.locator("#upload-discard").click()
    expect(page.locator("#upload-example")).to_be_visible()
    assert stored(running) == {}
    choose(upload_page, good, bad)
    expect(found).to_contain_text("2 files")
    page.locator("#file-name").fill("may")
    page.locator("#upload-go").click()
    expect(page.locator("#dataset-done")).to_have_text("Stored.", timeout=1000 * LOAD_S)
    known = running.get(f"/v1/datasets/{stored(running)['may']['dataset_id']}")
    assert (known["bars"], known["rejected"], known["gaps"], known["missing"]) == (2 * BARS - 3, 1, 1, 3)
    counts = page.locator("#dataset-counts .card-value").all_inner_texts()
    names = (
        "bars",
        "rejected",
        "skipped",
        "adjusted",
        "odd",
        "repeated",
        "out_of_order",
        "missing",
        "carried",
    )
    assert all(says(text, known[name]) for text, name in zip(counts, names, strict=True)), counts
    expect(page.locator("#dataset-symbols")).to_contain_text(f"ETHUSDT{BARS - 3}")
    for label, kind in (
        ("Rejected", "rejected"),
        ("Gaps", "gap"),
        ("Repeated", "repeated"),
        ("Out of order", "out"),
    ):
        page.locator("#dataset-kind").get_by_text(label, exact=True).click()
        expect(page.locator("#dataset-report-csv")).to_have_attribute("href", re.compile(f"kind={kind}"))
        link = page.locator("#dataset-report-csv").get_attribute("href")
        lines = saved(running, link).text.splitlines()[1:]
        expect(rows(upload_page, "dataset-findings")).to_have_count(len(lines))
        assert len(lines) == (1 if kind in ("rejected", "gap") else 0)
    page.locator("#dataset-kind").get_by_text("All", exact=True).click()
    expect(rows(upload_page, "dataset-findings")).to_have_count(2)
    with page.expect_download() as download:
        page.locator("#dataset-report-csv").click()
    assert "rejected,eth.csv,599" in download.value.path().read_text()
    with page.expect_download() as download:
        page.locator("#datasets-csv").click()
    assert f"{known['dataset_id']},may,60.0,{known['bars']}," in download.value.path().read_text()
    page.locator("#upload-new").click()
    choose(upload_page, good, bad)
    expect(found).to_contain_text("2 files")
    page.locator("#file-name").fill("may")
    page.locator("#upload-go").click()
    expect(page.locator("#dataset-done")).to_contain_text("there already")
    assert len(stored(running)) == 1


def test_how_a_file_is_read_is_corrected(running: Pipeline, upload_page: Dashboard, tmp_path: Path) -> None:
    page = upload_page.page
    web = tmp_path / "page.csv"
    web.write_text("<!doctype html>")
    choose(upload_page, web)
    wrong = page.locator("#upload-wrong")
    expect(wrong).to_have_text("page.csv:1: expected a csv of bars, received a web page.")
    expect(page.locator("#upload-go")).to_be_hidden()
    file = tmp_path / "german.csv"
    file.write_text(GERMAN)
    choose(upload_page, file)
    expect(wrong).to_contain_text("german.csv:1: expected a header that names a time")
    page.locator(".mapping summary").click()
    for name, column in GERMAN_COLUMNS.items():
        page.locator(f"#column-{name}").fill(column)
    page.locator("#file-time_format").fill("%d/%m/%Y %H:%M")
    page.locator("#file-zone").fill("Mars")
    expect(page.locator("#upload-panel .mantine-Autocomplete-error")).to_contain_text("Expected a zone")
    page.locator("#file-zone").fill("Asia/Tokyo")
    select(upload_page, "file-delimiter", "semicolon")
    select(upload_page, "file-decimal", ",")
    reading = page.locator("#upload-readings")
    expect(reading).to_contain_text("%d/%m/%Y %H:%M, Asia/Tokyo if without a zone")
    expect(reading).to_contain_text("clock = Zeit")
    expect(page.locator("#upload-found")).to_contain_text("BTCUSDT, bars of 1 min")
    page.locator("#column-symbol").fill("")
    page.locator("#file-symbols").fill("SOLUSDT")
    expect(page.locator("#upload-found")).to_contain_text("SOLUSDT, bars of 1 min")
    page.locator("#file-name").fill("german")
    page.locator("#upload-go").click()
    expect(page.locator("#dataset-done")).to_have_text("Stored.", timeout=1000 * LOAD_S)
    known = stored(running)["german"]
    # Midnight in Tokyo.
    assert (known["first_us"], known["bars"]) == (START_US - 9 * 60 * MINUTE, 30)
    bars = running.get(f"/v1/bars?dataset={known['dataset_id']}&symbol=SOLUSDT&limit=100")["data"]
    assert [bar["close"] for bar in bars] == [float(f"2.{minute:02}") for minute in range(30)]
    page.locator("#upload-new").click()
    epoch = tmp_path / "epoch.csv"
    epoch.write_text("time,close\n" + "".join(f"{1_714_521_600 + 60 * n},{n + 1}\n" for n in range(5)))
    choose(upload_page, epoch)
    expect(page.locator("#upload-found")).to_contain_text("1 file: EPOCH, bars of 1 min")
    page.locator("#file-symbols").fill("ETHUSDT")
    expect(page.locator("#upload-found")).to_contain_text("1 file: ETHUSDT")
    expect(reading).to_contain_text("s since 1970")
    select(upload_page, "file-time_unit", "ms")
    expect(page.locator("#upload-bars")).to_contain_text("1970-01-20")


def test_an_upload_can_be_cancelled_and_dropped_files_are_taken(
    running: Pipeline, upload_page: Dashboard, tmp_path: Path
) -> None:
    page = upload_page.page
    large = tmp_path / "large.csv"
    large.write_text(minutes("BTCUSDT", 60_000) * 400)
    choose(upload_page, large)
    expect(page.locator("#upload-found")).to_contain_text("1 file: BTCUSDT")
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": UPLOAD_BYTES_S}
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", slow)
    page.locator("#upload-go").click()
    expect(page.locator("#upload-sent")).to_contain_text("Sent ")
    share = until(lambda: float(page.locator("#upload-progress").get_attribute("value") or 0), LOAD_S)
    assert 0 < share < 1
    page.locator("#upload-cancel").click()
    expect(page.locator("#upload-found")).to_contain_text("Cancelled: nothing was stored")
    assert stored(running) == {}
    page.evaluate(
        """text => {
            const dropped = new DataTransfer();
            dropped.items.add(new File([text], 'dropped.csv'));
            document.getElementById('upload-drop').dispatchEvent(
                new DragEvent('drop', { dataTransfer: dropped, bubbles: true, cancelable: true }));
        }""",
        minutes("SOLUSDT", 140),
    )
    expect(page.locator("#upload-readings")).to_contain_text("dropped.csv")
    page.locator("#upload-discard").click()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#upload-copy").click()
    expect(page.locator("#upload-copied")).to_have_text("Copied")
    example = tmp_path / "example.csv"
    example.write_text(page.evaluate("() => navigator.clipboard.readText()"))
    choose(upload_page, example)
    page.locator("#upload-go").click()
    expect(page.locator("#dataset-title")).to_have_text("example", timeout=1000 * LOAD_S)
    assert stored(running)["example"]["bars"] == 4


def test_candles_of_a_dataset_are_the_bars_of_the_api(
    running: Pipeline, open_page: OpenPage, dataset: str
) -> None:
    dashboard = open_page(running.dashboard, f"upload?dataset={dataset}&symbol=ETHUSDT&bars=500")
    page = dashboard.page

    def same(symbol: str, interval: str, limit: int, **more: int) -> None:
        params: dict[str, str | int] = {"dataset": dataset, "symbol": symbol, "limit": limit, **more}
        params |= {} if interval == "own" else {"interval": interval}
        answer = httpx.get(f"{running.api}/v1/bars", params=params).raise_for_status().json()["data"]
        expected = [(bar["start_us"] // SECOND, bar["open"], bar["close"]) for bar in answer]
        assert expected

        def drawn() -> bool:
            data = candles(dashboard)[0]["data"]
            return [(bar["time"], bar["open"], bar["close"]) for bar in data] == expected

        until(drawn, LOAD_S)
        expect(page.locator("#dataset-coverage")).to_contain_text(f"{len(expected)} bars of {symbol}")

    same("ETHUSDT", "own", 500)
    page.locator("#dataset-bars").get_by_text("2\N{NARROW NO-BREAK SPACE}000").click()
    same("ETHUSDT", "own", 2000)
    select(dashboard, "dataset-symbol", "BTCUSDT")
    same("BTCUSDT", "own", 2000)
    page.locator("#dataset-interval").get_by_text("5m").click()
    same("BTCUSDT", "5m", 2000)
    page.locator("#dataset-before").fill("2024-05-01 05:00")
    same("BTCUSDT", "5m", 2000, end=START_US + 300 * MINUTE)
    box = page.locator("#chart-dataset").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#dataset-legend")).to_have_text(re.compile(r"^O 6\d.* V \d"))
    with page.expect_download() as download:
        page.locator("#dataset-csv").click()
    link = page.locator("#dataset-csv").get_attribute("href")
    assert download.value.path().read_bytes() == saved(running, link).content
    page.locator("#dataset-before").fill("yesterday")
    expect(page.locator(".mantine-TextInput-error")).to_contain_text("Expected a time such as")


def test_a_dataset_is_chosen_in_the_table_and_deleted_from_the_api(
    running: Pipeline, upload_page: Dashboard, dataset: str
) -> None:
    page = upload_page.page
    page.reload()
    line = page.locator("#datasets-table .ag-row[row-id='" + dataset + "']").first
    expect(line).to_contain_text("both")
    line.click()
    expect(page.locator("#dataset-title")).to_have_text("both")
    page.locator("#dataset-show").get_by_text("Report", exact=True).click()
    expect(page.locator("#dataset-facts")).to_contain_text(
        f"{2 * BARS - 3:,} bars of 1 min".replace(",", "\u202f")
    )
    page.locator("#upload-new").click()
    line.locator(".ag-cell").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dataset-title")).to_have_text("both")
    for button in ("#delete-no", "[role=dialog] [aria-label=Close]"):
        page.locator("#dataset-delete").click()
        page.locator(button).click()
        expect(page.locator("#delete-words")).to_be_hidden()
        assert "both" in stored(running)
    page.locator("#dataset-delete").click()
    page.locator("#delete-yes").click()
    expect(line).to_have_count(0)
    assert stored(running) == {}
    expect(page.locator("#upload-choose")).to_be_visible()
