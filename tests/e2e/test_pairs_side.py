"""Sidebar of the pairs page over the fake API."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Dashboard, Served, until

PAIR = "ETHUSDT-BTCUSDT"
OTHER = "SOLUSDT-ETHUSDT"


@pytest.fixture(autouse=True)
def as_it_was(fake_api: Served) -> Iterator[None]:
    """Leave the fake API as the next test expects it."""
    yield
    fake_api.post("/fake/pairs", reset=True)


def tab(dashboard: Dashboard, name: str) -> None:
    dashboard.page.get_by_role("tab", name=name).click()


def choose(dashboard: Dashboard, element: str, option: str) -> None:
    dashboard.page.locator(f"#{element}").click()
    dashboard.page.get_by_role("option", name=option, exact=True).click()


def asked(dashboard: Dashboard, panel: str) -> dict[str, object]:
    """Return what the panel has last been answered to."""
    done: dict[str, object] = dashboard.props(f"{panel}-done").get("data") or {}
    return done


def rows(dashboard: Dashboard) -> dict[str, dict[str, object]]:
    return {row["name"]: row for row in dashboard.props("tests-rows").get("rowData", [])}


def field(dashboard: Dashboard, name: str) -> Locator:
    return dashboard.page.locator(f"#settings-{name}")


def test_the_verdict_comes_first_and_the_numbers_below_it(pairs_page: Dashboard) -> None:
    page = pairs_page.page
    expect(page.locator("#tests-verdict b")).to_have_text("Cointegrated")
    expect(page.locator("#tests-verdict")).to_contain_text("both ways round: Engle-Granger -4.21, p = 0.0031")
    expect(page.locator("#tests-coverage")).to_contain_text("1800 bars of 1 s, 20")
    expect(page.locator("#tests-coverage")).to_contain_text(
        "UTC (2 dropped, because the other leg has none, 1 followed"
    )
    row = until(lambda: rows(pairs_page))["Engle-Granger Y on X"]
    assert (row["value"], row["p"], row["lags"], row["5%"]) == (-4.21, 0.0031, 2, -3.35)
    assert {"ADF ETHUSDT", "ADF spread", "Half-life, s", "Hurst exponent", "R²", "Jarque-Bera"} <= set(
        rows(pairs_page)
    )
    expect(page.locator("#tests-rows .ag-pinned-left-cols-container")).to_contain_text("ADF BTCUSDT")


@pytest.mark.long
def test_the_statistics_can_be_saved_as_csv_and_json(pairs_page: Dashboard) -> None:
    page = pairs_page.page
    until(lambda: rows(pairs_page))
    with page.expect_download() as saved:
        page.locator("#tests-save").click()
    lines = saved.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith('"Test","Statistic","p","5 %"')
    assert lines[1].startswith('"Engle-Granger Y on X","-4.21","0.0031","-3.35","2"')
    with page.expect_download() as saved:
        page.locator("#tests-json").click()
    document = json.loads(saved.value.path().read_text(encoding="utf-8"))
    assert (document["pair"], document["bars"], document["data"]) == (PAIR, 1800, [])
    with page.expect_download() as saved:
        page.locator("#tests-csv").click()
    assert saved.value.path().read_text(encoding="utf-8").startswith("start_us,")


@pytest.mark.long
def test_every_choice_of_the_tests_is_asked_and_in_the_address(
    pairs_page: Dashboard, dashboard_server: Served, open_page: OpenPage
) -> None:
    until(lambda: asked(pairs_page, "tests"))
    pairs_page.page.get_by_text("Tests and their parameters").click()
    choose(pairs_page, "tests-method", "TLS, orthogonal")
    choose(pairs_page, "tests-interval", "1m")
    choose(pairs_page, "tests-transform", "Log prices")
    choose(pairs_page, "tests-trend", "Linear trend")
    choose(pairs_page, "tests-lags", "3")
    pairs_page.page.locator("#tests-bars").fill("600")
    expected = {
        "method": "tls",
        "interval": "1m",
        "bars": 600,
        "transform": "log",
        "trend": "ct",
        "lags": "3",
    }
    until(lambda: expected.items() <= asked(pairs_page, "tests").items())
    expect(pairs_page.page.locator("#tests-coverage")).to_contain_text("600 bars of 60 s")
    pairs_page.page.locator("#tests-again").click()
    until(lambda: asked(pairs_page, "tests").get("again") == 1)
    query = pairs_page.page.url.partition("/pairs")[2]
    again = open_page(dashboard_server.url, f"pairs{query}")
    until(lambda: expected.items() <= asked(again, "tests").items())
    again.page.get_by_text("Tests and their parameters").click()
    expect(again.page.locator("#tests-trend")).to_have_value("Linear trend")


@pytest.mark.long
def test_too_few_bars_are_a_state_with_a_reason(
    fake_api: Served, dashboard_server: Served, open_page: OpenPage
) -> None:
    fake_api.post("/fake/pairs", bars=20)
    page = open_page(dashboard_server.url, "pairs").page
    expect(page.locator("#tests-verdict b")).to_have_text("Not enough data")
    expect(page.locator("#tests-missing")).to_contain_text(
        "at least 30 observations are needed, there are 20"
    )
    tab(Dashboard(page), "What-if")
    expect(page.locator("#whatif-empty")).to_contain_text("Not enough data: at least 30 observations")


@pytest.mark.long
def test_a_what_if_begins_as_the_live_pair_and_changes_nothing_of_it(
    pairs_page: Dashboard, fake_api: Served
) -> None:
    page = pairs_page.page
    tab(pairs_page, "What-if")
    until(
        lambda: (
            {"method": "ols", "window": 300, "interval": "1s"}.items() <= asked(pairs_page, "whatif").items()
        )
    )
    expect(page.locator("#whatif-number-interval")).to_contain_text("(95 %)")
    expect(page.locator("#whatif-live-zscore")).to_contain_text(".")
    page.locator("#whatif-window").fill("120")
    until(lambda: asked(pairs_page, "whatif").get("window") == 120)
    expect(page.locator("#whatif-of-newest")).to_have_text("Newest bar, by the 120 before it")
    series = {one["id"]: one for one in pairs_page.props("chart-whatif")["series"]}
    assert {f"{name}|{PAIR}|1" for name in ("hedge_ratio", "spread", "zscore", "correlation")} == set(series)
    assert len(series[f"zscore|{PAIR}|1"]["data"]) == 1800
    assert pairs_page.colors_drawn("chart-whatif") > 5
    assert fake_api.get(f"/v1/pairs/{PAIR}")["window"] == 300
    assert "whatif=ols%2C120" in page.url
    assert "side=whatif" in page.url


@pytest.mark.long
def test_a_refused_value_is_said_at_its_field(pairs_page: Dashboard) -> None:
    page = pairs_page.page
    tab(pairs_page, "What-if")
    until(lambda: asked(pairs_page, "whatif"))
    page.locator("#whatif-window").fill("20000")
    expect(page.locator(".mantine-InputWrapper-error")).to_have_text(
        "Expected less than or equal to 10000, received 20000."
    )
    expect(page.locator("#whatif-number-line")).to_have_text("—")
    page.locator("#whatif-window").fill("200")
    expect(page.locator(".mantine-InputWrapper-error")).to_have_count(0)
    page.locator("#whatif-intercept").click()
    until(lambda: asked(pairs_page, "whatif").get("intercept") is False)
    choose(pairs_page, "whatif-method", "Huber")
    expect(page.locator("#whatif-status")).to_contain_text(
        "Without an intercept there is OLS alone, not Huber"
    )


@pytest.mark.long
def test_a_what_if_is_of_a_range_that_is_in_the_address(
    pairs_page: Dashboard, dashboard_server: Served, open_page: OpenPage
) -> None:
    page = pairs_page.page
    tab(pairs_page, "What-if")
    until(lambda: asked(pairs_page, "whatif"))
    choose(pairs_page, "whatif-interval", "1m")
    page.locator("#whatif-start").fill("2026-01-31 12:30")
    page.locator("#whatif-end").fill("2026-01-31 13:30")
    expect(page.locator("#whatif-coverage")).to_contain_text("60 bars of 60 s, 2026-01-31 12:30:00 UTC")
    expect(page.locator("#whatif-bars")).to_be_disabled()
    same = open_page(dashboard_server.url, page.url.split("/")[-1])
    expect(same.page.locator("#whatif-end")).to_have_value("2026-01-31 13:30")
    expect(same.page.locator("#whatif-coverage")).to_contain_text("60 bars of 60 s")
    page.locator("#whatif-end").fill("")
    error = page.locator(".mantine-InputWrapper-error")
    expect(error).to_contain_text("Expected a start with at most 10000 bars until the end")
    page.locator("#whatif-start").fill("")
    expect(error).to_have_count(0)
    expect(page.locator("#whatif-bars")).to_be_enabled()


@pytest.mark.long
def test_a_what_if_can_be_put_into_the_settings(pairs_page: Dashboard, fake_api: Served) -> None:
    tab(pairs_page, "What-if")
    until(lambda: asked(pairs_page, "whatif"))
    choose(pairs_page, "whatif-interval", "1m")
    choose(pairs_page, "whatif-transform", "Log prices")
    pairs_page.page.locator("#whatif-apply").click()
    expect(field(pairs_page, "window")).to_have_value("18000")
    expect(field(pairs_page, "transform")).to_have_value("Log prices")
    expect(pairs_page.page.locator("#settings-status")).to_contain_text(
        "300 bars of 1m is 18000 samples of 1 s"
    )
    expect(pairs_page.page.locator("#settings-edits")).to_have_text("Not saved yet: window, values")
    assert fake_api.get(f"/v1/pairs/{PAIR}")["window"] == 300


@pytest.mark.long
def test_only_what_was_changed_is_saved_and_what_follows_is_said(
    pairs_page: Dashboard, fake_api: Served
) -> None:
    tab(pairs_page, "Settings")
    save = pairs_page.page.locator("#settings-save")
    expect(field(pairs_page, "entry_z")).to_have_value("2")
    expect(save).to_be_disabled()
    field(pairs_page, "entry_z").fill("2.5")
    save.click()
    expect(pairs_page.page.locator("#settings-status")).to_contain_text("the window stays as it is")
    expect(pairs_page.page.locator("#legend-zscore")).to_contain_text("entry ±2.5", timeout=2000)
    assert pairs_page.props("settings-asks")["data"]["change"] == {"entry_z": 2.5}
    expect(save).to_be_disabled()
    field(pairs_page, "window").fill("600")
    choose(pairs_page, "settings-method", "Kalman filter")
    save.click()
    expect(pairs_page.page.locator("#settings-status")).to_have_text(
        "Saved. The window fills again: the first z-score after 300 samples, about 5 min, "
        "a full window after 600 samples, about 10 min."
    )
    kept = fake_api.get(f"/v1/pairs/{PAIR}")
    assert (kept["window"], kept["method"], kept["entry_z"]) == (600, "kalman", 2.5)


@pytest.mark.long
def test_an_alert_can_be_gated_by_the_reversion(pairs_page: Dashboard, fake_api: Served) -> None:
    tab(pairs_page, "Settings")
    expect(field(pairs_page, "only_while_reverting")).not_to_be_checked()
    field(pairs_page, "only_while_reverting").check()
    expect(pairs_page.page.locator("#settings-edits")).to_have_text(
        "Not saved yet: alert only while reverting"
    )
    pairs_page.page.locator("#settings-save").click()
    expect(pairs_page.page.locator("#settings-status")).to_contain_text("the window stays as it is")
    assert fake_api.get(f"/v1/pairs/{PAIR}")["only_while_reverting"] is True


@pytest.mark.long
def test_what_the_api_refuses_is_said_at_the_field_in_its_words(
    pairs_page: Dashboard, fake_api: Served
) -> None:
    tab(pairs_page, "Settings")
    expect(field(pairs_page, "exit_z")).to_have_value("0.5")
    field(pairs_page, "exit_z").fill("3")
    pairs_page.page.locator("#settings-save").click()
    error = pairs_page.page.locator(".mantine-InputWrapper-error")
    expect(error).to_have_text("Expected exit_z below entry_z 2.")
    field(pairs_page, "exit_z").fill("0.5")
    for value, said in (
        ("1000000", "less than or equal to 100000, received 1000000"),
        ("", "a valid integer, received nothing"),
    ):
        field(pairs_page, "window").fill(value)
        pairs_page.page.locator("#settings-save").click()
        expect(error).to_contain_text(said)
    pairs_page.page.locator("#settings-discard").click()
    expect(error).to_have_count(0)
    expect(field(pairs_page, "window")).to_have_value("300")
    fake_api.post("/fake/pairs", role="read")
    field(pairs_page, "stale_after_s").fill("7")
    pairs_page.page.locator("#settings-save").click()
    expect(pairs_page.page.locator("#settings-status")).to_contain_text(
        "Not saved. Expected a caller with the role write"
    )
    expect(pairs_page.page.locator("#settings-status")).to_contain_text("PAIRSTREAM_API_KEY")


@pytest.mark.long
def test_a_change_by_somebody_else_is_said_and_overwrites_no_edit(
    pairs_page: Dashboard, fake_api: Served
) -> None:
    tab(pairs_page, "Settings")
    expect(field(pairs_page, "window")).to_have_value("300")
    field(pairs_page, "min_samples").fill("50")
    fake_api.post("/fake/pair", pair=PAIR, window=450)
    elsewhere = pairs_page.page.locator("#settings-elsewhere")
    expect(elsewhere).to_have_text("Changed elsewhere: window is now 450.", timeout=10_000)
    expect(field(pairs_page, "window")).to_have_value("450")
    expect(field(pairs_page, "min_samples")).to_have_value("50")
    field(pairs_page, "window").fill("500")
    fake_api.post("/fake/pair", pair=PAIR, window=460)
    expect(elsewhere).to_contain_text("window is now 460 (yours is kept here, not saved)", timeout=10_000)
    expect(field(pairs_page, "window")).to_have_value("500")
