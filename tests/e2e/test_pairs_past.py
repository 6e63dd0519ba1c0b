"""A range of the past on the page of pairs: fields for times, their errors, and the address."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.fake_market import SECOND
from tests.e2e.stage import Dashboard, Served, until

EXPECTED = "Expected a time such as 2026-01-31 12:00, received "


def written(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M}"


def test_a_range_of_the_past_is_drawn_and_in_the_address_and_what_is_none_is_said(
    pairs_page: Dashboard, dashboard_server: Served, open_page: OpenPage
) -> None:
    page = pairs_page.page
    begin, end, look = (page.locator(f"#past-{name}") for name in ("from", "at", "look"))
    # A browser's own picker has its own order of day and month.
    assert (begin.get_attribute("type") or "text") == "text"
    look.click()
    expect(page.locator("#past-at-error")).to_have_text(f"{EXPECTED}nothing")
    end.fill("31/01/2026")
    end.press("Tab")
    expect(page.locator("#past-at-error")).to_have_text(f"{EXPECTED}31/01/2026")
    last = int(datetime.now(UTC).timestamp()) // 60 * 60
    end.fill(written(last))
    expect(page.locator("#past-at-error")).to_be_hidden()
    begin.fill("2026-02-31")
    look.click()
    expect(page.locator("#past-from-error")).to_have_text(f"{EXPECTED}2026-02-31")
    begin.fill(written(last + 60))
    look.click()
    expect(page.locator("#past-from-error")).to_have_text("Expected a time before To")
    begin.fill(written(last - 2 * 86_400))
    look.click()
    expect(page.locator("#past-from-error")).to_contain_text("one day at most")
    expect(page.locator("#chart-pair")).to_be_visible()
    begin.fill(written(last - 1200))
    look.click()
    expect(page.locator("#past-title")).to_have_text(
        re.compile(
            rf"^ETHUSDT-BTCUSDT from {written(last - 1200)}:00 UTC to {written(last)}:00 UTC: the past"
        )
    )
    drawn = until(lambda: pairs_page.props("chart-past").get("series", [{"data": []}])[0]["data"])
    assert [drawn[n]["time"] for n in (0, -1)] == [last - 1200, last]
    expect(page.locator("#chart-pair")).to_be_hidden()
    # The address leads to the same, in another zone too; "To now" takes it out.
    query = page.evaluate("location.search")
    same = open_page(dashboard_server.url, f"pairs{query}&zone=Asia/Tokyo")
    until(lambda: (same.props("past-asks").get("data") or {}).get("from_us") == (last - 1200) * SECOND, 30)
    expect(same.page.locator("#past-title")).to_contain_text("JST")
    same.page.get_by_role("button", name="To now").click()
    expect(same.page.locator("#chart-pair")).to_be_visible()
    assert "past=" not in same.page.evaluate("location.search")
    wrong = open_page(dashboard_server.url, "pairs?past=yesterday")
    expect(wrong.page.locator("#past-at-error")).to_contain_text("received yesterday", timeout=30_000)


@pytest.mark.long
def test_every_field_for_a_time_says_what_is_none(dashboard_server: Served, open_page: OpenPage) -> None:
    for path, field in (
        ("pairs?side=whatif", "whatif-start"),
        ("alerts", "alerts-from"),
        ("rules", "silence-until"),
    ):
        page = open_page(dashboard_server.url, path).page
        page.locator(f"#{field}").fill("01/31/2026")
        page.locator(f"#{field}").press("Tab")
        expect(page.locator(f"#{field}-error")).to_have_text(f"{EXPECTED}01/31/2026")
        page.locator(f"#{field}").fill("2026-01-31 12:00")
        expect(page.locator(f"#{field}-error")).to_be_hidden()
