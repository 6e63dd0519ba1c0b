"""Overview and wall in Chromium: order, filters, keyboard and address, and what is said of old numbers."""

import re
import signal

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, serve_dashboard, until

PAIR = "ETHUSDT-BTCUSDT"
MANY = 40
# Names in the order that is seen, and whether their sizes of z are in that order, too.
ROWS = """() => {
    const rows = [];
    dash_ag_grid.getApi("overview-table").forEachNodeAfterFilterAndSort((node) => rows.push(node.data));
    const falls = rows.every((row, n) => !n || rows[n - 1].z >= row.z);
    return [rows.map((row) => row.pair), falls];
}"""


def seen(dashboard: Dashboard) -> tuple[list[str], bool]:
    names, falls = dashboard.page.evaluate(ROWS)
    return names, falls


def drawn(dashboard: Dashboard) -> Locator:
    return dashboard.page.locator("#overview-table .ag-center-cols-container .ag-row")


@pytest.fixture
def overview(open_page: OpenPage, dashboard_server: Served, fake_api: Served) -> Dashboard:
    """Return the page with many pairs."""
    fake_api.post("/fake/many", pairs=MANY)
    fake_api.post("/fake/set", quality="ok")
    opened = open_page(dashboard_server.url, "overview")
    expect(opened.page.locator("#overview-count")).to_have_text(f"{MANY} pairs")
    expect(drawn(opened).first).to_be_visible()
    return opened


@pytest.mark.long
def test_rows_tick_where_they_are_and_move_only_when_nobody_points_at_them(overview: Dashboard) -> None:
    page = overview.page
    expect(page.locator("#overview-table svg.hour polyline").first).to_be_visible()
    drawn(overview).nth(5).hover()
    before, _ = seen(overview)
    first = drawn(overview).first.locator("[col-id=z]")
    text = first.inner_text()
    until(lambda: first.inner_text() != text)
    until(lambda: not seen(overview)[1], 30)
    # Longer than from one renewal of the order to the next.
    for _ in range(7):
        overview.changes("clock")
    assert not seen(overview)[1]
    assert seen(overview)[0] == before
    page.mouse.move(2, 2)
    until(lambda: seen(overview)[1], 20)
    assert seen(overview)[0] != before


@pytest.mark.long
def test_the_address_has_order_and_filters_and_what_is_wrong_with_it_is_said(
    overview: Dashboard, open_page: OpenPage, dashboard_server: Served, fake_api: Served
) -> None:
    page = overview.page
    page.locator("#overview-table").get_by_text("Pair", exact=True).click()
    until(lambda: seen(overview)[0] == sorted(seen(overview)[0]))
    expect(page).to_have_url(re.compile("sort=pair$"))
    page.locator("#overview-filter").fill("c00")
    expect(page.locator("#overview-count")).to_have_text(f"8 of {MANY} pairs")
    page.locator("#overview-state").get_by_text("Stale").click()
    expect(page.locator("#overview-none")).to_have_text("No pair matches. Choose All, or clear the filter.")
    fake_api.post("/fake/set", quality="stale")
    expect(page.locator("#overview-count")).to_have_text(f"8 of {MANY} pairs")
    expect(drawn(overview).first).to_contain_text("Stale: no trade of BTCUSDT for 14 s")
    page.reload()
    expect(page.locator("#overview-count")).to_have_text(f"8 of {MANY} pairs")
    expect(page.locator("#overview-filter")).to_have_value("c00")
    assert seen(overview)[0] == sorted(seen(overview)[0])
    href = page.locator("#overview-wall").get_attribute("href") or ""
    assert href.startswith("/wall?pairs=C002USDT-BTCUSDT,C003USDT-BTCUSDT")
    wrong = open_page(dashboard_server.url, "overview?sort=price&state=calm").page
    expect(wrong.locator("#address-wrong-text")).to_contain_text("sort=price; expected one of pair, z, rank")
    expect(wrong.locator("#address-wrong-text")).to_contain_text("state=calm; expected one of all, reverting")
    expect(wrong.locator("#overview-count")).to_have_text(f"{MANY} pairs")


def test_the_keyboard_filters_moves_and_opens_a_pair(overview: Dashboard) -> None:
    page = overview.page
    page.keyboard.press("/")
    expect(page.locator("#overview-filter")).to_be_focused()
    page.keyboard.type("usdt-b")
    page.keyboard.press("Escape")
    expect(page.locator("#overview-filter")).to_have_value("")
    page.keyboard.type("c01")
    expect(page.locator("#overview-count")).to_have_text(f"10 of {MANY} pairs")
    page.keyboard.press("Enter")
    expect(page.locator("#overview-table .ag-cell-focus").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    focused = "() => document.activeElement.closest('.ag-row').getAttribute('row-id')"
    second = seen(overview)[0][1]
    until(lambda: page.evaluate(focused) == second)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/pairs\\?pair={second}"))
    expect(page.locator("#pair-select")).to_have_value(second)
    page.go_back()
    expect(page.locator("#overview-filter")).to_have_value("c01")
    page.set_viewport_size({"width": 300, "height": 600})
    assert page.evaluate("() => document.documentElement.scrollWidth") == 300


@pytest.mark.long
def test_an_alert_is_found_by_its_state(
    overview: Dashboard, open_page: OpenPage, dashboard_server: Served, fake_api: Served
) -> None:
    fired = fake_api.post("/fake/alert", message="z beyond entry")
    page = open_page(dashboard_server.url, "overview?state=alerting").page
    row = page.locator(f"#overview-table [row-id='{PAIR}']")
    expect(row.last).to_contain_text("Firing since")
    expect(row.last).to_contain_text("Live, alerting")
    assert fired["pair"] == PAIR
    expect(page.locator("#overview-count")).to_have_text(f"1 of {MANY} pairs")
    expect(page).to_have_title(re.compile("1 alerting"))


@pytest.mark.long
def test_the_wall_shows_twelve_pairs_without_scrolling_or_controls_and_says_what_is_old(
    open_page: OpenPage, dashboard_server: Served, fake_api: Served
) -> None:
    fake_api.post("/fake/many", pairs=MANY)
    fake_api.post("/fake/set", quality="ok")
    opened = open_page(dashboard_server.url, "wall", viewport={"width": 1920, "height": 1080}, tour=True)
    page = opened.page
    tiles = page.locator(".wall-tile:visible")
    expect(tiles).to_have_count(12)
    expect(page.locator("#wall-0-z")).to_have_text(re.compile("[0-9]"))
    opened.changes("wall-0-z", times=2)
    fits = """() => {
        const page = document.documentElement, texts = [...document.querySelectorAll('.wall-tile > span')];
        const cut = texts.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent);
        return [page.scrollHeight, page.scrollWidth, ...cut];
    }"""
    assert page.evaluate(fits) == [1080, 1920]
    height = page.evaluate("() => parseFloat(getComputedStyle(document.getElementById('wall-0-z')).fontSize)")
    assert height > 120
    expect(page.locator("button:visible, input:visible, select:visible, a:visible")).to_have_count(0)
    fake_api.post("/fake/set", quality="stale")
    expect(page.locator("#wall-0-state")).to_have_text("STALE")
    expect(page.locator("#wall-0")).to_have_class(re.compile("is-old"))
    fake_api.post("/fake/set", quality="ok")
    page.goto(f"{dashboard_server.url}/wall?pairs=SOLUSDT-ETHUSDT,NOT-THERE")
    expect(page.locator(".wall-tile:visible")).to_have_count(2)
    expect(page.locator("#wall-1-state")).to_have_text("not watched")


@pytest.mark.long
def test_neither_says_now_while_nobody_tells(open_page: OpenPage, fake_api: Served) -> None:
    fake_api.post("/fake/set", quality="ok")
    with serve_dashboard(fake_api.url) as server:
        overview = open_page(server.url, "overview", problems=True).page
        wall = open_page(server.url, f"wall?pairs={PAIR}", problems=True).page
        fake_api.post("/fake/alert", message="z beyond entry")
        expect(overview.locator("#firing .of-now")).to_have_text("at the last close")
        expect(drawn(Dashboard(overview)).first).to_contain_text("Live")
        expect(wall.locator("#wall-0-state")).to_contain_text("FIRING since")
        server.process.send_signal(signal.SIGSTOP)
        try:
            expect(overview.locator("#offline")).to_contain_text("does not answer", timeout=40_000)
            expect(wall.locator("#offline")).to_contain_text("All numbers are the last known", timeout=40_000)
            said = "element => [getComputedStyle(element).fontSize, getComputedStyle(element, '::after').content]"
            assert overview.locator("#firing .of-now").first.evaluate(said) == ["0px", '"last known"']
            state = overview.locator("#overview-table .ag-cell[col-id=state]").first
            assert state.evaluate(said) == ["0px", '"last known"']
            assert wall.locator("#wall-0-state").evaluate(said) == ["0px", '"LAST KNOWN"']
            expect(wall.locator("#wall-0-age")).to_be_hidden()
        finally:
            server.process.send_signal(signal.SIGCONT)
