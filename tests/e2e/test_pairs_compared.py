"""A second pair on the chart of a pair: its lines, their names, and the address."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.fake_market import PAIRS
from tests.e2e.stage import Dashboard, Served, until

PAIR, OTHER = list(PAIRS)[:2]


def lines(dashboard: Dashboard) -> dict[str, Any]:
    series = dashboard.props("chart-pair").get("series") or []
    return {one["id"].split("|")[0]: one for one in series}


def last(dashboard: Dashboard, name: str) -> Any:
    points = dashboard.page.evaluate(
        """name => window.dash_component_api.getLayout("chart-pair").props.tick
            .filter((one) => one.id.startsWith(`${name}|`)).map((one) => one.bar)""",
        name,
    )
    return points[-1] if points else None


@pytest.mark.long
def test_a_second_pair_has_its_own_lines_and_is_in_the_address(
    pairs_page: Dashboard, fake_api: Served, dashboard_server: Served, open_page: OpenPage
) -> None:
    page = pairs_page.page
    assert "vs-zscore" not in lines(pairs_page)
    page.locator("#vs-select").click()
    expect(page.get_by_role("option", name=PAIR)).to_have_count(0)
    page.get_by_role("option", name=OTHER).click()
    until(lambda: {"vs-zscore", "vs-spread"} <= lines(pairs_page).keys())
    drawn = lines(pairs_page)
    assert [point["time"] for point in drawn["vs-zscore"]["data"]] == [
        point["time"] for point in drawn["zscore"]["data"]
    ]
    assert drawn["vs-zscore"]["options"]["color"] != drawn["zscore"]["options"]["color"]
    assert drawn["vs-spread"]["options"]["priceScaleId"] == "vs"
    expect(page.locator("#legend-vs-zscore")).to_have_text(OTHER)
    expect(page.locator("#legend-vs-spread")).to_have_text(f"{OTHER}, on its own scale")
    expect(page).to_have_url(re.compile(f"vs={OTHER}"))
    stored = {
        one["event_us"] // 1_000_000: one["zscore"]
        for one in fake_api.get(f"/v1/pairs/{OTHER}/signals?limit=600")["data"]
    }
    points = {point["time"]: point.get("value") for point in drawn["vs-zscore"]["data"]}
    both = stored.keys() & points.keys()
    assert len(both) > 60
    assert {time: points[time] for time in both} == {time: stored[time] for time in both}
    # It goes on with the seconds of the first, and the address leads to the same.
    before = until(lambda: last(pairs_page, "vs-zscore"))
    until(lambda: (last(pairs_page, "vs-zscore") or before)["time"] > before["time"] + 1)
    assert last(pairs_page, "vs-zscore")["value"] is not None
    same = open_page(dashboard_server.url, f"pairs?vs={OTHER}")
    until(lambda: "vs-zscore" in lines(same), 30)
    same.page.locator("#vs-select").fill("")
    same.page.keyboard.press("Escape")
    same.page.evaluate("() => dash_clientside.set_props('vs-select', { value: null })")
    until(lambda: "vs-zscore" not in lines(same))
    assert "vs=" not in same.page.url
