"""Pairs page over the fake API."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, until

PAIR = "ETHUSDT-BTCUSDT"


def lines(page: Dashboard) -> dict[str, Any]:
    """Return the series on the chart by their names."""
    return {one["id"].split("|")[0]: one for one in page.props("chart-pair").get("series") or []}


def points(page: Dashboard) -> int:
    """Return how many points the first line was given."""
    return len(next(iter(lines(page).values()))["data"])


@contextmanager
def world(api: Served, after: dict[str, Any], **during: Any) -> Iterator[None]:
    """Have the fake API be so for a while."""
    api.post("/fake/set", **during)
    try:
        yield
    finally:
        api.post("/fake/set", **after)


def hover(page: Dashboard, at: float) -> None:
    """Put the cursor on the first pane, `at` from left to right."""
    box = page.page.locator("#chart-pair").bounding_box()
    assert box is not None
    page.page.mouse.move(box["x"] + at * (box["width"] - 72), box["y"] + 60, steps=5)


def test_every_pane_is_drawn(pairs_page: Dashboard) -> None:
    series = lines(pairs_page)
    assert list(series)[:6] == ["y", "x", "spread", "zscore", "hedge-ratio", "correlation"]
    assert [one["pane"] for one in series.values()][:6] == [0, 0, 1, 2, 3, 4]
    assert len(series["zscore"]["data"]) > 1000
    assert pairs_page.colors_drawn("chart-pair") > 5


@pytest.mark.long
def test_seconds_that_lack_trades_are_shaded_and_the_cursor_names_them(
    dashboard_server: Served, open_page: OpenPage
) -> None:
    page = open_page(dashboard_server.url, "pairs?pair=SOLUSDT-ETHUSDT&range=5m")

    def shades() -> list[list[dict[str, Any]]]:
        series = page.props("chart-pair").get("series") or []
        return [one["data"] for one in series if one["id"].startswith("shade|")]

    until(lambda: len(shades()) == 5, 30)
    shaded = shades()
    assert {tuple(point["time"] for point in data) for data in shaded} == {
        tuple(point["time"] for point in shaded[0])
    }
    times = [point["time"] for point in lines(page)["y"]["data"]]
    first = times.index(shaded[0][-1]["time"])
    show = "range => window.dash_clientside.set_props('chart-pair', { visibleLogicalRange: range })"
    page.page.evaluate(show, {"from": first - 5, "to": first + 5})
    until(lambda: round(page.props("chart-pair")["visibleLogicalRange"]["from"]) == first - 5)
    hover(page, 0.5)
    expect(page.page.locator("#pair-mark")).to_contain_text("17 trades of SOLUSDT missing, being fetched")


@pytest.mark.long
def test_numbers_move(pairs_page: Dashboard) -> None:
    pairs_page.changes("metric-y", times=3)
    pairs_page.changes("metric-zscore")
    pairs_page.changes("clock")


@pytest.mark.long
def test_the_hedge_ratio_has_a_band_that_is_explained(pairs_page: Dashboard) -> None:
    high = until(lambda: lines(pairs_page)["high"]["data"])
    assert high[1]["time"] - high[0]["time"] > 250
    expect(pairs_page.page.locator("#legend-hedge-ratio")).to_contain_text(
        "of one line through the last 300 bars of 1 s"
    )


@pytest.mark.long
def test_another_pair_replaces_everything(pairs_page: Dashboard) -> None:
    pairs_page.page.locator("#pair-select").click()
    pairs_page.page.get_by_role("option", name="SOLUSDT-ETHUSDT").click()
    expect(pairs_page.page.locator("#label-y")).to_have_text("SOLUSDT")
    until(lambda: "zscore|SOLUSDT-ETHUSDT|30m" in [one["id"] for one in lines(pairs_page).values()])
    assert "pair=SOLUSDT-ETHUSDT" in pairs_page.page.url
    href = pairs_page.page.locator("#pair-csv").get_attribute("href") or ""
    assert href.startswith("/download/v1/pairs/SOLUSDT-ETHUSDT/signals?start=")


@pytest.mark.long
def test_a_range_is_chosen_and_in_the_address(pairs_page: Dashboard) -> None:
    def seen() -> float:
        found = pairs_page.props("chart-pair").get("visibleLogicalRange") or {"from": 0, "to": 0}
        return float(found["to"] - found["from"])

    assert 1700 < until(seen) < 2000
    for name, label, least, most in (("5m", "5 min", 280, 330), ("2h", "2 h", 7000, 7600)):
        pairs_page.page.locator("#range-select").get_by_text(label, exact=True).click()
        until(lambda least=least, most=most: least < seen() < most)  # type: ignore[misc]
        assert f"range={name}" in pairs_page.page.url


@pytest.mark.long
def test_another_range_shows_its_newest_points(pairs_page: Dashboard) -> None:
    for label, name in (("5 min", "5m"), ("1 day", "1d"), ("30 min", "30m"), ("1 day", "1d")):
        pairs_page.page.get_by_text(label, exact=True).click()

        def is_newest(name: str = name) -> bool:
            if not all(one["id"].endswith(f"|{name}") for one in lines(pairs_page).values()):
                return False
            shown, count = pairs_page.props("chart-pair")["visibleLogicalRange"], points(pairs_page)
            return bool(shown) and shown["from"] < 0.9 * count <= shown["to"] < 1.2 * count

        until(is_newest)


@pytest.mark.long
def test_a_day_is_thinned_and_says_so(dashboard_server: Served, open_page: OpenPage) -> None:
    page = open_page(dashboard_server.url, "pairs?range=1d&panes=zscore")
    until(lambda: "zscore" in lines(page), 20)
    times = [point["time"] for point in lines(page)["zscore"]["data"]]
    # The fake API has three hours, and two or three points of a minute are kept.
    assert 355 <= len(times) <= 543
    assert times[-1] - times[0] > 10_000
    expect(page.page.locator("#legend-zscore")).to_contain_text(
        "Of each minute its lowest, highest and smallest"
    )


@pytest.mark.long
def test_panes_are_chosen_and_the_view_stays(pairs_page: Dashboard) -> None:
    def seen() -> dict[str, float]:
        found: dict[str, float] = pairs_page.props("chart-pair")["visibleRange"]
        return found

    pairs_page.page.locator("#range-select").get_by_text("5 min", exact=True).click()
    until(lambda: "y|" + PAIR + "|5m" in [one["id"] for one in lines(pairs_page).values()])
    expect(pairs_page.page.locator("#pair-empty")).to_be_hidden()
    hover(pairs_page, 0.3)
    pairs_page.page.mouse.down()
    hover(pairs_page, 0.8)
    pairs_page.page.mouse.up()
    until(lambda: seen()["to"] < lines(pairs_page)["y"]["data"][-1]["time"] - 60)
    before = seen()
    pairs_page.page.locator(".chips").get_by_text("Prices").click()
    until(lambda: "y" not in lines(pairs_page))
    expect(pairs_page.page.locator("#pane-prices")).to_be_hidden()
    assert "panes=spread%2Czscore%2Chedge-ratio%2Ccorrelation" in pairs_page.page.url
    pairs_page.changes("clock", times=2)
    assert seen() == before


@pytest.mark.long
def test_one_pane_stays(dashboard_server: Served, open_page: OpenPage) -> None:
    page = open_page(dashboard_server.url, "pairs?panes=spread")
    until(lambda: list(lines(page)) == ["spread"])
    chip = page.page.locator(".chips").get_by_text("Spread")
    chip.click()
    until(lambda: page.props("pane-choice")["value"] == ["spread"])
    expect(page.page.locator(".chips input:checked")).to_have_count(1)


@pytest.mark.long
def test_the_cursor_tells_the_values_of_every_pane(pairs_page: Dashboard) -> None:
    hover(pairs_page, 0.5)
    for pane in ("prices", "spread", "zscore", "hedge-ratio", "correlation"):
        expect(pairs_page.page.locator(f"#hover-{pane}")).not_to_be_empty()
    middle = lines(pairs_page)["zscore"]["data"]
    shown = float(pairs_page.text("hover-zscore").replace("\N{MINUS SIGN}", "-"))
    assert any(abs(point["value"] - shown) < 0.006 for point in middle[700:1100])


@pytest.mark.long
def test_what_fires_is_marked_and_named(pairs_page: Dashboard, fake_api: Served) -> None:
    alert = fake_api.post("/fake/alert")

    def marker() -> Any:
        marked = lines(pairs_page)["zscore"].get("markers") or []
        at = alert["event_us"] // 1_000_000
        return next((one for one in marked if one["time"] == at and "Alert firing" in one["id"]), None)

    found = until(marker, 30)
    assert alert["message"] in found["id"]
    assert found["shape"] in ("square", "arrowUp", "arrowDown")
    held = len(lines(pairs_page)["zscore"]["data"])
    pairs_page.changes("clock", times=2)
    # The lines were not drawn again for it: what came by tick since is still on the chart.
    assert len(lines(pairs_page)["zscore"]["data"]) == held


@pytest.mark.long
def test_older_signals_come_when_the_left_end_is_in_sight(
    dashboard_server: Served, open_page: OpenPage
) -> None:
    page = open_page(dashboard_server.url, "pairs?panes=zscore")
    until(lambda: "zscore" in lines(page) and page.props("chart-pair").get("visibleRange"))
    first = lines(page)["zscore"]["data"][0]["time"]
    move = """() => window.dash_clientside.set_props('chart-pair', {visibleLogicalRange: {from: -100, to: 900}})"""
    page.page.evaluate(move)
    until(lambda: lines(page)["zscore"]["data"][0]["time"] < first - 1000)
    until(lambda: page.props("chart-pair")["visibleLogicalRange"]["from"] > 1000)
    # The reader stays at the same moments.
    assert abs(page.props("chart-pair")["visibleRange"]["to"] - first - 900) <= 2


@pytest.mark.long
def test_not_enough_data_is_a_state_with_a_reason(pairs_page: Dashboard, fake_api: Served) -> None:
    with world(fake_api, {"quality": "ok"}, quality="not_enough_data"):
        expect(pairs_page.page.locator("#metric-zscore")).to_have_text("123 / 300")
        expect(pairs_page.page.locator("#pair-state")).to_have_text(
            "Not enough data: 123 samples, 300 needed"
        )
        progress = "card => card.style.getPropertyValue('--progress')"
        assert pairs_page.page.locator("#card-zscore").evaluate(progress) == "41%"
    until(lambda: "is-ok" in pairs_page.classes("card-zscore"))
    expect(pairs_page.page.locator("#pair-state")).to_be_hidden()


@pytest.mark.long
def test_a_stale_leg_is_seen(pairs_page: Dashboard, fake_api: Served) -> None:
    with world(fake_api, {"quality": "ok"}, quality="stale"):
        until(lambda: "is-stale" in pairs_page.classes("card-spread"))
        expect(pairs_page.page.locator("#metric-spread-note")).to_contain_text("no trade of BTCUSDT for 14 s")
        expect(pairs_page.page.locator("#pair-state")).to_have_text("Stale: no trade of BTCUSDT for 14 s")


@pytest.mark.long
def test_a_paused_pair_says_so(pairs_page: Dashboard, fake_api: Served) -> None:
    with world(fake_api, {"paused_pair": "none"}, paused_pair=PAIR):
        expect(pairs_page.page.locator("#pair-state")).to_contain_text("Paused", timeout=10_000)
        assert "is-paused" in pairs_page.classes("card-zscore")
        assert "is-ok" in pairs_page.classes("card-y")


@pytest.mark.long
def test_an_unknown_pair_in_the_address_is_said(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "pairs?pair=BTCUSDT-ETHUSDT")
    expect(dashboard.page.locator("#pair-empty")).to_have_text(
        f"BTCUSDT-ETHUSDT is not watched here. {PAIR} is: with the legs swapped it is another pair."
    )


@pytest.mark.long
def test_the_signals_are_saved_as_the_api_says_them(pairs_page: Dashboard) -> None:
    with pairs_page.page.expect_download() as saved:
        pairs_page.page.locator("#pair-csv").click()
    assert "format=csv" in saved.value.url


@pytest.mark.long
def test_a_phone_begins_with_three_panes(dashboard_server: Served, open_page: OpenPage) -> None:
    page = open_page(dashboard_server.url, "pairs", viewport={"width": 390, "height": 844})
    until(lambda: list(lines(page)) == ["y", "x", "spread", "zscore", "reach"])
    assert page.page.evaluate("() => document.documentElement.scrollWidth") == 390
