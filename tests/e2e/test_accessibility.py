"""Accessibility of every page by axe-core, in both themes, on a desktop and on a phone.

WCAG 2.1, A and AA, and axe's own list of good practice; no rule is switched off.
"""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from services.ui.pages import PAGES
from services.ui.state import page_context
from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, until

OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "resultTypes": ["violations"],
}
LOAD_S = 60
DESK, PHONE = (1280, 800), (390, 844)
Theme = Literal["dark", "light"]
BACKGROUNDS: dict[Theme, str] = {"dark": "rgb(10, 14, 19)", "light": "rgb(238, 241, 244)"}


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, id=page.name, marks=() if page is PAGES[0] else pytest.mark.long) for page in PAGES],
)
def test_axe_finds_nothing(
    page: page_context.Page, dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, page.path.removeprefix("/"))
    dashboard.changes("clock", seconds=LOAD_S)
    found: dict[str, list[str]] = {}
    for theme in BACKGROUNDS:
        for width, height in (DESK, PHONE):
            dashboard.page.set_viewport_size({"width": width, "height": height})
            dashboard.page.emulate_media(color_scheme=theme)
            said = fake_api.post("/fake/alert", message=f"{theme} at {width} px")["message"]
            toast = dashboard.page.locator(".mantine-Notification-root", has_text=said)
            if page.in_menu and width > 1099:  # a wall has no toasts, and a narrow page no room for them
                expect(toast).to_be_visible(timeout=1000 * LOAD_S)
            until(lambda theme=theme: is_painted(dashboard.page, theme), LOAD_S)  # type: ignore[misc]
            found |= {said: broken} if (broken := violations(dashboard)) else {}
    assert found == {}


def is_painted(page: Page, theme: Theme) -> bool:
    """Tell whether the page has followed the system's theme, and nothing on it fades any more."""
    background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    moving = """() => document.getAnimations().filter(
        (one) => one instanceof CSSTransition && one.playState === "running").length"""
    return bool(background == BACKGROUNDS[theme] and not page.evaluate(moving))


def violations(dashboard: Dashboard) -> list[str]:
    """Return one line for each element that breaks a rule."""
    response = Axe().run(dashboard.page, options=OPTIONS).response
    return [
        f"{rule['id']} ({rule['help']}): {node['target']} {node['html'][:160]}"
        for rule in response["violations"]
        for node in rule["nodes"]
    ]
