"""Fixtures of browser tests: a real Chromium before a real dashboard process."""

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.replayed import SharedPipeline
from tests.e2e.stage import (
    CHROMIUM,
    CHROMIUM_ARGUMENTS,
    Dashboard,
    Served,
    serve_dashboard,
    serve_fake_api,
    until,
)
from tests.pipeline import Pipeline

# A machine may have much else to do.
expect.set_options(timeout=20_000)

OpenPage = Callable[..., Dashboard]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here, and say why none runs where there is no browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            if not CHROMIUM.exists():
                item.add_marker(
                    pytest.mark.skip(reason=f"no browser: {CHROMIUM} is missing (apt install chromium)")
                )


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note for the fixtures whether the test has failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium; while Playwright runs no other event loop can, so it ends with the module."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """Open a dashboard; the test fails if the page complains or asks anything of another host."""
    opened: list[Dashboard] = []
    watched: list[Dashboard] = []

    def open_at(
        url: str,
        query: str = "",
        *,
        script: str = "",
        problems: bool = False,
        tour: bool = False,
        **options: Any,
    ) -> Dashboard:
        """Open `url`; `script` runs before the page's own, `problems` allows complaints in the console.

        Readers have seen the tour, unless it is to come.
        """
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        if not tour:
            context.add_init_script("localStorage.setItem('tour', 'seen')")
        if script:
            context.add_init_script(script)
        dashboard = Dashboard(context.new_page())
        dashboard.watch(url)
        watched.append(dashboard)
        dashboard.page.goto(f"{url}/{query}")
        dashboard.page.wait_for_selector("#services", state="attached")
        if not problems:
            opened.append(dashboard)
        return dashboard

    yield open_at
    try:
        if request.node.stash.get(FAILED, False):
            still_open = [dashboard for dashboard in watched if not dashboard.page.is_closed()]
            said = "\n".join(dashboard.report() for dashboard in still_open)
            request.node.add_report_section("teardown", "page", said)
    finally:
        for context in browser.contexts:
            context.close()
    assert [problem for dashboard in opened for problem in dashboard.problems] == []
    assert [url for dashboard in opened for url in dashboard.foreign] == []


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Served, Served]]:
    """Start the fake API and a dashboard over it, which outlive a module."""
    with serve_fake_api() as api, serve_dashboard(api.url) as dashboard:
        yield api, dashboard


@pytest.fixture(scope="module")
def fake_api(served: tuple[Served, Served]) -> Iterator[Served]:
    """Start the fake API anew for each module; a dashboard that finds it again forgets what it knew."""
    api, _ = served
    if api.process.poll() is not None:
        api.start()
    yield api
    api.stop()


@pytest.fixture(scope="module")
def dashboard_server(fake_api: Served, served: tuple[Served, Served]) -> Served:
    return served[1]


@pytest.fixture
def dashboard(open_page: OpenPage, dashboard_server: Served) -> Dashboard:
    """Return the page of the market over the fake API, with its candles drawn."""
    opened = open_page(dashboard_server.url)
    until(opened.bars, 30)
    expect(opened.page.locator("#candles-empty")).to_be_hidden()
    return opened


@pytest.fixture
def pairs_page(open_page: OpenPage, dashboard_server: Served) -> Dashboard:
    """Return the page of pairs over the fake API, with its lines drawn and a z-score."""
    opened = open_page(dashboard_server.url, "pairs")
    expect(opened.page.locator("#pair-empty")).to_be_hidden()
    expect(opened.page.locator("#metric-zscore")).to_contain_text(re.compile("[0-9]"))
    return opened


@pytest.fixture(scope="session")
def shared_pipeline(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SharedPipeline]:
    shared = SharedPipeline(request.session, tmp_path_factory.mktemp("recording") / "frames.ws.txt")
    yield shared
    shared.close()


@pytest.fixture(scope="module")
def running(shared_pipeline: SharedPipeline, request: pytest.FixtureRequest) -> Iterator[Pipeline]:
    """Return the pipeline over a replay that every file shares."""
    yield shared_pipeline.get()
    shared_pipeline.release(request.path)
