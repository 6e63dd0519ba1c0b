"""A click on the chart of a pair opens the work of that second: the arithmetic, and a program that computes it."""

import contextlib
import io
import re

import pytest
from playwright.sync_api import expect

from services.common.clock import SECOND
from tests.e2e.conftest import OpenPage
from tests.e2e.replayed import PAIR
from tests.e2e.stage import until
from tests.e2e.test_pairs import hover
from tests.e2e.test_replay_pairs import opened
from tests.pipeline import Pipeline

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def test_a_click_on_the_chart_shows_how_the_zscore_comes_about(
    running: Pipeline, open_page: OpenPage
) -> None:
    pairs = opened(running, open_page, f"pairs?pair={PAIR}&range=5m")
    page = pairs.page
    hover(pairs, 0.9)
    page.mouse.down()
    page.mouse.up()
    status = page.locator("#work-status")
    expect(status).to_have_text(re.compile("equal to the published value"), timeout=60_000)
    expect(page.locator(".work-steps")).to_contain_text("z-score")
    second = pairs.props("work-asks")["data"]["second"]
    path = f"/v1/pairs/{PAIR}/signals/{second * SECOND}/work"
    program = page.locator("#work-program").inner_text()
    published = running.get(path)["zscore"]
    # The page's API stands where the program reads; the digits are those that were published.
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program, "program", "exec"), {})  # noqa: S102
    assert float(printed.getvalue().rpartition("z-score ")[2]) == pytest.approx(published, rel=1e-9)
    href = page.locator("#work-csv").get_attribute("href")
    assert href is not None
    page.keyboard.press("Escape")
    until(lambda: not pairs.props("work").get("opened"))
