"""Presenter of a calibration: the panel equals the API's response, and names what is missing."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from dash.development.base_component import Component

from services.api.models.calibration import Calibration as ApiCalibration
from services.common.clock import HOUR, SECOND
from services.ui.analysis.panel import ids
from services.ui.api.client import ApiClient
from services.ui.api.types import Calibration
from services.ui.calibration import figures, panel, presenter
from services.ui.calibration.presenter import PREFIX, TITLES, question
from services.ui.state.page_context import PageContext, Props
from tests.unit.ui.conftest import PAIR, START_S, Make

ASKED = question({"pair": PAIR, "windows": 3}, None)


def text(component: Any) -> str:
    return json.dumps(component, default=Component.to_plotly_json, ensure_ascii=False)


def test_the_answer_the_tests_go_by_is_one_of_the_api(document: Make) -> None:
    for count in (3_000, 20, 0):
        said = document(count)
        for one in said["entries"]:
            one |= {"entry_time": "", "exit_time": None}
        ApiCalibration.model_validate(said)


@pytest.mark.parametrize(
    ("asks", "params"),
    [
        ({"range": "24h", "stop": "", "windows": 3}, {"windows": 3}),
        (
            {"range": "6h", "stop": 3.5, "windows": ""},
            {"stop": 3.5, "start": START_S * SECOND - 6 * HOUR + 1},
        ),
        ({"range": "never", "stop": None}, {}),
    ],
)
def test_only_what_is_not_usual_is_asked(asks: dict[str, Any], params: dict[str, Any]) -> None:
    asked = question({"pair": PAIR, **asks}, START_S * SECOND)
    assert (asked.path, asked.params) == (f"/v1/pairs/{PAIR}/calibration", params)


def test_a_range_of_hours_has_as_many_seconds() -> None:
    start = question({"pair": PAIR, "range": "1h"}, START_S * SECOND).params["start"]
    closed = [at for at in range(START_S - 7_200, START_S + 1) if at * SECOND >= start]
    assert len(closed) == 3_600


def test_the_headline_says_how_far_from_a_normal_it_is(found: Make) -> None:
    answer: Calibration = found()
    level = next(one for one in answer.beyond if one.level == 2.0)
    first, moments, hits = [one.children for one in presenter.headline(answer)]
    assert first == f"|z| ≥ 2 in {100 * level.share:.1f} % of seconds; of a standard normal in 4.6 %."
    assert moments.startswith("Mean ")
    rate = answer.hit_rate
    assert rate is not None
    assert hits.startswith(f"{rate.hits} of {rate.entries - rate.unresolved} past entries were hits: ")
    assert hits.endswith("A hit was back at ±0.5 before ±4, and within 900 s.")


def test_the_coverage_says_what_was_left_out(found: Make) -> None:
    said = presenter.coverage(found(), "Asia/Tokyo")
    assert said == (
        "2\u202f970 of 3\u202f000 closed signals, 2023-11-15 07:13:20 JST to 2023-11-15 08:03:19 JST "
        "(left out: 30 stale)."
    )
    assert "fitted in 2 ways" in presenter.coverage(found(fits=2), "UTC")
    assert presenter.coverage(found(0), "UTC") == "No signal is stored in this range."


def test_each_table_is_a_chart_with_its_csv(found: Make) -> None:
    answer = found()
    charts = presenter.answered(ASKED, answer)[f"{PREFIX}-charts"]["children"]
    assert len(charts) == len(TITLES) == len(figures.figures(answer))
    for table, chart in zip(TITLES, charts, strict=True):
        span = f"start={answer.first_us}&end={answer.last_us + 1}"
        assert f"calibration?windows=3&{span}&table={table}&format=csv" in text(chart)
        assert "No chart" not in text(chart)


def test_a_part_without_a_number_has_its_reason(found: Make) -> None:
    charts = presenter.answered(ASKED, found(20))[f"{PREFIX}-charts"]["children"]
    assert len(charts) == len(TITLES)
    for table, chart in zip(TITLES, charts, strict=True):
        reason = "no entry: " if table in ("waits", "entries") else "at least 30 seconds with a "
        assert f"No chart: {reason}" in text(chart)
        assert "csv" not in text(chart)
    assert presenter.headline(found(20)) == []


def test_everything_the_panel_is_told_has_a_place_in_it(found: Make) -> None:
    places = ids(*panel.layout())
    assert set(presenter.answered(ASKED, found())) == set(presenter.refused("why")) <= places


def answered(site: PageContext, response: httpx.Response | Exception, **asks: Any) -> Props:
    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(response, Exception):
            raise response
        return response

    async def run() -> Props:
        async with ApiClient("http://api.test", httpx.MockTransport(handle)) as client:
            asking = PageContext(site.market, site.tracks, client, site.now)
            return await panel.answer(asking, {"pair": PAIR, **asks})

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("response", "says"),
    [
        (httpx.ConnectError("refused"), "refused"),
        (httpx.Response(503, json={"detail": "the database is away"}), "the database is away"),
        (httpx.Response(404, json={"detail": "expected one of A, B"}), "Expected one of A, B."),
        (httpx.Response(200, json={"pair": 1}), "Expected a calibration"),
    ],
)
def test_why_there_is_no_answer_is_said(
    site: PageContext, response: httpx.Response | Exception, says: str
) -> None:
    props = answered(site, response)
    assert says in props[f"{PREFIX}-status"]["children"]
    assert props[f"{PREFIX}-status"]["className"] == "panel-status is-error"
    assert props[f"{PREFIX}-charts"]["children"] == []


def test_a_refused_parameter_is_said_at_its_control(site: PageContext) -> None:
    errors = [{"field": "stop", "expected": "a |z| beyond the pair's entry_z 2", "received": "1"}]
    props = answered(site, httpx.Response(422, json={"detail": "stop", "errors": errors}))
    assert props[f"{PREFIX}-stop"] == {"error": "Expected a |z| beyond the pair's entry_z 2, received 1."}
    assert props[f"{PREFIX}-windows"] == {"error": ""}


def test_an_answer_is_shown(site: PageContext, document: Make) -> None:
    props = answered(site, httpx.Response(200, json=document()))
    assert len(props[f"{PREFIX}-charts"]["children"]) == 6
    assert props[f"{PREFIX}-status"]["children"] == ""
