"""Memory of a page that is left open, or visited again and again: it does not grow."""

import os

import pytest

from services.ui.pages import PAGES
from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served

# `make soak` watches longer.
WATCHED_S = float(os.environ.get("PAIRSTREAM_TEST_HELD_S", "8"))
ROUNDS = 6

pytestmark = pytest.mark.timeout(300)


def size(dashboard: Dashboard) -> dict[str, float]:
    """Return the page's bytes of JavaScript, nodes and listeners that are still in use."""
    cdp = dashboard.page.context.new_cdp_session(dashboard.page)
    cdp.send("Performance.enable")
    # The first collection frees what holds the nodes that the second frees.
    for _ in range(2):
        cdp.send("HeapProfiler.collectGarbage")
    metrics = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
    cdp.detach()
    return {name: metrics[name] for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners")}


def growth(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Return by how much each has grown, as a share."""
    return {name: after[name] / before[name] - 1 for name in before}


@pytest.mark.long
@pytest.mark.parametrize("path", ["?interval=1s", "pairs"])
def test_a_page_that_is_left_open_does_not_grow(
    path: str, dashboard_server: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, path)
    dashboard.changes("clock", times=6)
    before = size(dashboard)
    dashboard.page.wait_for_timeout(1000 * WATCHED_S)
    dashboard.changes("clock", times=2)
    grown = growth(before, size(dashboard))
    assert max(grown.values()) < 0.1, grown


@pytest.mark.long
def test_going_through_the_pages_leaves_nothing_behind(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url)
    first, *others = (page for page in PAGES if page.in_menu)

    def go_round() -> None:
        for page in [*others, first]:
            dashboard.page.locator(f"#menu-{page.name}").click()
            dashboard.page.locator(f"#page-{page.name}").wait_for()
            dashboard.page.wait_for_timeout(300)

    for _ in range(2):
        go_round()
    dashboard.changes("clock", times=2)
    before = size(dashboard)
    for _ in range(ROUNDS):
        go_round()
    dashboard.changes("clock", times=2)
    grown = growth(before, size(dashboard))
    assert max(grown.values()) < 0.1 * ROUNDS / 2, grown
