"""Pictures of every page of the dashboard: ``python -m tests.e2e.pictures FOLDER [PAGE ...]``.

Each page at three widths, in both themes, and in each state: live, stale, with many alerts, and without an API. The
numbers are those of the fake API.
"""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.e2e.fake_market import PAIRS
from tests.e2e.stage import CHROMIUM, CHROMIUM_ARGUMENTS, Served, serve_dashboard, serve_fake_api

WIDTHS = {1280: 800, 390: 844, 1920: 1080}
THEMES = ("dark", "light")
STATES = ("live", "stale", "alerts", "offline")
PAGES = {
    "overview": "overview",
    "market": "",
    "pairs": "pairs",
    "settings": "pairs?side=settings",
    "compared": f"pairs?vs={list(PAIRS)[1]}&side=sizes",
    "alerts": "alerts",
    "rules": "rules",
    "radar": "radar",
    "upload": "upload",
    "delivery": "delivery",
    "programs": "programs",
    "health": "health",
    "wall": "wall",
}
SETTLE_MS = 2_000


def reach(api: Served, state: str) -> None:
    """Have the fake API show `state`."""
    api.post("/fake/set", quality="stale" if state == "stale" else "ok")
    if state == "alerts":
        for pair in PAIRS:
            api.post("/fake/alert", pair=pair, state="firing")
    if state == "offline":
        api.stop()


def take(page: Page, url: str, folder: Path, names: list[str], state: str) -> None:
    """Take a picture of each page as it is open in `page`."""
    for name in names:
        for theme in THEMES:
            page.goto(f"{url}/{PAGES[name]}{'&' if '?' in PAGES[name] else '?'}theme={theme}&tour=0")
            page.wait_for_selector("main")
            page.wait_for_timeout(SETTLE_MS)
            for width, height in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": height})
                page.wait_for_timeout(SETTLE_MS // 3)
                path = folder / f"{name}-{state}-{width}-{theme}.png"
                page.screenshot(path=path)


def main() -> None:
    """Take all pictures."""
    folder, names = Path(sys.argv[1]), sys.argv[2:] or list(PAGES)
    folder.mkdir(parents=True, exist_ok=True)
    with serve_fake_api() as api, serve_dashboard(api.url) as dashboard, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        page = browser.new_page()
        for state in STATES:
            reach(api, state)
            take(page, dashboard.url, folder, names, state)
        browser.close()


if __name__ == "__main__":
    main()
