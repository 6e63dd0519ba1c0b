"""A real Chromium with a probe in its pages: what they show when, and what they cost."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from tests.e2e.stage import CHROMIUM, CHROMIUM_ARGUMENTS

SETTLED_FRAMES = 12

# A frame of the stream begins with the question what the tab looks at.
PROBE = """
    localStorage.setItem("tour", "seen");
    window.probe = { longTasks: [], frames: 0, requests: [], shown: {} };
    new PerformanceObserver((list) => {
        for (const task of list.getEntries()) probe.longTasks.push([task.startTime, task.duration]);
    }).observe({ type: "longtask", buffered: true });
    const Native = window.SharedWorker;
    window.SharedWorker = class extends Native {
        constructor(...given) {
            super(...given);
            const post = this.port.postMessage.bind(this.port);
            this.port.postMessage = (message) => {
                const { type, payload } = JSON.parse(JSON.stringify(message));
                if (type === "callback_request") probe.requests.push(payload);
                post(message);
            };
            this.port.addEventListener("message", ({ data }) => {
                if (data.type === "get_props_request" && data.payload.componentId === "selection") probe.frames += 1;
            });
        }
    };
"""

# It looks before every drawing, so it is only there where it is asked for.
FIRST_DATA = """
    const wanted = {
        "first candle": () => document.getElementById("chart-candles")
            && ((dash_component_api.getLayout("chart-candles").props.series || [])[0] || { data: [] }).data.length,
        "first row": () => document.querySelector("#overview-table .ag-center-cols-container .ag-row"),
        "first z": () => /[0-9]/.test((document.getElementById("metric-zscore") || {}).textContent),
    };
    const look = () => {
        for (const [name, isShown] of Object.entries(wanted)) {
            // What is there now is drawn before the next frame.
            if (!(name in probe.shown) && isShown()) {
                probe.shown[name] = null;
                requestAnimationFrame(() => { probe.shown[name] = performance.now(); });
            }
        }
        if (performance.now() < 20000 && !Object.keys(probe.shown).length) requestAnimationFrame(look);
    };
    look();
"""


class Seen:
    """One page, its probe and its costs."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("Performance.enable")

    def probe(self, expression: str) -> Any:
        """Return what the page's probe has noted."""
        return self.page.evaluate(f"() => probe.{expression}")

    def settle(self) -> None:
        """Wait until the page has been live for some frames more."""
        self.page.wait_for_function(
            "count => probe.frames > count", arg=self.probe("frames") + SETTLED_FRAMES
        )

    def shown_ms(self, what: str) -> float:
        """Return when `what` was first drawn, in milliseconds after the navigation began."""
        self.page.wait_for_function("what => probe.shown[what]", arg=what, timeout=20_000)
        return float(self.probe(f"shown[{what!r}]"))

    def metric(self, name: str) -> float:
        """Return one of Chromium's figures."""
        metrics = self.cdp.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == name))

    def cost_ms(self, seconds: float) -> tuple[float, float]:
        """Return the main thread's work per frame of the stream in milliseconds, and frames per second.

        It is the thread's own time, which does not count how long others kept it waiting.
        """
        frames, busy, began = self.probe("frames"), self.metric("ThreadTime"), time.monotonic()
        self.page.wait_for_timeout(seconds * 1000)
        frames = self.probe("frames") - frames
        busy, elapsed = self.metric("ThreadTime") - busy, time.monotonic() - began
        return 1000 * busy / frames, frames / elapsed

    def longest_task_ms(self, after_ms: float) -> float:
        """Return the longest of the main thread's tasks of over 50 ms that began later than `after_ms`."""
        return max((took for began, took in self.probe("longTasks") if began > after_ms), default=0.0)

    def now_ms(self) -> float:
        """Return the page's age."""
        return float(self.page.evaluate("() => performance.now()"))

    def heap(self) -> float:
        """Return the bytes of JavaScript that are in use after a collection."""
        self.cdp.send("HeapProfiler.collectGarbage")
        return float(self.cdp.send("Runtime.getHeapUsage")["usedSize"])


class Chromium:
    """A browser whose pages have the probe."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    @contextmanager
    def open(self, url: str, script: str = "") -> Iterator[Seen]:
        """Open a page in a browser that knows nothing yet; `script` runs before the page's own."""
        context = self._browser.new_context(viewport={"width": 1280, "height": 800})
        context.add_init_script(PROBE + script)
        page = context.new_page()
        page.goto(url)
        try:
            yield Seen(page)
        finally:
            context.close()

    def weight(self, url: str, seconds: float = 4.0) -> float:
        """Return the bytes that come over the wire until a page stands."""
        context = self._browser.new_context()
        page = context.new_page()
        cdp = context.new_cdp_session(page)
        cdp.send("Network.enable")
        sizes: list[float] = []
        cdp.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.goto(url)
        page.wait_for_timeout(seconds * 1000)
        context.close()
        return sum(sizes)


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Start a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        try:
            yield Chromium(browser)
        finally:
            browser.close()


def repeated(times: int, measure: Callable[[], float]) -> tuple[float, float]:
    """Return the median and the worst of some measurements."""
    figures = [measure() for _ in range(times)]
    return statistics.median(figures), max(figures)
