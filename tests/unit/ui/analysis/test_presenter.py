"""Presenter of an analysis: the panel equals the API's response, and names what is missing."""

import asyncio
from typing import Any, get_args

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.models.analysis import Analysis as ApiAnalysis
from services.common.clock import SECOND
from services.quant.options import Conclusion
from services.ui.analysis import chart, panel, presenter, tables
from services.ui.analysis.chart import Thresholds
from services.ui.analysis.query import METHODS, AnalysisQuery, question
from services.ui.api.client import ApiClient
from services.ui.api.types import Analysis
from services.ui.charts import palette
from services.ui.state.page_context import PageContext, Props
from services.ui.widgets.formatting import NONE
from tests.unit.ui.conftest import PAIR, START_S, Make

ASKED = AnalysisQuery(f"/v1/pairs/{PAIR}/analysis", {"limit": 300, "window": 300})


def test_the_answer_the_tests_go_by_is_one_of_the_api(document: Make) -> None:
    for bars in (300, 20):
        ApiAnalysis.model_validate(document(bars))


def test_the_rows_hold_the_numbers_of_the_api(found: Make, document: Make) -> None:
    said, rows = document(), {row["name"]: row for row in tables.rows(found())}
    for name, part in (("Engle-Granger Y on X", "engle_granger_y_on_x"), ("ADF BTCUSDT", "adf_x")):
        test = said[part]
        assert (rows[name]["value"], rows[name]["p"], rows[name]["lags"], rows[name]["samples"]) == (
            test["statistic"],
            test["p_value"],
            test["lags"],
            test["samples"],
        )
        assert {level: rows[name][level] for level in ("1%", "5%", "10%")} == test["critical_values"]
    assert rows["Hedge ratio"]["value"] == said["regression"]["hedge_ratio"]
    assert rows["95 % interval, low"]["value"] == said["regression"]["low"]
    assert rows["Half-life, bars"]["value"] == said["half_life"]["samples"]
    assert rows["Ljung-Box"]["p"] == said["diagnostics"]["ljung_box"]["p_value"]
    assert len({row["id"] for row in tables.rows(found())}) == len(tables.rows(found()))


def test_what_is_missing_is_a_row_with_its_reason(found: Make) -> None:
    rows = tables.rows(found(20))
    assert len(rows) == len(tables.PARTS)
    assert {row["value"] for row in rows} == {None}
    assert {row["note"] for row in rows} == {"at least 30 observations are needed, there are 20"}
    assert presenter.missing(found(20)).endswith("at least 30 observations are needed, there are 20.")
    hurst = found(changed={"hurst": None, "not_enough_data": {"hurst": "100 are needed"}})
    assert presenter.missing(hurst) == "Hurst exponent: 100 are needed."


def test_the_coverage_says_which_bars_and_how_long(found: Make) -> None:
    assert presenter.coverage(found(), 0.204, "Asia/Tokyo") == (
        "300 bars of 1 s, 2023-11-15 07:08:20 JST to 2023-11-15 07:13:19 JST "
        "(2 dropped, because the other leg has none, 1 followed by a gap). Answered in 0.20 s."
    )
    assert (
        presenter.coverage(found(0), 1.0, "UTC") == "No bar of 1 s that both legs have. Answered in 1.00 s."
    )


@pytest.mark.parametrize(
    ("dataset", "kept", "said"),
    [
        (None, "drop", "ETHUSDT did not trade in 1\u202f200 bars (80.00\u202f%)."),
        ("d", "drop", "ETHUSDT did not trade in 1\u202f200 bars (80.00\u202f%), which are left out."),
        ("d", "keep", "ETHUSDT did not trade in 1\u202f200 bars (80.00\u202f%), which are kept."),
    ],
)
def test_the_coverage_says_what_is_no_observation_and_what_was_not_taken(
    found: Make, dataset: str | None, kept: str, said: str
) -> None:
    cut = "the newest 300 of 9,000 bars: ask for all by start=2024"
    changed = {
        "dataset": dataset,
        "carried": kept,
        "carried_y": 1_200,
        "carried_share_y": 0.8,
        "carried_x": None,
    }
    words = presenter.coverage(found(changed={**changed, "cut": cut, "data_every": 7}), 1.0, "UTC")
    assert "the chart shows one in 7). The newest 300 of 9,000 bars: ask for all by start=2024. " in words
    assert words.endswith(f"{said} Answered in 1.00 s.")
    assert said in presenter.coverage(found(0, changed=changed), 1.0, "UTC")


def test_numbers_are_as_long_as_they_deserve(found: Make) -> None:
    numbers = presenter.numbers(found())
    assert numbers["line"] == "0.051235"
    assert numbers["interval"] == "0.050400 to 0.052000 (95 %)"
    assert numbers["hac_interval"] == "0.049000 to 0.053400 (95 %)"
    assert numbers["half_life"] == "14.1 bars, 14.1 s; 95 %: 8.20 to 31.5 bars"


def test_a_half_life_without_an_end_is_no_number_that_looks_like_one(found: Make, document: Make) -> None:
    life = {**document()["half_life"], "high": None}
    assert (
        presenter.numbers(found(changed={"half_life": life}))["half_life"]
        == "14.1 bars, 14.1 s; 95 %: 8.20 to no end"
    )
    life |= {"corrected": None, "low": None}
    assert (
        presenter.numbers(found(changed={"half_life": life}))["half_life"] == "as likely none; 95 %: no end"
    )
    life |= {"samples": None, "seconds": None}
    assert presenter.numbers(found(changed={"half_life": life}))["half_life"] == "none"


def test_a_break_is_a_mark_on_the_chart_and_a_date_in_the_table(found: Make, document: Make) -> None:
    whole = document()
    at_us = whole["structural_break"]["at_us"]
    for is_found in (True, False):
        told = found(changed={"structural_break": {**whole["structural_break"], "found": is_found}})
        series = chart.chart("c", told, Thresholds(), "k")["c"]["series"]
        marks = [[mark["time"] for mark in one.get("markers", [])] for one in series]
        assert marks == [[at_us // SECOND] * is_found] * len(chart.PANES)
        row = next(row for row in tables.rows(told, "Asia/Tokyo") if row["name"] == "Break of the line")
        assert ("not found" in row["note"]) is not is_found
        assert "JST: " in row["note"]
        assert row["note"].endswith(", by sup-Wald")
        assert row["5%"] == whole["structural_break"]["critical_value"]


def test_every_conclusion_of_the_api_has_a_headline(found: Make) -> None:
    assert set(presenter.HEADLINES) == set(get_args(Conclusion))


def test_a_method_without_an_interval_says_so(found: Make, document: Make) -> None:
    line = {**document()["regression"], "low": None, "high": None}
    assert presenter.numbers(found(changed={"regression": line}, method="tls"))["interval"] == "none for tls"


def test_a_download_is_of_the_bars_that_are_shown(found: Make) -> None:
    answer = found()
    props = presenter.answered("p", ASKED, answer, 0.1, Thresholds())
    # Of so many bars of each leg others are left where the range ends with the last bar that both have.
    asked = f"window=300&start={answer.first_us}&end={(START_S - 1) * SECOND + 1}"
    assert props["p-csv"]["href"] == f"/download/v1/pairs/{PAIR}/analysis?{asked}&format=csv"
    assert props["p-json"]["href"] == f"/download/v1/pairs/{PAIR}/analysis?{asked}&series=false&format=json"


def test_everything_a_panel_is_told_has_a_place_in_it(found: Make) -> None:
    laid_out = [panel.controls("p", panel.EVERYTHING), panel.status("p"), panel.numbers("p", live=True)]
    ids = panel.ids(*laid_out, panel.chart("p"), panel.evidence("p"))
    assert set(presenter.answered("p", ASKED, found(), 0.1, Thresholds())) <= ids
    assert set(presenter.refused("p", "why")) <= ids


def test_nothing_of_an_old_answer_stays_beside_a_refusal(found: Make) -> None:
    answered = presenter.answered("p", ASKED, found(), 0.1, Thresholds())
    refused = presenter.refused("p", "why")
    assert set(answered) - set(refused) == {"p-of-all", "p-of-newest"}
    assert refused["p-number-line"]["children"] == NONE
    assert refused["p-empty"]["className"] == "pane-empty is-shown"


def test_the_series_are_those_of_the_api_with_gaps_where_nothing_is_known(
    found: Make, document: Make
) -> None:
    points = document()["data"]
    points[5] = {**points[5], "zscore": None}
    del points[8]
    series = chart.chart("c", found(changed={"data": points}), Thresholds(2.5, 0.25), "k")["c"]["series"]
    drawn = {one["id"]: one for one in series}[f"zscore|{PAIR}|1"]
    first = START_S - 300
    assert drawn["data"][3] == {"time": first + 3, "value": points[3]["zscore"]}
    # A point's colour is that of the line from it to the next.
    assert drawn["data"][4] == {"time": first + 4, "value": points[4]["zscore"], "color": palette.NOTHING}
    assert drawn["data"][5] == {"time": first + 5}
    assert [point.get("color") for point in drawn["data"][6:9]] == [None, palette.NOTHING, None]
    assert [line["price"] for line in drawn["priceLines"]] == [2.5, -2.5, 0.25, -0.25]
    assert [one["pane"] for one in series] == [0, 1, 2, 3]


@given(
    method=st.sampled_from(sorted(METHODS)),
    has_intercept=st.booleans(),
    window=st.one_of(st.integers(), st.just("")),
    dataset=st.sampled_from([None, "mine"]),
)
def test_what_is_asked_is_what_the_controls_say(
    method: str, has_intercept: bool, window: Any, dataset: str | None
) -> None:
    asks = {
        "pair": PAIR,
        "method": method,
        "intercept": has_intercept,
        "window": window,
        "bars": 500,
        "again": 1,
    }
    asked = question({**asks, "dataset": dataset})
    if isinstance(asked, str):
        assert not has_intercept
        assert method not in ("ols", "ols_origin")
        return
    expected = {"method": method if has_intercept else "ols_origin", "window": window, "limit": 500}
    assert asked.params == (expected if dataset is None else {**expected, "dataset": dataset})


def answered(site: PageContext, response: httpx.Response | Exception, **asks: Any) -> Props:
    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(response, Exception):
            raise response
        return response

    async def run() -> Props:
        async with ApiClient("http://api.test", httpx.MockTransport(handle)) as client:
            asking = PageContext(site.market, site.tracks, client, site.now)
            return await panel.answer(asking, "p", panel.WHAT_IF, {"pair": PAIR, **asks})

    return asyncio.run(run())


PROBLEM = {
    "detail": "limit: expected at most 10000",
    "errors": [{"field": "limit", "expected": "at most 10000", "received": "20000"}],
}


@pytest.mark.parametrize(
    ("response", "element", "says"),
    [
        (httpx.ConnectError("refused"), "p-status", "refused"),
        (httpx.Response(503, json={"detail": "the database is away"}), "p-status", "the database is away"),
        (httpx.Response(404, json={"detail": "expected one of A, B"}), "p-status", "Expected one of A, B."),
        (httpx.Response(200, json={"pair": 1}), "p-status", "Expected an analysis"),
    ],
)
def test_why_there_is_no_answer_is_said(
    site: PageContext, response: httpx.Response | Exception, element: str, says: str
) -> None:
    props = answered(site, response)
    assert says in props[element]["children"]
    assert props[element]["className"] == "panel-status is-error"


def test_a_refused_parameter_is_said_at_its_control(site: PageContext) -> None:
    props = answered(site, httpx.Response(422, json=PROBLEM))
    assert props["p-bars"] == {"error": "Expected at most 10000, received 20000."}
    assert props["p-window"] == {"error": ""}


def test_an_answer_is_shown_with_the_thresholds_of_the_pair(site: PageContext, document: Make) -> None:
    props = answered(site, httpx.Response(200, json=document()), window=300)
    assert props["p-status"]["children"] == ""
    zscores = next(one for one in props["chart-p"]["series"] if one["id"].startswith("zscore"))
    assert zscores["priceLines"][0]["price"] == 2.0


def test_an_answer_of_an_analysis_without_points_draws_nothing(found: Make) -> None:
    few: Analysis = found(20)
    props = presenter.answered("p", ASKED, few, 0.1, Thresholds())
    assert props["p-empty"]["children"].startswith("Not enough data: at least 30")
    assert all(one["data"] == [] for one in props["chart-p"]["series"])
