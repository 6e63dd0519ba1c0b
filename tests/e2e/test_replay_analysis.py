"""Controls of the analysis panels, live or uploaded, over a running pipeline."""

from typing import Any

import pytest
from playwright.sync_api import expect

from services.common.clock import SECOND, to_iso
from services.ui.widgets.formatting import NONE
from tests.e2e.conftest import OpenPage
from tests.e2e.replayed import LOAD_S, PAIR, answered, has_the_tests, saved, says
from tests.e2e.stage import Dashboard, until
from tests.e2e.test_pairs_side import asked, choose, field, tab
from tests.e2e.test_replay_pairs import pairs
from tests.e2e.test_replay_upload import BARS, clean, dataset
from tests.pipeline import Pipeline

__all__ = ["clean", "dataset", "pairs"]
pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def test_every_choice_of_the_tests_is_answered_by_the_api(running: Pipeline, pairs: Dashboard) -> None:
    page = pairs.page
    page.get_by_text("Tests and their parameters").click()
    found = answered(pairs, running, "tests", method="ols", bars=1800)

    has_the_tests(pairs, "tests", found)
    chosen: dict[str, Any] = {}
    for control, option, value in (
        ("method", "TLS, orthogonal", "tls"),
        ("transform", "Log prices", "log"),
        ("trend", "Linear trend", "ct"),
        ("lags", "3", "3"),
    ):
        choose(pairs, f"tests-{control}", option)
        chosen[control] = value
        found = answered(pairs, running, "tests", **chosen)
        assert (found["method"], found["transform"]) == (chosen["method"], chosen.get("transform", "price"))
        has_the_tests(pairs, "tests", found)
    assert found["adf_spread"]["lags"] == 3
    page.locator("#tests-bars").fill("200")
    wider, found = found, answered(pairs, running, "tests", bars=200)
    # So many of each leg, of which both have fewer.
    assert found["bars"] <= 200 < wider["bars"]
    has_the_tests(pairs, "tests", found)
    before = page.locator("#tests-json").get_attribute("href")
    page.locator("#tests-again").click()
    found = answered(pairs, running, "tests", again=1)
    assert page.locator("#tests-json").get_attribute("href") != before
    has_the_tests(pairs, "tests", found)
    with page.expect_download() as download:
        page.locator("#tests-save").click()
    statistic = found["engle_granger_y_on_x"]["statistic"]
    assert f'"Engle-Granger Y on X","{statistic}"' in download.value.path().read_text(encoding="utf-8-sig")
    for name in ("csv", "json"):
        link = page.locator(f"#tests-{name}")
        with page.expect_download() as download:
            link.click()
        assert download.value.path().read_bytes() == saved(running, link.get_attribute("href")).content
    choose(pairs, "tests-interval", "1h")
    until(lambda: asked(pairs, "tests").get("interval") == "1h", LOAD_S)
    expect(page.locator("#tests-verdict b")).to_have_text("Not enough data")


def test_every_choice_of_a_what_if_is_answered_by_the_api(running: Pipeline, pairs: Dashboard) -> None:
    page = pairs.page
    before = running.get(f"/v1/pairs/{PAIR}")
    tab(pairs, "What-if")
    assert answered(pairs, running, "whatif", method="ols", window=300)["window"] == 300
    page.locator("#whatif-window").fill("60")
    page.locator("#whatif-bars").fill("400")
    choose(pairs, "whatif-transform", "Log prices")
    choose(pairs, "whatif-method", "EWMA")
    chosen = {"window": 60, "bars": 400, "transform": "log", "method": "ewma"}
    _same_what_if(pairs, running, **chosen)
    choose(pairs, "whatif-method", "OLS")
    page.locator("#whatif-intercept").click()
    expect(page.locator(".mantine-InputWrapper-error")).to_contain_text(
        "Log prices have no line without an intercept"
    )
    choose(pairs, "whatif-transform", "Prices")
    chosen = {**chosen, "transform": "price"}
    found = _same_what_if(pairs, running, **{**chosen, "method": "ols", "intercept": False})
    assert found["method"] == "ols_origin"
    newest = found["last_us"] // SECOND
    start, end = newest // 60 * 60 - 300, newest // 60 * 60 - 120
    for name, second in (("start", start), ("end", end)):
        page.locator(f"#whatif-{name}").fill(to_iso(second * SECOND)[:16])
    found = _same_what_if(pairs, running, start=start * SECOND, end=end * SECOND)
    assert start * SECOND <= found["first_us"] < found["last_us"] < end * SECOND
    expect(page.locator("#whatif-bars")).to_be_disabled()
    for name in ("start", "end"):
        page.locator(f"#whatif-{name}").fill("")
    until(lambda: not asked(pairs, "whatif").keys() & {"start", "end"}, LOAD_S)
    page.locator("#whatif-again").click()
    _same_what_if(pairs, running, again=1)
    choose(pairs, "whatif-interval", "5m")
    until(lambda: asked(pairs, "whatif").get("interval") == "5m", LOAD_S)
    expect(page.locator("#whatif-empty")).to_contain_text("Not enough data")
    page.locator("#whatif-apply").click()
    expect(field(pairs, "window")).to_have_value(str(60 * 300))
    expect(page.locator("#settings-edits")).to_have_text("Not saved yet: window, intercept")
    now = running.get(f"/v1/pairs/{PAIR}")
    assert {**now, "last_signal": None} == {**before, "last_signal": None}


def _same_what_if(dashboard: Dashboard, running: Pipeline, **choices: Any) -> dict[str, Any]:
    """Return the API's statistics of a what-if, which are those that are shown, as are its rolling numbers."""
    found = answered(dashboard, running, "whatif", **choices)
    link = dashboard.props("whatif-csv")["href"]
    rolling = saved(running, link.replace("format=csv", "format=json")).json()["data"]
    numbers = {name: rolling[-1][name] for name in ("hedge_ratio", "spread", "zscore", "correlation")}
    numbers |= {"line": found["regression"]["hedge_ratio"], "r_squared": found["regression"]["r_squared"]}
    zscores = [one["zscore"] for one in rolling if one["zscore"] is not None]

    def same() -> bool:
        series = {one["id"].partition("|")[0]: one for one in dashboard.props("chart-whatif")["series"]}
        drawn = [point["value"] for point in series["zscore"]["data"] if "value" in point]
        shown = {name: dashboard.text(f"whatif-number-{name}") for name in numbers}
        return drawn == zscores and all(
            says(shown[name], value) if value is not None else shown[name] == NONE
            for name, value in numbers.items()
        )

    until(same, LOAD_S)
    return found


def test_two_symbols_of_a_dataset_are_analysed_by_the_api(
    running: Pipeline, open_page: OpenPage, dataset: str
) -> None:
    dashboard = open_page(running.dashboard, f"upload?dataset={dataset}")
    page = dashboard.page
    page.locator("#dataset-show").get_by_text("Pair", exact=True).click()
    answered(dashboard, running, "study", pair="BTCUSDT-ETHUSDT")
    choose(dashboard, "dataset-y", "ETHUSDT")
    expect(page.get_by_role("option")).to_have_count(0)
    choose(dashboard, "dataset-x", "BTCUSDT")
    found = answered(dashboard, running, "study", pair="ETHUSDT-BTCUSDT")
    assert (found["pair"], found["bars"]) == ("ETHUSDT-BTCUSDT", BARS - 3)
    has_the_tests(dashboard, "study", found)
    chosen: dict[str, Any] = {"window": 50}
    page.locator("#study-window").fill("50")
    for control, option, value in (
        ("transform", "Log prices", "log"),
        ("trend", "Linear trend", "ct"),
        ("lags", "3", "3"),
        ("method", "Huber", "huber"),
    ):
        choose(dashboard, f"study-{control}", option)
        chosen[control] = value
        has_the_tests(dashboard, "study", answered(dashboard, running, "study", **chosen))
    choose(dashboard, "study-transform", "Prices")
    choose(dashboard, "study-method", "OLS")
    page.locator("#study-intercept").click()
    found = answered(dashboard, running, "study", intercept=False, method="ols", transform="price")
    assert (found["method"], found["window"]) == ("ols_origin", 50)
    page.locator("#dataset-interval").get_by_text("5m").click()
    found = answered(dashboard, running, "study", interval="5m", again=0)
    assert found["bar_s"] == 300
    page.locator("#study-again").click()
    has_the_tests(dashboard, "study", answered(dashboard, running, "study", again=1))
    for name in ("csv", "json"):
        link = page.locator(f"#study-{name}")
        with page.expect_download() as download:
            link.click()
        assert download.value.path().read_bytes() == saved(running, link.get_attribute("href")).content
    with page.expect_download() as download:
        page.locator("#study-save").click()
    assert str(found["regression"]["hedge_ratio"]) in download.value.path().read_text(encoding="utf-8-sig")
    same = open_page(running.dashboard, page.url.rpartition("/")[2])
    answered(same, running, "study", pair="ETHUSDT-BTCUSDT", interval="5m", window=50, intercept=False)
