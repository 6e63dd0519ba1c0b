"""Calibration through the API: the numbers are those of the stored signals."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import psycopg
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from services.api.models.calibration import Calibration
from services.common.clock import HOUR, SECOND, to_iso
from services.common.codec import encode
from services.contracts.messages import Quality, Signal
from services.contracts.topics import HEARTBEATS
from services.quant.analysis.calibration import calibrate
from services.quant.analysis.entries import Bands, Seconds
from tests.api_process import PAIR, START_US, ApiProcess, heartbeat, pair_signal, running_api, store
from tests.broker import produce
from tests.fix_broker import embedded_broker

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

SIGNALS = 3_000
PATH = f"/v1/pairs/{PAIR}/calibration"
TABLES = ("histogram", "qq", "acf", "beyond", "waits", "entries")


def quality(number: int) -> Quality:
    if number < 40:
        return "not_enough_data"
    return "stale" if number % 50 == 0 else "ok"


def tape() -> list[Signal]:
    """Return a signal a second, some stale or without a z-score, and one of a day and more before."""
    random = np.random.default_rng(7)
    z = np.zeros(SIGNALS)
    for at in range(1, SIGNALS):
        z[at] = 0.95 * z[at - 1] + 0.45 * random.normal()
    measured = [
        replace(
            pair_signal(number, None if number % 77 == 0 else float(z[number])),
            spread=float(2 * z[number]),
            quality=quality(number),
            window=300 if number < 2_000 else 200,
            reversion=None if number < 100 else "reverting" if number % 600 < 300 else "unproven",
        )
        for number in range(SIGNALS)
    ]
    return [replace(measured[100], event_us=START_US - 25 * HOUR), *measured]


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    store(store_url, tape())
    with embedded_broker() as broker:
        produce(broker, HEARTBEATS.name, [(encode(heartbeat("ingest", feed="replay")), 1)])
        with running_api(broker, store_url) as running:
            running.wait_for("/v1/status", lambda response: response.json()["feed"] == "replay")
            running.http.get(PATH, timeout=100)  # until the workers are there
            yield running


def ask(api: ApiProcess, **params: Any) -> dict[str, Any]:
    response = api.get(PATH, **params)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    Calibration.model_validate_json(json.dumps(answer), strict=True)
    return answer


def expected(signals: list[Signal], **bands: Any) -> dict[str, Any]:
    """Return what the mathematics say of the signals that can be relied on."""
    known = [one for one in signals if one.quality == "ok" and one.zscore is not None]
    at, z, spread = (
        np.array([getattr(one, name) for one in known]) for name in ("event_us", "zscore", "spread")
    )
    seconds = Seconds(at, z, spread, np.array([one.reversion == "reverting" for one in known]))
    usual = {"entry": 2.0, "exit": 0.5, "stop": 4.0, "within_us": 900 * SECOND}
    found: dict[str, Any] = msgspec.to_builtins(calibrate(seconds, Bands(**{**usual, **bands})))
    return found


def without_times(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if not name.endswith("_time")} for one in rows]


def test_the_numbers_are_those_of_the_last_day_of_signals(api: ApiProcess) -> None:
    answer, signals = ask(api), tape()[1:]
    found = expected(signals)
    for part in ("moments", "hit_rate", "not_enough_data", *TABLES[:-1]):
        assert answer[part] == found[part], part
    assert without_times(answer["entries"]) == found["entries"]
    assert {one["reverting"] for one in found["entries"]} == {False, True}
    assert (answer["first_us"], answer["last_us"]) == (signals[0].event_us, signals[-1].event_us)
    assert (answer["feed"], answer["pair"], answer["entry_z"], answer["stop_z"]) == ("replay", PAIR, 2.0, 4.0)
    assert (answer["windows"], answer["within_s"]) == (3, 900)


def test_what_is_left_out_is_counted(api: ApiProcess) -> None:
    answer, signals = ask(api), tape()[1:]
    kinds = [one.quality for one in signals]
    assert answer["signals"] == SIGNALS
    assert (answer["stale"], answer["collecting"]) == (kinds.count("stale"), kinds.count("not_enough_data"))
    unknown = sum(one.quality == "ok" and one.zscore is None for one in signals)
    assert answer["without_zscore"] == unknown > 0
    assert answer["known"] == SIGNALS - answer["stale"] - answer["collecting"] - unknown
    assert answer["fits"] == 2


def test_a_range_and_a_way_to_give_up_can_be_asked_for(api: ApiProcess) -> None:
    signals = tape()[1:]
    start, end = signals[500].event_us, signals[1_500].event_us
    answer = ask(api, start=to_iso(start), end=end, stop=2.5, windows=1)
    found = expected(signals[500:1_500], stop=2.5, within_us=300 * SECOND)
    assert answer["hit_rate"] == found["hit_rate"]
    assert answer["hit_rate"]["stopped"] > 0
    assert (answer["signals"], answer["fits"], answer["within_s"]) == (1_000, 1, 300)
    whole = ask(api, start=START_US - 26 * HOUR)
    assert whole["signals"] == SIGNALS + 1


@pytest.mark.parametrize("table", TABLES)
def test_each_table_can_be_had_as_csv_and_parquet(api: ApiProcess, table: str) -> None:
    answer = ask(api)[table]
    response = api.get(PATH, format="csv", table=table)
    assert 'filename="calibration.csv"' in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert rows == [
        {
            name: value if isinstance(value, str) else "" if value is None else encode(value).decode()
            for name, value in one.items()
        }
        for one in answer
    ]
    file = pq.read_table(io.BytesIO(api.get(PATH, format="parquet", table=table).content))
    names = [name for name in answer[0] if not name.endswith("_time")]
    assert [[row[name] for name in names] for row in file.to_pylist()] == [
        [one[name] for name in names] for one in answer
    ]


def test_without_signals_there_is_a_reason_and_no_number(api: ApiProcess) -> None:
    answer = ask(api, end=START_US - 26 * HOUR)
    assert (answer["signals"], answer["known"], answer["fits"], answer["first_us"]) == (0, 0, 0, None)
    assert [answer[table] for table in TABLES] == [[]] * 6
    assert (answer["moments"], answer["hit_rate"]) == (None, None)
    assert answer["not_enough_data"]["qq"] == "at least 30 seconds with a z-score are needed, there are 0"
    assert api.get(PATH, end=START_US - 26 * HOUR, format="csv", table="acf").text == "lag_s,acf,bound\r\n"


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ("stop=2", 422, "a |z| beyond the pair's entry_z 2"),
        ("windows=0", 422, "greater than or equal to 1"),
        ("table=pp", 422, "'histogram'"),
        ("tabel=qq", 422, "only documented parameters"),
        ("stop=NaN", 422, "stop"),
    ],
)
def test_wrong_questions_are_told_so(api: ApiProcess, query: str, status: int, named: str) -> None:
    response = api.http.get(f"{PATH}?{query}")
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert named in response.text


def test_a_range_with_too_many_signals_is_refused_and_a_day_of_them_is_not(
    api: ApiProcess, store_url: str
) -> None:
    other = "SOLUSDT-BTCUSDT"
    with psycopg.connect(store_url, autocommit=True) as connection:
        connection.execute(
            """
            INSERT INTO signals (pair, ts, y_price, x_price, hedge_ratio, intercept, method, spread, zscore,
                correlation, "window", samples, quality)
            SELECT %s, '2026-01-01Z'::timestamptz + n * interval '1 second', 3, 2, 1, 1, 'ols', sin(n), sin(n),
                0.5, 300, 300, 'ok'
            FROM generate_series(0, 100000) AS n
            """,
            [other],
        )
    path = f"/v1/pairs/{other}/calibration"
    refused = api.get(path, start="2026-01-01T00:00:00Z")
    assert refused.status_code == 422
    assert "a start with at most 100,000 signals until the end" in refused.text
    assert api.get(path, start="2026-01-01T00:00:01Z").json()["signals"] == 100_000
    assert api.get(path).json()["signals"] == 86_400


def test_a_pair_that_was_never_measured_is_not_known(api: ApiProcess) -> None:
    response = api.http.get("/v1/pairs/ETHUSD-BTCUSDT/calibration")
    assert response.status_code == 404
    assert PAIR in response.text
