"""Controls of the pairs page over a running pipeline: the API then says what was set."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from services.common.clock import SECOND
from tests.e2e.conftest import OpenPage
from tests.e2e.replayed import CALM_Z, LOAD_S, OTHER_PAIR, PAIR, patch, prices, saved, says
from tests.e2e.stage import Dashboard, until
from tests.e2e.test_pairs import hover, lines
from tests.e2e.test_pairs_side import choose, field, tab
from tests.pipeline import Pipeline

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

NEW_PAIR = "BTCUSDT-SOLUSDT"
CARDS = ("y", "x", "spread", "zscore", "hedge-ratio", "correlation")
OF_SIGNALS = ("y_price", "x_price", "spread", "zscore", "hedge_ratio", "correlation")
OLDER_POINTS = 1_800


@pytest.fixture
def pairs(running: Pipeline, open_page: OpenPage) -> Dashboard:
    return opened(running, open_page, f"pairs?pair={PAIR}")


@pytest.fixture
def restored(running: Pipeline) -> Iterator[None]:
    """Leave the pairs as they were."""
    kept = {name: running.get(f"/v1/pairs/{name}") for name in (PAIR, OTHER_PAIR)}
    yield
    for name, was in kept.items():
        patch(
            running,
            name,
            **{key: was[key] for key in was.keys() - {"pair", "y", "x", "warning", "last_signal"}},
        )


def opened(running: Pipeline, open_page: OpenPage, path: str) -> Dashboard:
    dashboard = open_page(running.dashboard, path)
    expect(dashboard.page.locator("#pair-empty")).to_be_hidden(timeout=1000 * LOAD_S)
    expect(dashboard.page.locator("#metric-zscore")).to_contain_text(re.compile("[0-9]"))
    return dashboard


def signals(running: Pipeline, pair: str, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = running.get(f"/v1/pairs/{pair}/signals?limit={limit}")["data"]
    return found


def test_the_cards_say_what_the_api_says(running: Pipeline, pairs: Dashboard) -> None:
    read = "ids => ids.map(id => document.getElementById('metric-' + id).innerText)"

    def same() -> bool:
        shown = pairs.page.evaluate(read, list(CARDS[2:]))
        known = [running.get(f"/v1/pairs/{PAIR}")["last_signal"], *signals(running, PAIR, 50)]
        return any(
            all(says(text, one[name]) for text, name in zip(shown, OF_SIGNALS[2:], strict=True))
            for one in known
        )

    def same_prices() -> bool:
        shown = pairs.page.evaluate(read, list(CARDS[:2]))
        traded = [prices(running, leg) for leg in PAIR.split("-")]
        return all(
            any(says(text, price) for price in found) for text, found in zip(shown, traded, strict=True)
        )

    until(same, LOAD_S)
    until(same_prices, LOAD_S)

    def same_fit() -> bool:
        if not (band := lines(pairs)["high"]["data"]):
            return False
        first, *_, high = band
        period = f"start={first['time'] * SECOND}&end={(high['time'] + 1) * SECOND}"
        params = f"interval=1s&window=300&min_samples=5&series=false&{period}"
        found = running.get(f"/v1/pairs/{PAIR}/analysis?{params}")
        return bool(high["value"] == found["regression"]["high"])

    def same_reversion() -> bool:
        known = [running.get(f"/v1/pairs/{PAIR}")["last_signal"], *signals(running, PAIR, 50)]
        return pairs.text("metric-reversion") in {one["reversion"] for one in known}

    until(lambda: "high" in lines(pairs), LOAD_S)
    until(same_fit, LOAD_S)
    until(same_reversion, LOAD_S)
    expect(pairs.page.locator("#label-y")).to_have_text(PAIR.split("-")[0])


def test_the_lines_are_the_signals_of_the_api(running: Pipeline, pairs: Dashboard) -> None:
    drawn = {point["time"]: point["value"] for point in lines(pairs)["zscore"]["data"] if "value" in point}
    known = {one["event_us"] // SECOND: one["zscore"] for one in signals(running, PAIR, 3000)}
    assert drawn
    assert drawn.items() <= known.items()
    hover(pairs, 0.97)
    told = pairs.page.locator("#hover-zscore")
    expect(told).not_to_be_empty()
    assert any(says(told.inner_text(), zscore) for zscore in known.values() if zscore is not None)
    for pane in ("prices", "spread", "hedge-ratio", "correlation"):
        expect(pairs.page.locator(f"#hover-{pane}")).not_to_be_empty()


def test_pair_range_and_panes_are_chosen_and_in_the_address(
    running: Pipeline, pairs: Dashboard, open_page: OpenPage
) -> None:
    page = pairs.page
    page.locator("#pair-select").fill("SOL")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(lambda: f"zscore|{OTHER_PAIR}|30m" in [one["id"] for one in lines(pairs).values()], LOAD_S)
    expect(page.locator("#label-y")).to_have_text("SOLUSDT")
    for label, name in (("5 min", "5m"), ("2 h", "2h"), ("1 day", "1d"), ("30 min", "30m")):
        page.locator("#range-select").get_by_text(label, exact=True).click()
        until(lambda name=name: f"zscore|{OTHER_PAIR}|{name}" in _ids(pairs), LOAD_S)  # type: ignore[misc]
        if name == "1d":
            expect(page.locator("#legend-zscore")).to_contain_text(
                "Of each minute its lowest, highest and smallest"
            )
    for label, pane in (("Prices", "prices"), ("Spread", "spread"), ("z-score", "zscore")):
        page.locator(".chips").get_by_text(label, exact=True).click()
        expect(page.locator(f"#pane-{pane}")).to_be_hidden()
    until(lambda: [one for one in lines(pairs) if one in CARDS] == ["hedge-ratio", "correlation"], LOAD_S)
    page.locator(".chips").get_by_text("Hedge ratio", exact=True).click()
    until(lambda: [one for one in lines(pairs) if one in CARDS] == ["correlation"], LOAD_S)
    same = opened(running, open_page, page.url.split("/")[-1])
    until(lambda: [one for one in lines(same) if one in CARDS] == ["correlation"], LOAD_S)
    expect(same.page.locator("#pair-select")).to_have_value(OTHER_PAIR)
    same.page.locator(".chips").get_by_text("Correlation", exact=True).click()
    until(lambda: same.props("pane-choice")["value"] == ["correlation"])
    page.locator(".chips").get_by_text("z-score", exact=True).click()
    until(lambda: "zscore" in lines(pairs), LOAD_S)
    assert saved(running, page.locator("#pair-csv").get_attribute("href")).text.count(OTHER_PAIR) > 5


def _ids(dashboard: Dashboard) -> list[str]:
    return [one["id"] for one in lines(dashboard).values()]


@pytest.mark.usefixtures("restored")
def test_every_setting_is_saved_in_the_api(running: Pipeline, pairs: Dashboard) -> None:
    page = pairs.page
    tab(pairs, "Settings")
    save, status = page.locator("#settings-save"), page.locator("#settings-status")
    expect(field(pairs, "window")).to_have_value("300")
    field(pairs, "entry_z").fill("5")
    expect(page.locator("#settings-edits")).to_have_text("Not saved yet: entry |z|")
    page.locator("#settings-discard").click()
    expect(field(pairs, "entry_z")).to_have_value(f"{CALM_Z:g}")
    field(pairs, "entry_z").fill("12.5")
    field(pairs, "exit_z").fill("1.25")
    field(pairs, "stale_after_s").fill("30")
    field(pairs, "only_while_reverting").click()
    save.click()
    expect(status).to_contain_text("the window stays as it is")
    expect(page.locator("#legend-zscore")).to_contain_text("entry ±12.5")
    field(pairs, "window").fill("40")
    field(pairs, "min_samples").fill("7")
    field(pairs, "intercept").click()
    save.click()
    expect(status).to_have_text(
        "Saved. The window fills again: the first z-score after 7 samples, a full window after 40 samples."
    )
    choose(pairs, "settings-method", "TLS, orthogonal")
    save.click()
    expect(page.locator(".mantine-InputWrapper-error, .panel-status.is-error").first).to_contain_text(
        "Expected"
    )
    choose(pairs, "settings-transform", "Log prices")
    field(pairs, "intercept").click()
    save.click()
    expect(status).to_contain_text("Saved. The window fills again")
    now = running.get(f"/v1/pairs/{PAIR}")
    assert {
        name: now[name] for name in now if name not in ("pair", "y", "x", "warning", "last_signal", "paused")
    } == {
        "window": 40,
        "method": "tls",
        "transform": "log",
        "intercept": True,
        "min_samples": 7,
        "entry_z": 12.5,
        "exit_z": 1.25,
        "stale_after_s": 30.0,
        "only_while_reverting": True,
    }
    until(lambda: [one["method"] for one in signals(running, PAIR, 1)] == ["tls"], LOAD_S)
    expect(page.locator("#metric-hedge-ratio-note")).to_contain_text("TLS, window 40")
    expect(page.locator("#metric-spread-note")).to_have_text("log prices")


def test_a_pair_is_added_paused_resumed_and_removed_in_the_api(running: Pipeline, pairs: Dashboard) -> None:
    page = pairs.page
    tab(pairs, "Pairs")

    def watched() -> dict[str, bool]:
        return {one["pair"]: one["paused"] for one in running.get("/v1/pairs")["data"]}

    page.locator("#add-y").fill("btcusdt")
    choose(pairs, "add-x", "SOLUSDT")
    try:
        page.locator("#manage-add").click()
        expect(page.locator("#add-status")).to_contain_text(f"{NEW_PAIR} is watched: OLS on prices")
        expect(page.locator("#pair-select")).to_have_value(NEW_PAIR)
        assert watched()[NEW_PAIR] is False
        until(lambda: signals(running, NEW_PAIR, 1), LOAD_S)
        expect(page.locator("#metric-zscore")).to_contain_text(re.compile(r"\d\.\d\d"), timeout=1000 * LOAD_S)
        page.locator("#manage-pause").click()
        expect(page.locator("#manage-state")).to_have_text(f"{NEW_PAIR} is paused.")
        assert watched()[NEW_PAIR] is True
        expect(page.locator("#metric-zscore-note")).to_have_text("paused, last known")
        last = until(lambda: _at_rest(running, pairs), LOAD_S)
        page.locator("#manage-pause").click()
        expect(page.locator("#manage-state")).to_have_text(f"{NEW_PAIR} is measured.")
        assert watched()[NEW_PAIR] is False
        until(lambda: signals(running, NEW_PAIR, 1)[0]["event_us"] > last, LOAD_S)
        page.locator("#manage-remove").click()
        dialog = page.get_by_role("dialog", name="Remove this pair?")
        page.locator("#remove-keep").click()
        expect(dialog).to_be_hidden()
        assert NEW_PAIR in watched()
        page.locator("#manage-remove").click()
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_be_hidden()
        page.locator("#manage-remove").click()
        page.locator("#remove-do").click()
        expect(page.locator("#manage-status")).to_contain_text(f"{NEW_PAIR} is removed.")
        until(lambda: NEW_PAIR not in watched(), LOAD_S)
        assert signals(running, NEW_PAIR, 1)
    finally:
        httpx.delete(f"{running.api}/v1/pairs/{NEW_PAIR}")


def _at_rest(running: Pipeline, dashboard: Dashboard) -> int:
    """Return the moment of the new pair's last signal once none comes any more while the market goes on."""
    before = signals(running, NEW_PAIR, 1)
    dashboard.changes("clock", times=3, seconds=LOAD_S)
    return int(before[0]["event_us"]) if signals(running, NEW_PAIR, 1) == before else 0


def test_older_signals_come_when_the_left_end_is_in_sight(running: Pipeline, open_page: OpenPage) -> None:
    # As many as a chart begins with, and more.
    until(lambda: len(signals(running, PAIR, 4000)) > OLDER_POINTS + 400, 280)
    dashboard = opened(running, open_page, f"pairs?pair={PAIR}&panes=zscore")
    until(lambda: len(lines(dashboard)["zscore"]["data"]) >= OLDER_POINTS, LOAD_S)
    until(lambda: dashboard.props("chart-pair").get("visibleRange"), LOAD_S)
    first = lines(dashboard)["zscore"]["data"][0]["time"]
    show = "range => window.dash_clientside.set_props('chart-pair', { visibleLogicalRange: range })"
    dashboard.page.evaluate(show, {"from": -100, "to": 900})
    until(lambda: lines(dashboard)["zscore"]["data"][0]["time"] < first - 300, LOAD_S)
    drawn = {
        point["time"]: point["value"] for point in lines(dashboard)["zscore"]["data"] if "value" in point
    }
    older = {second: value for second, value in drawn.items() if second < first}
    until_us = f"end={first * SECOND}&limit=10000"
    known = running.get(f"/v1/pairs/{PAIR}/signals?{until_us}")["data"]
    assert older.items() <= {one["event_us"] // SECOND: one["zscore"] for one in known}.items()
