"""Shell around every page, over the fake API."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, serve_dashboard, until


@pytest.mark.long
def test_the_feed_is_named(dashboard: Dashboard) -> None:
    expect(dashboard.page.locator("#feed-badge")).to_have_text("SYNTHETIC")
    dashboard.page.locator("#feed-badge").focus()
    expect(dashboard.page.get_by_role("tooltip")).to_contain_text("not a market")


def test_a_lost_api_is_said_and_comes_back(dashboard: Dashboard, fake_api: Served) -> None:
    fake_api.stop()
    expect(dashboard.page.locator("#connection-state")).to_have_text("Reconnecting", timeout=3000)
    expect(dashboard.page.locator("#banner")).to_contain_text("Stream lost")
    fake_api.start()
    expect(dashboard.page.locator("#connection-state")).to_have_text("Connected", timeout=10_000)
    expect(dashboard.page.locator("#banner")).to_be_hidden()
    dashboard.changes("clock", times=2)


@pytest.mark.long
def test_a_sick_service_raises_a_banner_that_stays(dashboard: Dashboard, fake_api: Served) -> None:
    fake_api.post("/fake/set", sick="sink")
    try:
        expect(dashboard.page.locator("#banner")).to_contain_text("sink is silent, last heard 31 s ago")
        expect(dashboard.page.locator("#service-sink")).to_contain_text("silent")
    finally:
        fake_api.post("/fake/set", sick="none")
    expect(dashboard.page.locator("#banner")).to_be_hidden()


@pytest.mark.long
def test_the_address_says_what_is_shown(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "?symbol=ETHUSDT&interval=1h&theme=light")
    until(
        lambda: (
            [one["id"] for one in dashboard.props("chart-candles")["series"]][:1] == ["candles|ETHUSDT|1h"]
        )
    )
    scheme = "() => document.documentElement.getAttribute('data-mantine-color-scheme')"
    assert dashboard.page.evaluate(scheme) == "light"
    dashboard.page.locator("#theme-toggle").click()
    until(lambda: dashboard.page.evaluate(scheme) == "dark")
    assert "theme=dark" in dashboard.page.url
    assert dashboard.props("chart-candles")["chartOptions"]["layout"]["background"]["color"] == "#10151b"


@pytest.mark.long
def test_the_system_theme_is_followed(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, color_scheme="light")
    background = "() => getComputedStyle(document.body).backgroundColor"
    until(lambda: dashboard.page.evaluate(background) == "rgb(238, 241, 244)")
    dashboard.page.emulate_media(color_scheme="dark")
    until(lambda: dashboard.page.evaluate(background) == "rgb(10, 14, 19)")


@pytest.mark.long
def test_nothing_is_wider_than_a_phone(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, viewport={"width": 390, "height": 844})
    until(dashboard.bars)
    assert dashboard.page.evaluate("() => document.documentElement.scrollWidth") == 390


@pytest.mark.long
def test_a_lost_dashboard_server_is_said_and_comes_back(fake_api: Served, open_page: OpenPage) -> None:
    with serve_dashboard(fake_api.url) as server:
        dashboard = open_page(
            server.url, problems=True
        )  # the browser itself complains of refused connections
        until(dashboard.bars)
        assert server.stop() < 4
        expect(dashboard.page.locator("#offline")).to_contain_text("does not answer", timeout=15_000)
        expect(dashboard.page.locator(".link.is-offline")).to_be_visible()
        server.start()
        expect(dashboard.page.locator("#offline")).to_be_empty(timeout=20_000)
        dashboard.changes("clock", times=2)


@pytest.mark.long
def test_the_keyboard_reaches_every_control_and_shows_where_it_is(dashboard: Dashboard) -> None:
    reached: dict[str, bool] = {}
    dashboard.page.locator("body").press("Tab")
    for _ in range(80):  # a table takes a Tab for each cell
        name, shown = dashboard.page.evaluate(
            """() => {
                const at = document.activeElement;
                const drawn = at.type === 'radio' ? at.nextElementSibling : at;
                const input = drawn.closest('.mantine-Select-wrapper, .mantine-Autocomplete-wrapper, .ag-root');
                const owner = at.closest('[id]');
                return [owner ? owner.id : at.className, at === document.body ||
                    getComputedStyle(drawn).outlineStyle !== 'none' || Boolean(input)];
            }"""
        )
        reached[name] = shown
        dashboard.page.keyboard.press("Tab")
    assert {"menu-pairs", "feed-badge", "zone-select", "theme-toggle", "candles-csv"} <= set(reached)
    assert all(reached.values()), reached


ONE_ROW = """() => {
    const boxes = [...document.querySelector('.head').children].map((child) => child.getBoundingClientRect())
        .filter((box) => box.height);
    return Math.max(...boxes.map((box) => box.top)) < Math.min(...boxes.map((box) => box.bottom));
}"""


STATES = ("connected", "reconnecting")
IN_STATE = """document.body.dataset.link = 'poll';
    document.getElementById('connection-state').textContent = 'Reconnecting';
    document.getElementById('connection-state').className = 'link is-{state}'"""


@pytest.mark.long
@pytest.mark.parametrize("zone", ["UTC", "Australia/Lord_Howe", "America/Argentina/ComodRivadavia"])
def test_at_1280_the_header_is_one_row_in_every_state(
    zone: str, dashboard_server: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, f"health?zone={zone}")
    dashboard.changes("clock")
    assert dashboard.page.evaluate(ONE_ROW)
    # The widest words, before the page sees to them again.
    for state in STATES:
        words = IN_STATE.replace("{state}", state)
        assert dashboard.page.evaluate(f"() => {{ {words}; return ({ONE_ROW})(); }}"), state


ROWS = """() => {
    const tops = [...document.querySelector('.head').children].map((child) => child.getBoundingClientRect())
        .filter((box) => box.height).map((box) => Math.round((box.top + box.bottom) / 20));
    return new Set(tops).size;
}"""


@pytest.mark.long
def test_on_a_phone_the_header_has_two_rows_and_shows_the_page(
    dashboard_server: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, "programs", viewport={"width": 390, "height": 844})
    dashboard.changes("clock")
    assert dashboard.page.evaluate(ROWS) <= 2
    head = dashboard.page.locator(".head").bounding_box()
    assert head is not None
    assert head["height"] < 90
    box = dashboard.page.locator("#menu-programs").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390
    foot = dashboard.page.locator(".foot").bounding_box()
    assert foot is not None
    assert foot["height"] < 40


@pytest.mark.long
def test_an_address_without_a_page_says_so_with_links(dashboard_server: Served, open_page: OpenPage) -> None:
    # The browser tells its console of the status, 404.
    dashboard = open_page(dashboard_server.url, "nowhere", problems=True)
    main = dashboard.page.locator("main")
    expect(main).to_contain_text("There is no page at this address")
    main.get_by_role("link", name="Health").click()
    expect(dashboard.page.locator("#page-health")).to_be_visible()


@pytest.mark.long
def test_another_time_zone_is_followed_by_texts_tables_and_charts(
    dashboard_server: Served, open_page: OpenPage
) -> None:
    tokyo = "() => new Date().toLocaleString('sv-SE', { timeZone: 'Asia/Tokyo' }).slice(0, 13)"
    dashboard = open_page(dashboard_server.url, "health")
    expect(dashboard.page.locator("#clock")).to_contain_text("UTC")
    cell = dashboard.page.locator("#tapes-table [row-id='BTCUSDT'] [col-id='last']")
    gap = dashboard.page.locator("#gaps-table [col-id='found'].ag-cell").first
    expect(cell).to_be_visible()
    utc = gap.inner_text()
    dashboard.page.locator("#zone-select").fill("Tokyo")
    dashboard.page.get_by_role("option", name="Asia/Tokyo").click()
    hour = dashboard.page.evaluate(tokyo)
    expect(dashboard.page.locator("#clock")).to_contain_text(hour, timeout=1000)
    expect(dashboard.page.locator("#clock")).to_contain_text("JST")
    expect(cell).to_contain_text(hour, timeout=1000)
    expect(gap).not_to_have_text(utc, timeout=1000)
    dashboard.page.locator("#menu-market").click()
    until(dashboard.bars)
    axis = "() => document.querySelector('#chart-candles tr:last-child canvas').toDataURL()"
    ticks = "() => window.dashTvlwcFunctions.pairstreamTick(0, 3)"
    assert dashboard.page.evaluate(ticks) == "09:00"
    drawn = dashboard.page.evaluate(axis)
    dashboard.page.locator("#zone-select").fill("UTC")
    dashboard.page.get_by_role("option", name="UTC").click()
    until(lambda: dashboard.page.evaluate(ticks) == "00:00", 1.0)
    until(lambda: dashboard.page.evaluate(axis) != drawn, 1.0)
