"""The page over the fake API."""

import itertools
import time

from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, serve_dashboard, until


def test_candles_and_panes_are_drawn(dashboard: Dashboard) -> None:
    until(lambda: dashboard.bars() == 500)
    assert until(lambda: dashboard.colors_drawn("chart-candles") > 5)
    series = {one["id"].split("|")[0]: one for one in dashboard.props("chart-pair")["series"]}
    assert set(series) == {"y", "x", "spread", "zscore", "range", "alerts"}
    assert len(series["zscore"]["data"]) > 1000
    assert dashboard.colors_drawn("chart-pair") > 5


def test_numbers_move(dashboard: Dashboard) -> None:
    dashboard.changes("metric-y", times=3)
    dashboard.changes("metric-zscore")
    dashboard.changes("clock")


def test_the_feed_is_named(dashboard: Dashboard) -> None:
    expect(dashboard.page.locator("#feed-badge")).to_have_text("SYNTHETIC")
    dashboard.page.locator("#feed-badge").focus()
    expect(dashboard.page.get_by_role("tooltip")).to_contain_text("not a market")


def test_an_alert_is_called_out_within_a_second(dashboard: Dashboard, fake_api: Served) -> None:
    dashboard.changes("clock")
    alert = fake_api.post("/fake/alert")
    began = time.monotonic()
    toast = dashboard.page.locator(".mantine-Notification-root")
    expect(toast).to_contain_text(alert["message"], timeout=1000)
    assert time.monotonic() - began < 1
    expect(dashboard.page.locator(f"[row-id='{alert['alert_id']}']").first).to_contain_text("firing")


def test_earlier_alerts_are_listed_but_not_called_out(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    alert = fake_api.post("/fake/alert")
    dashboard = open_page(dashboard_server.url)
    expect(dashboard.page.locator(f"[row-id='{alert['alert_id']}']").first).to_be_visible()
    dashboard.changes("clock", times=2)
    assert dashboard.page.locator(".mantine-Notification-root").count() == 0


def test_another_interval_replaces_the_bars(dashboard: Dashboard) -> None:
    minutes = dashboard.props("chart-candles")["series"][0]
    dashboard.page.locator("#interval-select").get_by_text("5m").click()
    until(lambda: dashboard.props("selection")["data"]["interval"] == "5m", every=0.01)
    # Whatever is shown from here on belongs to the new interval.
    seen = until(lambda: dashboard.props("chart-candles")["series"], every=0.01)
    assert seen[0]["id"] == "candles|ETHUSDT|5m"
    times = [bar["time"] for bar in seen[0]["data"]]
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {300}
    assert times[0] < minutes["data"][0]["time"]
    until(lambda: dashboard.props("chart-candles").get("tick", [{}])[0].get("id") == seen[0]["id"])
    assert "interval=5m" in dashboard.page.url


def test_another_pair_replaces_everything(dashboard: Dashboard) -> None:
    dashboard.page.locator("#pair-select").click()
    dashboard.page.get_by_role("option", name="SOLUSDT-ETHUSDT").click()
    expect(dashboard.page.locator("#label-y")).to_have_text("SOLUSDT")
    until(
        lambda: (
            [one["id"] for one in dashboard.props("chart-candles")["series"]][:1] == ["candles|SOLUSDT|1m"]
        )
    )
    until(lambda: "zscore|SOLUSDT-ETHUSDT" in [one["id"] for one in dashboard.props("chart-pair")["series"]])


def test_zoom_stays_while_data_arrives(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "?interval=1s")
    until(dashboard.bars)
    for chart in ("chart-candles", "chart-pair"):
        box = dashboard.page.locator(f"#{chart}").bounding_box()
        assert box is not None
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        dashboard.page.mouse.move(*middle)
        dashboard.page.mouse.wheel(0, -400)
        dashboard.page.mouse.down()
        dashboard.page.mouse.move(middle[0] + 150, middle[1], steps=5)
        dashboard.page.mouse.up()
    dashboard.page.mouse.move(0, 0)

    def seen() -> list[dict[str, float]]:
        return [dashboard.props(chart)["visibleRange"] for chart in ("chart-candles", "chart-pair")]

    def at_rest() -> bool:
        before = seen()
        dashboard.page.wait_for_timeout(600)
        return seen() == before

    until(at_rest)
    before = seen()
    newest = dashboard.props("chart-candles")["tick"][-2]["bar"]["time"]
    dashboard.changes("metric-zscore", times=4)
    assert dashboard.props("chart-candles")["tick"][-2]["bar"]["time"] >= newest + 3
    assert seen() == before


def test_a_lost_api_is_said_and_comes_back(dashboard: Dashboard, fake_api: Served) -> None:
    fake_api.stop()
    expect(dashboard.page.locator("#connection-state")).to_have_text("Reconnecting", timeout=3000)
    expect(dashboard.page.locator("#banner")).to_contain_text("Stream lost")
    until(lambda: "is-stale" in dashboard.classes("card-zscore"))
    fake_api.start()
    expect(dashboard.page.locator("#connection-state")).to_have_text("Connected", timeout=10_000)
    expect(dashboard.page.locator("#banner")).to_be_hidden()
    dashboard.changes("metric-y", times=2)
    until(lambda: "is-ok" in dashboard.classes("card-zscore"))


def test_not_enough_data_is_a_state_with_a_reason(dashboard: Dashboard, fake_api: Served) -> None:
    fake_api.post("/fake/set", quality="not_enough_data")
    try:
        expect(dashboard.page.locator("#metric-zscore")).to_have_text("123 / 300")
        expect(dashboard.page.locator("#zscore-empty")).to_contain_text(
            "Not enough data: 123 samples, 300 needed"
        )
        progress = "card => card.style.getPropertyValue('--progress')"
        assert dashboard.page.locator("#card-zscore").evaluate(progress) == "41%"
    finally:
        fake_api.post("/fake/set", quality="ok")
    until(lambda: "is-ok" in dashboard.classes("card-zscore"))


def test_a_stale_leg_is_seen(dashboard: Dashboard, fake_api: Served) -> None:
    fake_api.post("/fake/set", quality="stale")
    try:
        until(lambda: "is-stale" in dashboard.classes("card-spread"))
        expect(dashboard.page.locator("#metric-spread-note")).to_contain_text("no trade of BTCUSDT for 14 s")
    finally:
        fake_api.post("/fake/set", quality="ok")


def test_a_sick_service_raises_a_banner_that_stays(dashboard: Dashboard, fake_api: Served) -> None:
    fake_api.post("/fake/set", sick="sink")
    try:
        expect(dashboard.page.locator("#banner")).to_contain_text("sink is silent, last heard 31 s ago")
        expect(dashboard.page.locator("#service-sink")).to_contain_text("silent")
    finally:
        fake_api.post("/fake/set", sick="none")
    expect(dashboard.page.locator("#banner")).to_be_hidden()


def test_the_address_says_what_is_shown(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "?pair=SOLUSDT-ETHUSDT&leg=x&interval=1h&theme=light")
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
    assert dashboard.props("chart-pair")["chartOptions"]["layout"]["background"]["color"] == "#10151b"


def test_an_unknown_pair_in_the_address_is_said(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "?pair=DOGEUSDT-BTCUSDT")
    expect(dashboard.page.locator("#banner")).to_contain_text("DOGEUSDT-BTCUSDT is not watched here")
    expect(dashboard.page.locator("#pair-empty")).to_contain_text("Choose a pair")


def test_the_system_theme_is_followed(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, color_scheme="light")
    background = "() => getComputedStyle(document.body).backgroundColor"
    until(lambda: dashboard.page.evaluate(background) == "rgb(238, 241, 244)")
    dashboard.page.emulate_media(color_scheme="dark")
    until(lambda: dashboard.page.evaluate(background) == "rgb(10, 14, 19)")


def test_a_browser_without_shared_workers_polls(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, script="delete window.SharedWorker")
    expect(dashboard.page.locator(".link.is-polling")).to_be_visible(timeout=15_000)
    until(dashboard.bars)
    dashboard.changes("metric-y", times=2)
    alert = fake_api.post("/fake/alert")
    expect(dashboard.page.locator(".mantine-Notification-root")).to_contain_text(alert["message"])


def test_nothing_is_wider_than_a_phone(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, viewport={"width": 390, "height": 844})
    until(dashboard.bars)
    assert dashboard.page.evaluate("() => document.documentElement.scrollWidth") == 390


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
        dashboard.changes("metric-y", times=2)


def test_the_keyboard_reaches_every_control_and_shows_where_it_is(dashboard: Dashboard) -> None:
    reached = []
    dashboard.page.locator("body").press("Tab")
    for _ in range(8):
        focused = dashboard.page.evaluate(
            """() => {
                const at = document.activeElement;
                const shown = at.type === 'radio' ? at.nextElementSibling : at;
                const style = getComputedStyle(shown);
                const input = shown.closest('.mantine-Select-wrapper');
                return [at.id || at.name || at.closest('[id]').id, style.outlineStyle !== 'none' || Boolean(input)];
            }"""
        )
        reached.append(focused)
        dashboard.page.keyboard.press("Tab")
    names = [name for name, _ in reached]
    assert names[:3] == ["feed-badge", "pair-select", "theme-toggle"]
    assert all(visible for _, visible in reached), reached
