"""Layout shift of a page while alerts come and go."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.fake_market import PAIRS
from tests.e2e.stage import Served

# What the web calls good is 0.1.
MOST = 0.02
ALERTS = 12
# Toasts lie over the page; what moves within their stack moves nothing of it.
OBSERVE = """
    window.shifts = [];
    const isToast = (node) => !node || Boolean((node.closest ? node : node.parentElement)?.closest("#toasts"));
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            const moved = entry.sources.map((one) => one.node).filter((node) => !isToast(node));
            if (!entry.hadRecentInput && moved.length)
                window.shifts.push([entry.value, moved.map((node) => node.id || node.className || "")]);
        }
    }).observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.long
@pytest.mark.parametrize("width", [1280, 390])
def test_alerts_that_come_and_go_move_nothing_of_the_page(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage, width: int
) -> None:
    dashboard = open_page(
        dashboard_server.url, "pairs", script=OBSERVE, viewport={"width": width, "height": 844}
    )
    page, firing = dashboard.page, dashboard.page.locator("#firing")
    expect(page.locator("#pair-empty")).to_be_hidden()
    fake_api.post("/fake/alert", pair=next(iter(PAIRS)), state="resolved")
    expect(firing).to_be_hidden()
    dashboard.changes("clock", times=2)
    page.evaluate("() => { window.shifts.length = 0; }")
    for n in range(ALERTS // 2):
        pairs = list(PAIRS)[: 1 + n % 2]
        for state in ("firing", "resolved"):
            for pair in pairs:
                fake_api.post("/fake/alert", pair=pair, state=state)
            expect(firing).to_be_visible() if state == "firing" else expect(firing).to_be_hidden()
    shifts = page.evaluate("() => window.shifts")
    assert sum(value for value, _ in shifts) < MOST, shifts
