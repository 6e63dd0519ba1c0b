"""Layout shift of a page while alerts come and go."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.fake_market import PAIRS
from tests.e2e.stage import Served

# What the web calls good is 0.1.
MOST = 0.02
ALERTS = 12
OBSERVE = """
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            const moved = entry.sources.map((one) => one.node);
            if (!entry.hadRecentInput)
                window.shifts.push([entry.value, moved.map((node) => node?.id || node?.className || "")]);
        }
    }).observe({ type: "layout-shift", buffered: true });
"""
# Up to this width toasts would cover a chart wherever they are.
NARROW = 1099
COVERED = """() => [...document.querySelectorAll(".mantine-Notification-root")].filter((toast) => {
    const [a, b] = [toast, document.querySelector("#chart-pair")].map((one) => one.getBoundingClientRect());
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}).map((toast) => toast.id)"""


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
            if state == "firing" and width > NARROW:
                expect(page.locator(".mantine-Notification-root").first).to_be_visible()
                assert page.evaluate(COVERED) == []
    shifts = page.evaluate("() => window.shifts")
    assert sum(value for value, _ in shifts) < MOST, shifts
