"""Work behind a signal, through the API: it equals statsmodels and the published signal."""

import contextlib
import io
from collections.abc import Iterator
from random import Random
from typing import Any

import httpx
import numpy as np
import pytest
import statsmodels.api as sm
from msgspec.structs import replace

from services.api.models.work import SignalWork
from services.common.clock import SECOND, to_iso
from services.common.codec import encode
from services.contracts.messages import PairConfig, Signal
from services.contracts.topics import HEARTBEATS
from services.stream_analytics.alignment import Sample
from services.stream_analytics.pair_window import PairWindow
from services.stream_analytics.trades import TapeTrade
from tests import builders
from tests.api_process import PAIR, START_US, ApiProcess, heartbeat, running_api, store
from tests.broker import produce
from tests.fix_broker import embedded_broker

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

SECONDS, WINDOW = 1_500, 120
RECURSIVE = "SOLUSDT-BNBUSDT"
# Longer than the window: a new one begins behind it.
GAP = range(700, 700 + WINDOW + 10)
QUIET = 400


def measured(config: PairConfig) -> list[Signal]:
    """Return what the stream says of two walks, with a stale second and a gap."""
    draw = np.random.default_rng(11)
    x = 60_000 * np.exp(np.cumsum(5e-5 * draw.standard_normal(SECONDS)))
    y = 3_000 * (x / 60_000) ** 1.3 * np.exp(3e-5 * draw.standard_normal(SECONDS))
    window, said = PairWindow(config), []
    for number in range(SECONDS):
        if number in GAP:
            continue
        end_us = START_US + number * SECOND
        legs = (
            TapeTrade(end_us - 2, round(float(y[number]), 2)),
            TapeTrade(end_us - 1, round(float(x[number]), 1)),
        )
        sample = Sample(end_us, *legs, stale=("y",) if number == QUIET else ())
        if window.is_outdated(end_us):
            window.clear()
        said.append(window.judge(sample))
        if sample.is_whole:
            window.learn(sample, said[-1])
    return said


SIGNALS = measured(PairConfig(pair=PAIR, window=WINDOW))
KALMAN = measured(PairConfig(pair=RECURSIVE, window=WINDOW, method="kalman", transform="log"))


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    store(store_url, [*SIGNALS, *KALMAN])
    with embedded_broker() as broker:
        produce(broker, HEARTBEATS.name, [(encode(heartbeat("ingest", feed="replay")), 1)])
        with running_api(broker, store_url) as running:
            running.wait_for("/v1/status", lambda response: response.json()["feed"] == "replay")
            running.http.get(path(SIGNALS[-1]), timeout=100)  # until the workers are there
            yield running


def path(signal: Signal) -> str:
    return f"/v1/pairs/{signal.pair}/signals/{to_iso(signal.event_us)}/work"


def ask(api: ApiProcess, signal: Signal) -> dict[str, Any]:
    response = api.get(path(signal))
    assert response.status_code == 200, response.text
    SignalWork.model_validate_json(response.content, strict=True)
    answer: dict[str, Any] = response.json()
    return answer


def test_the_work_of_random_seconds_equals_statsmodels(api: ApiProcess) -> None:
    judged = [one for one in SIGNALS if one.zscore is not None]
    for signal in Random(5).sample(judged, 60):
        answer = ask(api, signal)
        *window, now = answer["data"]
        assert [row["in_window"] for row in answer["data"]] == [True] * signal.samples + [False]
        y, x = (np.array([row[leg] for row in window]) for leg in ("y_price", "x_price"))
        fit = sm.OLS(y, sm.add_constant(x)).fit(method="qr")
        spread = now["y_price"] - fit.params @ [1.0, now["x_price"]]
        zscore = spread / np.sqrt(fit.mse_resid)
        assert answer["zscore"] == signal.zscore == pytest.approx(zscore, rel=1e-9, abs=1e-9)
        assert answer["arithmetic"]["hedge_ratio"] == pytest.approx(fit.params[1], rel=1e-9)
        assert (answer["agrees"], answer["is_whole"]) == (True, True)


def test_the_program_of_an_answer_prints_what_was_published(api: ApiProcess) -> None:
    signal = SIGNALS[500]
    answer = ask(api, signal)
    assert f"{path(signal)}?format=csv" in answer["python"]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(answer["python"], "program", "exec"), {})  # noqa: S102
    assert float(printed.getvalue().rpartition("z-score ")[2]) == pytest.approx(signal.zscore, rel=1e-9)


@pytest.mark.parametrize("number", [200, 699, 900, -1])
def test_a_method_without_a_window_has_all_samples_since_it_began(api: ApiProcess, number: int) -> None:
    signal = KALMAN[number]
    answer = ask(api, signal)
    since = 0 if signal.event_us < START_US + GAP.start * SECOND else GAP.stop
    first = START_US + since * SECOND
    assert answer["data"][0]["event_us"] == first
    assert len(answer["data"]) == sum(
        one.quality != "stale" and first <= one.event_us <= signal.event_us for one in KALMAN
    )
    # The pair has a transform of its own in the settings; what was published is of logarithms.
    assert answer["arithmetic"]["transform"] == "log"
    assert (answer["agrees"], answer["is_whole"]) == (True, True)


@pytest.mark.parametrize(("first", "number"), [(0, 140), (0, 130), (60, 140)])
def test_samples_that_were_filled_are_those_of_the_stored_ticks(
    api: ApiProcess, store_url: str, first: int, number: int
) -> None:
    y, x = ("ADAUSDT", "XRPUSDT") if first == 0 else ("ADAUSDC", "XRPUSDC")
    filled = f"ticks {to_iso(START_US)} to {to_iso(START_US + 129 * SECOND)}"
    signals = [replace(one, pair=f"{y}-{x}", filled=filled) for one in SIGNALS[130:145]]
    ticks = [
        builders.tick(symbol=symbol, trade_id=place, event_us=one.event_us - before_us, price=price)
        for place, one in enumerate(SIGNALS[first:130])
        for symbol, before_us, price in ((y, 2, one.y_price), (x, 1, one.x_price))
    ]
    store(store_url, [*signals, *ticks])
    answer = ask(api, signals[number - 130])
    assert answer["filled"] == filled
    is_stored = first == 0
    assert (answer["agrees"], answer["is_whole"]) == (is_stored, is_stored)
    begin = max(first, number - WINDOW)
    expected = SIGNALS[begin : number + 1]
    assert [row["event_us"] for row in answer["data"]] == [one.event_us for one in expected]
    assert [row["y_price"] for row in answer["data"]] == [one.y_price for one in expected]


def test_samples_that_are_not_stored_are_said(api: ApiProcess, store_url: str) -> None:
    signal = replace(SIGNALS[50], pair="ETHUSDT-SOLUSDT")
    store(store_url, [signal])
    answer = ask(api, signal)
    assert (answer["agrees"], answer["is_whole"], len(answer["data"])) == (False, False, 1)
    assert answer["arithmetic"]["reason"]


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (to_iso(START_US + QUIET * SECOND), "no numbers at"),
        (to_iso(START_US + 10 * SECOND + 1), to_iso(START_US + 10 * SECOND)),
        (to_iso(START_US + GAP[5] * SECOND), to_iso(START_US + GAP.stop * SECOND)),
        ("yesterday", "ISO 8601"),
    ],
)
def test_a_second_without_numbers_is_refused_with_what_there_is(
    api: ApiProcess, time: str, words: str
) -> None:
    response: httpx.Response = api.http.get(f"/v1/pairs/{PAIR}/signals/{time}/work")
    assert response.status_code in (404, 422)
    assert words in response.text
