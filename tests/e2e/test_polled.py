"""Polling of a page whose stream is late or silent; polled and streamed data never mix."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Served, until

LATE = """
    const ask = window.fetch;
    window.fetch = async (...asked) => {
        const answer = await ask(...asked);
        if (String((asked[1] || {}).body).includes('"polled.data"')) {
            await new Promise((go) => setTimeout(go, 3000));
            while (window.isOvertaken && !window.isOvertaken()) await new Promise((go) => setTimeout(go, 500));
            window.answered = true;
        }
        return answer;
    };
"""
# The stream begins after six seconds, and what was polled meanwhile is answered when it has spoken.
OVERTAKEN = (
    f"""{LATE}
    window.isOvertaken = () => (dash_component_api.getLayout("mark").props.data || {{}}).via === "stream";
"""
    + """
    const Native = window.SharedWorker;
    window.SharedWorker = class extends Native {
        constructor(...given) {
            super(...given);
            const post = this.port.postMessage.bind(this.port);
            this.port.postMessage = (message) =>
                message.type === "callback_request" ? setTimeout(post, 6000, message) : post(message);
        }
    };
"""
)
# What the stream asks of the page is answered when the test says so, and no other stream is asked for meanwhile.
SILENT = """
    const Native = window.SharedWorker;
    window.silent = [];
    window.isSilent = false;
    window.SharedWorker = class extends Native {
        constructor(...given) {
            super(...given);
            const post = this.port.postMessage.bind(this.port);
            this.port.postMessage = (message) => {
                if (!window.isSilent) post(message);
                else if (message.type !== "callback_request") window.silent.push([post, message]);
            };
        }
    };
    window.speak = () => {
        window.isSilent = false;
        window.silent.forEach(([post, message]) => post(message));
    };
"""
# Seconds less bars from the left end of what is seen to the newest bar; null while the chart is about to move.
LACKING = """() => {
    const { barsInLogicalRange: bars, visibleLogicalRange: at } = dash_component_api.getLayout('chart-candles').props;
    if (!bars || !at || Math.abs(bars.barsBefore - at.from) >= 1) return null;
    return [bars.to - bars.from - (Math.floor(at.to + Math.min(0, bars.barsAfter)) - Math.ceil(at.from))];
}"""

pytestmark = pytest.mark.long


def test_a_browser_without_shared_workers_polls(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, script="delete window.SharedWorker")
    expect(dashboard.page.locator(".link.is-polling")).to_be_visible(timeout=15_000)
    until(dashboard.bars)
    dashboard.changes("clock", times=2)
    alert = fake_api.post("/fake/alert")
    expect(dashboard.page.locator(".mantine-Notification-root")).to_contain_text(alert["message"])


def test_answers_may_take_longer_than_the_time_between_two_polls(
    dashboard_server: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, script=f"{LATE} delete window.SharedWorker;")
    until(dashboard.bars, 30)
    dashboard.changes("clock", times=2, seconds=20)


def test_a_late_answer_does_not_outlast_what_the_stream_has_sent(
    dashboard_server: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, "upload", script=OVERTAKEN)
    dashboard.page.wait_for_function("() => window.answered", timeout=30_000)
    expect(dashboard.page.locator(".link.is-polling")).to_be_hidden()
    dashboard.changes("clock", times=2)
    expect(dashboard.page.locator("#datasets-empty")).to_be_hidden(timeout=5_000)


def test_a_late_answer_takes_no_bars_away(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "?interval=1s", script=OVERTAKEN)
    dashboard.page.wait_for_function("() => window.answered", timeout=30_000)
    expect(dashboard.page.locator(".link.is-polling")).to_be_hidden()
    dashboard.changes("clock", times=3)
    assert until(lambda: dashboard.page.evaluate(LACKING)) == [0]


def test_a_stream_that_goes_on_says_again_what_was_polled_meanwhile(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, "?interval=1s", script=SILENT)
    until(dashboard.bars, 30)
    dashboard.page.evaluate("() => { window.isSilent = true; }")
    fake_api.post("/fake/set", sick="sink")
    try:
        expect(dashboard.page.locator("#banner")).to_contain_text("sink is silent")
    finally:
        fake_api.post("/fake/set", sick="none")
    # The dashboard's server has heard of it, and the next poll is still to come.
    dashboard.page.wait_for_timeout(800)
    dashboard.page.evaluate("() => window.speak()")
    expect(dashboard.page.locator("#banner")).to_be_hidden()
    dashboard.changes("clock", times=3)
    assert until(lambda: dashboard.page.evaluate(LACKING)) == [0]
