"""Dataset with filled-up bars, over a running pipeline: the page names the bars without a trade."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.replayed import LOAD_S
from tests.e2e.test_replay_upload import BARS, minutes
from tests.pipeline import Pipeline

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

CARRIED = BARS // 3


@pytest.fixture
def filled(running: Pipeline) -> Iterator[str]:
    """Yield the id of a dataset in which one of two symbols trades in two of three minutes."""
    header, *lines = minutes("ETHUSDT", 3_000).splitlines()
    for number in range(1, BARS, 3):
        close = lines[number - 1].split(",")[5]
        time = lines[number].partition(",")[0]
        lines[number] = f"{time},ETHUSDT,{close},{close},{close},{close},0"
    files = [
        ("files", ("btc.csv", minutes("BTCUSDT", 60_000))),
        ("files", ("eth.csv", "\n".join((header, *lines)))),
    ]
    answer = httpx.post(f"{running.api}/v1/datasets", files=files, data={"name": "filled"}, timeout=LOAD_S)
    known = answer.raise_for_status().json()["dataset_id"]
    yield str(known)
    httpx.delete(f"{running.api}/v1/datasets/{known}").raise_for_status()


def test_bars_in_which_nothing_traded_are_told_and_left_out(
    running: Pipeline, open_page: OpenPage, filled: str
) -> None:
    place = f"upload?dataset={filled}&pair=ETHUSDT-BTCUSDT&symbol=ETHUSDT&bars=500"
    page = open_page(running.dashboard, place).page
    expect(page.locator("#dataset-coverage")).to_contain_text("nothing traded in 167 of them")
    expect(page.locator("#datasets-table")).to_contain_text("16.66\u202f%")
    page.locator("#dataset-show").get_by_text("Report", exact=True).click()
    expect(page.locator("#dataset-counts")).to_contain_text(f"Bars carried{CARRIED}16.66\u202f%: no trades")
    expect(page.locator("#dataset-symbols")).to_contain_text("33.33\u202f%")
    page.locator("#dataset-kind").get_by_text("Carried", exact=True).click()
    expect(page.locator("#dataset-findings")).to_contain_text("ETHUSDT: 1 carried")
    page.locator("#dataset-show").get_by_text("Pair", exact=True).click()
    told = page.locator("#study-coverage")
    expect(told).to_contain_text(
        "The newest 500 of 600 bars: ask for all by start=2024-05-01", timeout=1000 * LOAD_S
    )
    expect(told).to_contain_text("ETHUSDT did not trade in 167 bars (33.40\u202f%), which are left out.")
    page.locator("#dataset-bars").get_by_text("all", exact=True).click()
    expect(told).to_contain_text(f"{BARS - CARRIED} bars of 60 s", timeout=1000 * LOAD_S)
    expect(told).to_contain_text(
        f"ETHUSDT did not trade in {CARRIED} bars (33.33\u202f%), which are left out."
    )
    expect(told).not_to_contain_text("ask for all")
    assert "bars=all" in page.url
    page.locator("#dataset-show").get_by_text("Candles", exact=True).click()
    expect(page.locator("#dataset-coverage")).to_contain_text(f"All {BARS} bars of ETHUSDT")
