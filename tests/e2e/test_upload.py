"""Upload page over the fake API."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, until

ROWS = "\n".join(
    [
        "time,symbol,open,high,low,close,volume",
        *(f"2024-05-01T00:{n:02},BTCUSDT,1,2,1,2,3" for n in range(40)),
    ]
)
LARGE_BYTES = 24 << 20


@pytest.fixture
def upload_page(open_page: OpenPage, dashboard_server: Served) -> Dashboard:
    opened = open_page(dashboard_server.url, "upload")
    expect(opened.page.locator("#datasets-empty")).to_be_hidden()
    return opened


@pytest.fixture
def fake(fake_api: Served) -> Iterator[Served]:
    """Yield the fake API, which afterwards takes uploads from everybody again."""
    yield fake_api
    fake_api.post("/fake/datasets")


def choose(dashboard: Dashboard, *paths: Path) -> None:
    with dashboard.page.expect_file_chooser() as chooser:
        dashboard.page.locator("#upload-choose").focus()
        dashboard.page.keyboard.press("Enter")
    chooser.value.set_files(list(paths))


def store(dashboard: Dashboard, path: Path, name: str) -> None:
    choose(dashboard, path)
    dashboard.page.locator("#file-name").fill(name)
    dashboard.page.locator("#upload-go").click()
    expect(dashboard.page.locator("#dataset-title")).to_have_text(name)
    expect(dashboard.page.locator("#dataset-counts")).to_be_visible()


@pytest.fixture
def bars_file(tmp_path: Path) -> Path:
    path = tmp_path / "minutes.csv"
    path.write_text(f"{ROWS}\n2024-05-01T01:00,BTCUSDT,x,2,1,2,3\n")
    return path


@pytest.fixture
def dataset(fake_api: Served) -> str:
    """Return the id of a dataset that is stored."""
    stored = httpx.post(f"{fake_api.url}/v1/datasets", files={"files": ("stored.csv", ROWS)})
    return str(stored.json()["dataset_id"])


def candles(dashboard: Dashboard) -> list[Any]:
    """Return the series of the chart of candles once it has any."""
    return list(until(lambda: dashboard.props("chart-dataset").get("series") or []))


def rows(dashboard: Dashboard, table: str) -> Locator:
    return dashboard.page.locator(f"#{table} .ag-center-cols-container .ag-row")


def test_files_become_a_dataset_with_candles_a_pair_and_a_report(
    upload_page: Dashboard, bars_file: Path, tmp_path: Path
) -> None:
    page = upload_page.page
    other = tmp_path / "more.csv"
    other.write_text(ROWS)
    choose(upload_page, bars_file, other)
    found = page.locator("#upload-found")
    expect(found).to_contain_text("2 files: BTCUSDT, ETHUSDT, bars of 1 min")
    expect(found).to_contain_text("1 of them are invalid")
    expect(page.locator("#upload-bars")).to_contain_text("60\u202f020.3")
    expect(page.locator("#upload-findings")).to_contain_text("minutes.csv:42 rejected: expected a number")
    expect(page.locator("#file-name")).to_have_attribute("placeholder", "minutes")
    page.locator("#file-name").fill("may")
    page.locator("#upload-go").click()
    expect(page.locator("#dataset-done")).to_have_text("Stored.")
    expect(page.locator("#dataset-counts")).to_contain_text("Lines rejected1")
    expect(page.locator("#dataset-counts")).to_contain_text(
        "Bars carried1230.00\u202f%: no trades; analyses leave them out"
    )
    expect(page.locator("#dataset-symbols")).to_contain_text("30.00\u202f%")
    expect(rows(upload_page, "datasets-table").first).to_contain_text("30.00\u202f%")
    expect(rows(upload_page, "dataset-findings")).to_have_count(1)
    with page.expect_download() as saved:
        page.locator("#dataset-report-csv").click()
    assert "rejected,minutes.csv,42" in saved.value.path().read_text()
    page.locator("#dataset-kind").get_by_text("Gaps").click()
    expect(rows(upload_page, "dataset-findings")).to_have_count(0)


@pytest.mark.long
def test_candles_of_a_symbol_at_an_interval(
    open_page: OpenPage, dashboard_server: Served, dataset: str
) -> None:
    opened = open_page(dashboard_server.url, f"upload?dataset={dataset}&bars=500")
    page = opened.page
    series = candles(opened)
    assert [one["id"].split("|")[0] for one in series] == ["candles", "volume"]
    assert len(series[0]["data"]) == 500
    page.locator("#dataset-interval").get_by_text("1h").click()
    until(lambda: "|1h|" in opened.props("chart-dataset")["series"][0]["id"])
    page.locator("#dataset-symbol").click()
    page.get_by_role("option", name="ETHUSDT").click()
    expect(page.locator("#dataset-coverage")).to_contain_text("The newest 500 bars of ETHUSDT")
    page.locator("#dataset-bars").get_by_text("2\u202f000").click()
    expect(page.locator("#dataset-coverage")).to_contain_text("bars of ETHUSDT")
    until(lambda: "|1h|2000|" in opened.props("chart-dataset")["series"][0]["id"])
    with page.expect_download() as saved:
        page.locator("#dataset-csv").click()
    assert f"dataset={dataset}&symbol=ETHUSDT&interval=1h" in saved.value.url


@pytest.mark.long
def test_two_symbols_are_measured_like_a_pair(
    open_page: OpenPage, dashboard_server: Served, dataset: str
) -> None:
    opened = open_page(dashboard_server.url, f"upload?dataset={dataset}&show=pair&bars=500")
    page = opened.page
    expect(page.locator("#study-verdict")).to_contain_text("Cointegrated")
    assert len(opened.props("chart-study")["series"][0]["data"]) == 500
    assert "pair=BTCUSDT-ETHUSDT" in page.url
    page.locator("#dataset-y").click()
    page.get_by_role("option", name="ETHUSDT").click()
    # What closes has options still.
    expect(page.get_by_role("option")).to_have_count(0)
    page.locator("#dataset-x").click()
    page.get_by_role("option", name="BTCUSDT").click()
    expect(page).to_have_url(re.compile("pair=ETHUSDT-BTCUSDT"))
    page.locator("#dataset-interval").get_by_text("5m").click()
    expect(page.locator("#study-coverage")).to_contain_text("500 bars of 300 s")
    until(lambda: opened.props("chart-study")["series"][0]["id"] == "hedge_ratio|ETHUSDT-BTCUSDT|300")


@pytest.mark.long
def test_the_address_leads_back(open_page: OpenPage, dashboard_server: Served, dataset: str) -> None:
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    written = f"{noon:%Y-%m-%d %H:%M}"
    asked = f"dataset={dataset}&symbol=ETHUSDT&interval=5m&bars=500&before={written}"
    again = open_page(dashboard_server.url, f"upload?{asked}")
    series = candles(again)
    assert series[0]["id"].startswith(f"candles|{dataset}|ETHUSDT|5m|500|")
    assert series[0]["data"][-1]["time"] == noon.timestamp() - 300
    expect(again.page.locator("#dataset-before")).to_have_value(written)
    again.page.locator("#dataset-before").fill("yesterday")
    expect(again.page.locator(".mantine-TextInput-error")).to_contain_text("Expected a time such as")
    expect(
        again.page.locator(f"#datasets-table .ag-center-cols-container [row-id='{dataset}']")
    ).to_have_class(re.compile("ag-row-selected"))


@pytest.mark.long
def test_a_dataset_is_chosen_in_the_table_and_deleted(
    upload_page: Dashboard, bars_file: Path, fake: Served
) -> None:
    page = upload_page.page
    store(upload_page, bars_file, "short-lived")
    page.locator("#upload-new").click()
    expect(page.locator("#upload-choose")).to_be_visible()
    row = page.locator("#datasets-table .ag-row", has_text="short-lived").first
    row.click()
    expect(page.locator("#dataset-title")).to_have_text("short-lived")
    page.locator("#dataset-delete").click()
    expect(page.locator("#delete-words")).to_contain_text("short-lived: 40 bars of 1 min")
    page.locator("#delete-no").click()
    expect(page.locator("#delete-words")).to_be_hidden()
    fake.post("/fake/datasets", role="read")
    page.locator("#dataset-delete").click()
    page.locator("#delete-yes").click()
    expect(page.locator("#delete-wrong")).to_contain_text(
        "Not deleted. Expected a caller with the role write"
    )
    fake.post("/fake/datasets")
    page.locator("#delete-yes").click()
    expect(row).to_have_count(0)
    expect(page.locator("#upload-choose")).to_be_visible()
    assert "dataset=" not in page.url


@pytest.mark.long
def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(
    upload_page: Dashboard, tmp_path: Path, fake: Served
) -> None:
    page = upload_page.page
    large = tmp_path / "large.csv"
    large.write_text((ROWS + "\n") * (LARGE_BYTES // len(ROWS)))
    before = fake.post("/fake/datasets", slow=True)["stored"]
    choose(upload_page, large)
    page.locator("#upload-go").click()
    expect(page.locator("#upload-sent")).to_contain_text("of 24.0 MiB")
    share = until(lambda: float(page.locator("#upload-progress").get_attribute("value") or 0))
    assert 0 < share < 1
    page.locator("#upload-cancel").click()
    expect(page.locator("#upload-found")).to_contain_text("Cancelled: nothing was stored")
    assert fake.post("/fake/datasets")["stored"] == before
    page.locator("#upload-go").click()
    expect(page.locator("#dataset-done")).to_have_text("Stored.")


@pytest.mark.long
def test_what_is_wrong_is_said_where_it_is(
    dashboard_server: Served, open_page: OpenPage, bars_file: Path, tmp_path: Path, fake: Served
) -> None:
    # The browser itself complains of answers that refuse.
    dashboard = open_page(dashboard_server.url, "upload", problems=True)
    page = dashboard.page
    html = tmp_path / "page.csv"
    html.write_text("<!doctype html>")
    choose(dashboard, html)
    wrong = page.locator("#upload-wrong")
    expect(wrong).to_have_text("page.csv:1: expected a csv of bars, received a web page.")
    expect(page.locator("#upload-go")).to_be_hidden()
    choose(dashboard, bars_file)
    expect(page.locator("#upload-go")).to_be_visible()
    expect(wrong).to_be_hidden()
    page.locator(".mapping summary").click()
    page.locator("#file-zone").fill("Mars")
    expect(page.locator("#upload-panel .mantine-Autocomplete-error")).to_contain_text(
        "Expected a zone such as UTC"
    )
    page.locator("#file-zone").fill("Asia/Tokyo")
    expect(page.locator("#upload-readings")).to_contain_text("Asia/Tokyo if without a zone")
    page.locator("#column-close").click()
    page.get_by_role("option", name="volume", exact=True).click()
    expect(page.locator("#upload-readings")).to_contain_text("close = volume")
    page.locator("#file-delimiter").click()
    page.get_by_role("option", name="semicolon").click()
    expect(page.locator("#upload-readings")).to_contain_text("semicolon")
    page.locator("#file-name").fill("taken")
    page.locator("#upload-go").click()
    expect(wrong).to_contain_text("Expected a name that is free")
    fake.post("/fake/datasets", role="read")
    page.locator("#upload-go").click()
    expect(wrong).to_contain_text("PAIRSTREAM_API_KEY must be one with the role write")
    page.locator("#upload-discard").click()
    expect(page.locator("#upload-example")).to_be_visible()


@pytest.mark.long
def test_what_a_file_does_not_tell_is_asked_and_answered_by_a_button(
    dashboard_server: Served, open_page: OpenPage, tmp_path: Path
) -> None:
    dashboard = open_page(dashboard_server.url, "upload", problems=True)
    page = dashboard.page
    asked = tmp_path / "asked.csv"
    asked.write_text(f"asked {ROWS}")
    choose(dashboard, asked)
    expect(page.locator("#upload-wrong")).to_contain_text("expected a date that tells day from month")
    expect(page.locator("#upload-question")).to_contain_text("60\u202f020.3")
    page.locator("#upload-question").get_by_text("date_order = mdy").click()
    expect(page.locator("#upload-found")).to_contain_text("1 file: BTCUSDT, ETHUSDT")
    expect(page.locator("#upload-question")).to_be_empty()
    expect(page.locator("#file-date_order")).to_have_value("mdy")


@pytest.mark.long
def test_files_can_be_dropped(upload_page: Dashboard) -> None:
    upload_page.page.evaluate(
        """text => {
            const dropped = new DataTransfer();
            dropped.items.add(new File([text], 'dropped.csv'));
            document.getElementById('upload-drop').dispatchEvent(
                new DragEvent('drop', { dataTransfer: dropped, bubbles: true, cancelable: true }));
        }""",
        ROWS,
    )
    expect(upload_page.page.locator("#upload-readings")).to_contain_text("dropped.csv")


@pytest.mark.long
def test_the_example_can_be_copied(upload_page: Dashboard) -> None:
    upload_page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    upload_page.page.locator("#upload-copy").click()
    expect(upload_page.page.locator("#upload-copied")).to_have_text("Copied")
    copied = upload_page.page.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith("time,symbol,open,high,low,close,volume\n")


@pytest.mark.long
def test_a_dataset_that_is_not_there_is_said(open_page: OpenPage, dashboard_server: Served) -> None:
    opened = open_page(dashboard_server.url, "upload?dataset=gone")
    expect(opened.page.locator("#dataset-empty")).to_contain_text("expected one of none, received 'gone'")
