"""The dashboard in a real Chromium: how soon it shows data, and what it costs to keep it live.

    python -m benchmarks.page [--minutes 3]

Everything but the last line of alerts runs over the small API of the tests, which sends ten updates a second; the
page takes four frames a second of them. Chromium draws without a graphics card here: on a desk it costs less.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable

import psutil

from benchmarks.browser import FIRST_DATA, Chromium, Seen, chromium
from benchmarks.tabs import Tab, watch
from benchmarks.up import directory
from services.common.clock import now_us
from services.common.codec import encode
from services.contracts.messages import Alert
from services.contracts.topics import ALERTS
from services.ui.pages import PAGES
from tests.broker import produce
from tests.e2e.stage import Served, serve_dashboard, serve_fake_api
from tests.pipeline import pipeline

VISITS = 5
ALERTS_SENT = 20
BARS = 2_000
PAIRS = 100
TABS = 20
PAIR = "ETHUSDT-BTCUSDT"

# The page says when it has a toast about what, on the clock that all processes share.
TOASTS = """
    probe.toasts = {};
    new MutationObserver(() => {
        for (const toast of document.querySelectorAll(".mantine-Notification-root")) {
            const said = (toast.textContent.match(/alert \\d+ of the benchmark/) || [])[0];
            if (said) probe.toasts[said] ||= performance.timeOrigin + performance.now();
            if (said) toast.querySelector(".mantine-Notification-closeButton").click();
        }
    }).observe(document, { childList: true, subtree: true });
"""
SHOW = "range => window.dash_clientside.set_props('chart-candles', { visibleLogicalRange: range })"


def first_data(browser: Chromium, url: str) -> None:
    """Print how soon the first candle and the first z-score are drawn, in a browser that knows nothing yet."""
    for path, what in (("/", "first candle"), ("/pairs", "first z")):
        taken = []
        for _ in range(VISITS):
            with browser.open(url + path, FIRST_DATA) as seen:
                taken.append(seen.shown_ms(what))
        row(f"navigation to {what}", f"{statistics.median(taken):.0f} ms, worst {max(taken):.0f}", "2,000 ms")


def all_pairs(browser: Chromium, url: str) -> None:
    """Print how soon the first row of a table of many pairs is drawn, and what it costs to keep it live."""
    taken = []
    for _ in range(VISITS):
        with browser.open(f"{url}/overview", FIRST_DATA) as seen:
            taken.append(seen.shown_ms("first row"))
    what = f"navigation to first row of {PAIRS} pairs"
    row(what, f"{statistics.median(taken):.0f} ms, worst {max(taken):.0f}", "2,000 ms")
    with browser.open(f"{url}/overview") as seen:
        seen.settle()
        cost(f"Overview of {PAIRS} pairs", seen)


def weights(browser: Chromium, url: str) -> None:
    """Print what comes over the wire for the heaviest page."""
    sizes = {page.title: browser.weight(url + page.path) / 1e6 for page in PAGES}
    heaviest = max(sizes, key=lambda title: sizes[title])
    row(f"heaviest page over the wire, {heaviest}", f"{sizes[heaviest]:.2f} MB", "3 MB")


def costs(browser: Chromium, url: str) -> None:
    """Print what a frame costs the main thread on each page, and on a chart with many bars."""
    for page in PAGES:
        with browser.open(url + page.path) as seen:
            seen.settle()
            cost(page.title, seen)
    with browser.open(f"{url}/?interval=1s", FIRST_DATA) as seen:
        seen.shown_ms("first candle")
        cost(f"Market with {show_bars(seen):,} bars in sight", seen)


def show_bars(seen: Seen) -> int:
    """Scroll back until there are as many bars as wanted, put all of them in sight, and return how many."""
    bars = seen.page.evaluate(
        "() => dash_component_api.getLayout('chart-candles').props.series[0].data.length"
    )
    for wanted in (bars, 2 * bars, BARS):
        seen.page.wait_for_function(
            "count => dash_component_api.getLayout('chart-candles').props.series[0].data.length >= count",
            arg=wanted,
        )
        seen.page.evaluate(SHOW, {"from": 0, "to": wanted})
        seen.settle()
    return wanted


def cost(what: str, seen: Seen) -> None:
    """Print the work per frame and the longest task while a page is live."""
    began = seen.now_ms()
    work, rate = seen.cost_ms(10)
    row(f"main thread per update, {what}", f"{work:.1f} ms at {rate:.1f}/s", "15 ms")
    row(f"longest task, {what}", f"{seen.longest_task_ms(began):.0f} ms", "200 ms")


def alerts(browser: Chromium, url: str, send: Callable[[str], None], where: str) -> None:
    """Print how long an alert takes until its toast is in the page."""
    random.seed(1)
    with browser.open(f"{url}/alerts", TOASTS) as seen:
        seen.settle()
        delays = []
        for number in range(ALERTS_SENT):
            said = f"alert {number} of the benchmark"
            began = time.time()
            send(said)
            seen.page.wait_for_function("said => probe.toasts[said]", arg=said, timeout=5_000)
            delays.append(float(seen.probe(f"toasts[{said!r}]")) - 1000 * began)
            seen.page.wait_for_timeout(500 + random.random() * 1000)
    cuts = statistics.quantiles(delays, n=20, method="inclusive")
    row(f"alert {where} to toast, p50 and p95", f"{cuts[9]:.0f} and {cuts[18]:.0f} ms", "400 ms")


def alerts_of_the_topic(browser: Chromium) -> None:
    """Print the same for alerts on the topic of a whole pipeline."""
    with directory() as path, pipeline(path, "--feed", "synthetic") as running:

        def send(said: str) -> None:
            at = now_us()
            alert = Alert(
                alert_id=f"benchmark-{at}",
                rule_id="benchmark",
                pair=PAIR,
                event_us=at,
                state="firing",
                value=2.5,
                threshold=2.0,
                message=said,
            )
            produce(running.brokers, ALERTS.name, [(encode(alert), 0)], PAIR.encode())

        alerts(browser, running.dashboard, send, "on the topic")


def endurance(browser: Chromium, url: str, minutes: float) -> None:
    """Print how much a page grows that is left open."""
    for path, what in (("/?interval=1s", "Market"), ("/pairs", "Pairs")):
        with browser.open(url + path) as seen:
            seen.page.wait_for_timeout(30_000)
            before, nodes, began = seen.heap(), seen.metric("Nodes"), seen.now_ms()
            seen.page.wait_for_timeout(minutes * 60_000)
            growth = 100 * (seen.heap() / before - 1)
            row(
                f"heap of {what} after {minutes:g} min, from {before / 1e6:.1f} MB",
                f"{growth:+.1f} %, {seen.metric('Nodes') - nodes:+.0f} nodes",
                "10 %",
            )
            row(f"longest task in that time, {what}", f"{seen.longest_task_ms(began):.0f} ms", "200 ms")


def tabs_of(browser: Chromium, url: str) -> list[Tab]:
    """Return a tab of every page, as a browser opened it."""
    tabs = []
    for page in PAGES:
        with browser.open(url + page.path) as seen:
            seen.settle()
            selection = seen.page.evaluate("() => dash_component_api.getLayout('selection').props.data")
            tabs.append(Tab(seen.probe("requests[0]"), selection))
    return tabs


def many_tabs(tabs: list[Tab], server: Served) -> None:
    """Print what the server does for many tabs that look at every page and answer at once."""
    process = psutil.Process(server.process.pid)
    share, rate, kilobytes = watch(server.url, [tabs[n % len(tabs)] for n in range(TABS)], process)
    row(
        f"{TABS} tabs: the server's share of one core",
        f"{share:.0f} % at {rate:.1f} frames/s and {kilobytes:.1f} kB/s each",
        "100 %",
    )


def row(what: str, figure: str, budget: str) -> None:
    """Print one line of the table."""
    print(f"{what:<58} {figure:<36} below {budget}", flush=True)


def main(minutes: float = 3) -> None:
    """Print the table."""
    with serve_fake_api() as api, serve_dashboard(api.url) as server:
        with chromium() as browser:
            first_data(browser, server.url)
            weights(browser, server.url)
            costs(browser, server.url)
            alerts(
                browser, server.url, lambda said: api.post("/fake/alert", message=said), "in the API's stream"
            )
            alerts_of_the_topic(browser)
            endurance(browser, server.url, minutes)
            tabs = tabs_of(browser, server.url)
            api.post("/fake/many", pairs=PAIRS)
            all_pairs(browser, server.url)
        many_tabs(tabs, server)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=3)
    main(arguments.parse_args().minutes)
