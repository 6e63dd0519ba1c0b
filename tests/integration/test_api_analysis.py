"""Pair analysis and correlation through the API: the numbers are those of the API's own bars."""

import csv
import io
import json
import math
import os
import signal
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from services.api.models.analysis import Analysis, Point
from services.api.models.correlation import Correlation
from services.common.clock import SECOND, to_iso
from services.common.codec import encode
from services.contracts.messages import Tick
from services.contracts.topics import HEARTBEATS
from services.quant.analysis.pair_analysis import analyse
from services.quant.estimators.registry import ESTIMATORS
from services.quant.options import AnalysisOptions
from tests.api_process import PAIR, START_US, ApiProcess, heartbeat, running_api, store, tick
from tests.broker import produce
from tests.fix_broker import embedded_broker
from tests.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

BARS = 700
PATH = f"/v1/pairs/{PAIR}/analysis"


def market() -> list[Tick]:
    """Return a trade a second: ETHUSDT holds to BTCUSDT, SOLUSDT trades at every third one, XRPUSDT stands still."""
    random = np.random.default_rng(7)
    btc = 60_000 + np.cumsum(random.normal(0, 5, BARS))
    spread = np.zeros(BARS)
    for at in range(1, BARS):
        spread[at] = 0.8 * spread[at - 1] + random.normal()
    legs = {
        "BTCUSDT": (btc, 1),
        "ETHUSDT": (300 + 0.05 * btc + spread, 1),
        "SOLUSDT": (150 + np.cumsum(random.normal(0, 0.1, BARS)), 3),
        "XRPUSDT": (np.full(BARS, 0.5), 1),
    }
    return [
        tick(number, symbol, START_US + number * SECOND, float(prices[number]))
        for symbol, (prices, step) in legs.items()
        for number in range(0, BARS, step)
    ]


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    store(store_url, market())
    with embedded_broker() as broker:
        produce(broker, HEARTBEATS.name, [(encode(heartbeat("ingest", feed="replay")), 1)])
        with running_api(broker, store_url) as running:
            running.wait_for("/v1/status", lambda response: response.json()["feed"] == "replay")
            running.http.get(f"{PATH}?limit=3", timeout=100)  # until the workers are there
            yield running


def closes(api: ApiProcess, symbol: str, **params: Any) -> tuple[list[int], np.ndarray[Any, Any]]:
    bars = [bar for bar in api.data("/v1/bars", symbol=symbol, interval="1s", **params) if bar["closed"]]
    return [bar["start_us"] for bar in bars], np.array([bar["close"] for bar in bars])


def ask(api: ApiProcess, path: str = PATH, **params: Any) -> dict[str, Any]:
    response = api.get(path, interval="1s", **params)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize("method", sorted(ESTIMATORS))
def test_the_numbers_are_those_of_the_bars(api: ApiProcess, method: Any) -> None:
    transform: Any = "price" if method == "ols_origin" else "log"
    answer = ask(api, method=method, window=50, transform=transform, trend="ct", lags=3, level=0.9)
    Analysis.model_validate_json(json.dumps(answer), strict=True)
    starts, y = closes(api, "ETHUSDT", limit=501)
    _, x = closes(api, "BTCUSDT", limit=501)
    options = AnalysisOptions(method=method, window=50, transform=transform, trend="ct", lags=3, level=0.9)
    expected = analyse(y, x, options, [start // SECOND for start in starts])
    assert expected.regression is not None
    assert answer["regression"] == {
        name: getattr(expected.regression, name) for name in expected.regression.__struct_fields__
    }
    for part in ("adf_y", "adf_x", "adf_spread", "engle_granger_y_on_x", "engle_granger_x_on_y", "hurst"):
        found = getattr(expected, part)
        assert answer[part] == {name: getattr(found, name) for name in found.__struct_fields__}
    assert answer["half_life"]["samples"] == answer["half_life"]["seconds"] == expected.half_life.samples  # type: ignore[union-attr]
    assert answer["verdict"]["conclusion"] == expected.verdict.conclusion
    assert answer["not_enough_data"] == expected.not_enough_data
    assert set(answer["not_enough_data"]) == {"gregory_hansen_y_on_x", "gregory_hansen_x_on_y"}
    assert [point["start_us"] for point in answer["data"]] == starts
    for name in ("hedge_ratio", "intercept", "spread", "zscore", "correlation"):
        assert [point[name] for point in answer["data"]] == getattr(expected.rolling, name)
    sample = [point["sample_spread"] for point in answer["data"]]
    assert sample == [None if math.isnan(value) else value for value in expected.sample_spread.tolist()]  # type: ignore[union-attr]


def test_the_newest_500_complete_bars_are_taken_unless_told_otherwise(api: ApiProcess) -> None:
    answer = ask(api, series=False)
    last = START_US + (BARS - 2) * SECOND  # the last second may still get a trade
    assert (answer["bars"], answer["last_us"], answer["first_us"]) == (500, last, last - 499 * SECOND)
    assert (answer["feed"], answer["dataset"], answer["bar_s"], answer["data"]) == ("replay", None, 1.0, [])
    assert answer["verdict"]["conclusion"] == "cointegrated"
    start, end = START_US + 100 * SECOND, START_US + 250 * SECOND
    part = ask(api, start=to_iso(start), end=end)
    assert (part["bars"], part["first_us"], part["last_us"]) == (150, start, end - SECOND)
    assert ask(api, start=start, limit=40)["last_us"] == start + 39 * SECOND
    assert ask(api, end=end, limit=40)["first_us"] == end - 40 * SECOND


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_are_the_series(api: ApiProcess, form: str) -> None:
    expected = ask(api)["data"]
    response = api.get(PATH, interval="1s", format=form)
    assert f'filename="analysis.{form}"' in response.headers["Content-Disposition"]
    if form == "parquet":
        rows = pq.read_table(io.BytesIO(response.content)).to_pylist()
        names = [name for name in Point.model_fields if name != "start_time"]
        assert [[row[name] for name in names] for row in rows] == [
            [point[name] for name in names] for point in expected
        ]
        return
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert [list(row) for row in rows] == [list(Point.model_fields)] * 500
    assert rows == [
        {
            name: value if isinstance(value, str) else "" if value is None else encode(value).decode()
            for name, value in point.items()
        }
        for point in expected
    ]


def test_the_same_answer_has_the_same_tag_and_is_not_sent_twice(api: ApiProcess) -> None:
    first = api.get(PATH, interval="1s")
    again = api.http.get(PATH, params={"interval": "1s"}, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_bars_that_only_one_leg_has_are_dropped_and_counted(api: ApiProcess) -> None:
    answer = ask(api, "/v1/pairs/SOLUSDT-BTCUSDT/analysis", limit=600)
    assert answer["bars_x"] == 600
    assert answer["bars"] == answer["bars_y"] == 200
    assert (answer["carried_y"], answer["carried_share_y"], answer["carried_x"]) == (400, 400 / 600, 0)
    assert answer["verdict"] == {
        "conclusion": "not_enough_data",
        "text": "No verdict: only 200 of 600 bars are there for both legs.",
        "notes": [],
    }
    assert set(answer["not_enough_data"].values()) == {"only 200 of 600 bars are there for both legs"}
    assert answer["regression"] is None
    assert len(answer["data"]) == 200


def test_what_cannot_be_said_has_its_reason(api: ApiProcess) -> None:
    few = ask(api, limit=20)
    assert few["regression"]["samples"] == 20
    assert few["adf_y"] is None
    assert few["not_enough_data"]["adf_y"] == "a unit root test needs at least 30 observations, there are 20"
    still = ask(api, "/v1/pairs/ETHUSDT-XRPUSDT/analysis")
    assert still["not_enough_data"]["regression"] == "x did not move in the window"
    nothing = ask(api, end=START_US)
    assert (nothing["bars"], nothing["first_us"], nothing["data"]) == (0, None, [])
    assert nothing["verdict"]["conclusion"] == "not_enough_data"
    for answer in (few, still, nothing):
        Analysis.model_validate_json(json.dumps(answer), strict=True)


@pytest.mark.parametrize(
    ("path", "status", "named"),
    [
        ("/v1/pairs/ETHUSD-BTCUSDT/analysis", 404, "ETHUSDT"),
        ("/v1/pairs/ETHUSDT/analysis", 422, "a pair Y-X such as ETHUSDT-BTCUSDT"),
        ("/v1/pairs/ETHUSDT-ETHUSDT/analysis", 422, "two different symbols"),
        (f"{PATH}?limit=1000001", 422, "1000000"),
        (f"{PATH}?window=2", 422, "greater than or equal to 3"),
        (f"{PATH}?lags=-1", 422, "greater than or equal to 0"),
        (f"{PATH}?lags=many", 422, "lags"),
        (f"{PATH}?level=NaN", 422, "level"),
        (f"{PATH}?level=1", 422, "0.9999"),
        (f"{PATH}?method=magic", 422, "'ols'"),
        (
            f"{PATH}?method=ols_origin&transform=log",
            422,
            "transform: expected an intercept, or transform price",
        ),
        (f"{PATH}?dataset=none", 404, "none"),
        (f"{PATH}?widnow=5", 422, "only documented parameters"),
        ("/v1/correlation?symbols=BTCUSDT", 422, "2 to 50 different symbols"),
        ("/v1/correlation?symbols=BTCUSDT,,ETHUSDT", 422, "single commas"),
        ("/v1/correlation?symbols=BTCUSDT,ETHUSD", 404, "ETHUSDT"),
        ("/v1/correlation?of=levels", 422, "'returns' or 'prices'"),
    ],
)
def test_wrong_questions_are_told_so(api: ApiProcess, path: str, status: int, named: str) -> None:
    response = api.http.get(path)
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert named in response.text


@pytest.mark.parametrize(("method", "of"), [*product(["pearson", "spearman"], ["returns", "prices"])])
def test_correlations_are_of_common_bars(api: ApiProcess, method: str, of: str) -> None:
    answer = ask(api, "/v1/correlation", symbols="BTCUSDT,ETHUSDT,SOLUSDT,XRPUSDT", method=method, of=of)
    Correlation.model_validate_json(json.dumps(answer), strict=True)
    cells = {(cell["symbol"], cell["other"]): cell for cell in answer["data"]}
    assert list(cells) == list(product(answer["symbols"], repeat=2))
    for name, other in cells:
        assert cells[name, other]["correlation"] == cells[other, name]["correlation"]
    assert cells["SOLUSDT", "BTCUSDT"]["samples"] == (165 if of == "returns" else 166)
    assert cells["XRPUSDT", "BTCUSDT"]["correlation"] is None
    assert cells["XRPUSDT", "BTCUSDT"]["reason"] == "one of them did not vary"
    starts, sol = closes(api, "SOLUSDT")
    by_start = dict(zip(*closes(api, "BTCUSDT", limit=1_000), strict=True))
    first = START_US + (BARS - 501) * SECOND
    legs = np.array([(price, by_start[at]) for at, price in zip(starts, sol, strict=True) if at >= first]).T
    if of == "returns":
        legs = np.diff(np.log(legs))
    if method == "spearman":
        legs = legs.argsort().argsort()
    assert cells["SOLUSDT", "BTCUSDT"]["correlation"] == pytest.approx(np.corrcoef(legs)[0, 1], abs=1e-9)


def test_without_symbols_all_are_correlated_and_csv_is_the_cells(api: ApiProcess) -> None:
    answer = ask(api, "/v1/correlation")
    assert set(answer["symbols"]) == {"BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"}
    text = api.get("/v1/correlation", interval="1s", format="csv").text
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(row["symbol"], row["other"], row["samples"]) for row in rows] == [
        (cell["symbol"], cell["other"], str(cell["samples"])) for cell in answer["data"]
    ]


def test_a_dataset_stands_in_for_the_market(api: ApiProcess) -> None:
    starts, y = closes(api, "ETHUSDT", limit=300)
    _, x = closes(api, "BTCUSDT", limit=300)
    lines = ["time,symbol,open,high,low,close,volume"]
    for at, *prices in zip(starts, y, x, strict=True):
        for symbol, close in zip(("YYY", "XXX"), prices, strict=True):
            lines.append(f"{to_iso(at)},{symbol},{close!r},{close!r},{close!r},{close!r},1")
    files = {"files": ("made.csv", "\n".join(lines).replace("np.float64(", "").replace(")", ""), "text/csv")}
    created = api.http.post("/v1/datasets", files=files, data={"name": "made"})
    assert created.status_code == 201, created.text
    dataset = created.json()["dataset_id"]
    answer = api.get("/v1/pairs/YYY-XXX/analysis", dataset="made", window=50).json()
    market = ask(api, start=starts[0], window=50)
    assert (answer["feed"], answer["dataset"], answer["bar_s"], answer["bars"]) == (
        None,
        dataset,
        1.0,
        len(y),
    )
    for part in ("regression", "adf_spread", "engle_granger_y_on_x", "verdict", "half_life", "data"):
        assert answer[part] == market[part]
    correlated = api.get("/v1/correlation", dataset=dataset).json()
    assert correlated["symbols"] == ["XXX", "YYY"]
    assert api.get("/v1/pairs/YYY-XXX/analysis", dataset="made", interval="1m").json()["bar_s"] == 60
    assert api.get(f"{PATH}", dataset="made").status_code == 404


@pytest.mark.parametrize(("signum", "with_workers"), [(signal.SIGTERM, False), (signal.SIGKILL, True)])
def test_an_api_that_ends_leaves_no_process(
    api: ApiProcess, store_url: str, signum: int, with_workers: bool
) -> None:
    at_once = {"PAIRSTREAM_API_ANALYSIS_IDLE": "1s"}
    with embedded_broker() as broker, running_api(broker, store_url, variables=at_once) as other:
        process = psutil.Process(other.process.pid)
        wait_until(lambda: bool(process.children()), "the process that workers are forked from")
        if with_workers:
            assert other.http.get(PATH, timeout=100).status_code == 200
        family = process.children(recursive=True)
        assert len(family) >= (3 if with_workers else 1)
        os.kill(other.process.pid, signum)
        other.process.wait(10)
        wait_until(lambda: not any(one.is_running() for one in family), "the end of all processes")
