"""A moment of the past on the page of pairs: by its time, by a click on its chart, and back to now."""

import re

import pytest
from playwright.sync_api import expect

from services.common.clock import SECOND, to_iso
from tests.e2e.conftest import OpenPage
from tests.e2e.replayed import PAIR
from tests.e2e.stage import until
from tests.e2e.test_pairs import hover
from tests.e2e.test_replay_pairs import opened
from tests.pipeline import Pipeline

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def test_a_moment_of_the_past_takes_the_place_of_the_present_and_gives_it_back(
    running: Pipeline, open_page: OpenPage
) -> None:
    pairs = opened(running, open_page, f"pairs?pair={PAIR}&range=5m")
    page = pairs.page
    signals = running.get(f"/v1/pairs/{PAIR}/signals?limit=200")["data"]
    asked = signals[-1]
    page.get_by_label("To, in the time zone of the page").fill(
        to_iso(asked["event_us"])[:19].replace("T", " ")
    )
    page.locator("#past-look").click()
    title, status = page.locator("#past-title"), page.locator("#past-status")
    expect(title).to_have_text(re.compile(f"^{PAIR} at .*: the past, not now$"), timeout=60_000)
    expect(status).to_have_text(re.compile(r"Window: \d+ samples, .* to .*"), timeout=60_000)
    expect(page.locator("#chart-pair")).to_be_hidden()
    expect(page.locator("#past-trades")).to_contain_text("Trades of ETHUSDT in the 10 s before")
    expect(page.locator("#past-numbers")).to_contain_text(f"{asked['y_price']:g}")
    drawn = {one["id"].split("|")[0]: one for one in pairs.props("chart-past")["series"]}
    assert drawn["zscore"]["data"][-1]["time"] * SECOND == asked["event_us"]
    # A click on its chart goes further back.
    box = page.locator("#chart-past").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.9 * (box["width"] - 72), box["y"] + 60, steps=5)
    page.mouse.down()
    page.mouse.up()
    until(lambda: pairs.props("past-asks")["data"]["at_us"] < asked["event_us"])
    page.get_by_role("button", name="To now").click()
    expect(page.locator("#chart-pair")).to_be_visible()
    expect(title).to_be_hidden()
    # The work of a second goes to its moment, too.
    hover(pairs, 0.9)
    page.mouse.down()
    page.mouse.up()
    page.locator("#past-from-work").click(timeout=60_000)
    expect(title).to_be_visible()
    second = pairs.props("work-asks")["data"]["second"]
    assert pairs.props("past-asks")["data"]["at_us"] == second * SECOND
