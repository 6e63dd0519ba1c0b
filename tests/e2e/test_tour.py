"""Tour for new readers, shown once."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served

FOCUS = "() => document.activeElement.id"


def focused(dashboard: Dashboard) -> str:
    found: str = dashboard.page.evaluate(FOCUS)
    return found


@pytest.mark.long
def test_it_is_shown_once_step_by_step(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "health", tour=True)
    tour, page = dashboard.page.get_by_role("dialog"), dashboard.page
    for number, (target, title) in enumerate(
        (
            ("feed-badge", "Where the trades come from"),
            ("menu-pairs", "A pair and its z-score"),
            ("menu-alerts", "Alerts and downloads"),
        )
    ):
        expect(tour.get_by_role("heading", name=title)).to_be_visible()
        expect(page.locator("#tour-place")).to_have_text(f"{number + 1} of 3")
        assert page.locator("[data-toured]").get_attribute("id") == target
        page.locator("#tour-next").press("Enter")
    expect(tour).to_be_hidden()
    assert page.locator("[data-toured]").count() == 0
    page.reload()
    dashboard.changes("clock")
    expect(tour).to_be_hidden()


@pytest.mark.long
def test_escape_ends_it_and_the_button_shows_it_again(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "health", tour=True)
    tour, page = dashboard.page.get_by_role("dialog"), dashboard.page
    expect(tour).to_be_visible()
    page.keyboard.press("Escape")
    expect(tour).to_be_hidden()
    page.locator("#tour-again").press("Enter")
    expect(tour).to_be_visible()
    assert focused(dashboard) == "tour-next"
    for _ in range(8):  # the focus goes round in it, by way of the browser's own controls
        page.keyboard.press("Tab")
        assert focused(dashboard) in ("tour-skip", "tour-next", "")
    page.locator("#tour-next").click()
    page.locator("#tour-back").click()
    expect(page.locator("#tour-place")).to_have_text("1 of 3")
    assert focused(dashboard) == "tour-next"
    page.locator("#tour-skip").click()
    expect(tour).to_be_hidden()
    assert focused(dashboard) == "tour-again"


@pytest.mark.long
def test_an_address_can_do_without_it(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "health?tour=0", tour=True)
    dashboard.changes("clock")
    expect(dashboard.page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.long
def test_on_a_phone_it_does_not_cover_what_it_speaks_of(
    dashboard_server: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, "health", tour=True, viewport={"width": 390, "height": 844})
    expect(dashboard.page.get_by_role("dialog")).to_be_visible()
    for target in ("#feed-badge", "#menu-pairs", "#menu-alerts"):
        box, tour = (dashboard.page.locator(one).bounding_box() for one in (target, "#tour"))
        assert box is not None
        assert tour is not None
        assert box["y"] + box["height"] < tour["y"]
        assert 0 <= box["x"] <= 390 - box["width"]
        dashboard.page.locator("#tour-next").click()
