"""Datasets through the API: upload, description, and bars."""

import csv
import gzip
import io
import json
import random
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from pydantic import TypeAdapter

from services.api.models.base import Listing
from services.api.models.datasets import Dataset, DatasetDetail, Finding
from services.api.models.market import Bar
from services.common.clock import MINUTE, to_iso
from services.datasets.tables import bars_relation
from tests.api_process import START_US, ApiProcess
from tests.uploads import HEADER, LONG, MINUTES, row, running_api_for_uploads, upload

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    with running_api_for_uploads(store_url) as running:
        yield running


def uploaded(api: ApiProcess, *files: tuple[str, str | bytes], **fields: str) -> dict[str, Any]:
    response = upload(api, *files, **fields)
    assert response.status_code == httpx.codes.CREATED, response.text
    DatasetDetail.model_validate(response.json(), strict=True)
    assert api.get(response.headers["Location"]).json() == response.json()
    return dict(response.json())


@pytest.fixture(scope="module")
def dataset(api: ApiProcess) -> dict[str, Any]:
    """Upload minutes of two symbols in one file."""
    return uploaded(api, ("minutes.csv.gz", gzip.compress(LONG.encode())), name="minutes")


def test_what_a_dataset_is(api: ApiProcess, dataset: dict[str, Any]) -> None:
    assert (dataset["name"], dataset["width_s"], dataset["bars"]) == ("minutes", 60, 2 * MINUTES)
    assert [(one["symbol"], one["bars"], one["gaps"]) for one in dataset["symbols"]] == [
        ("BTCUSDT", MINUTES, 0),
        ("ETHUSDT", MINUTES, 0),
    ]
    assert (dataset["first_us"], dataset["last_us"]) == (START_US, START_US + (MINUTES - 1) * MINUTE)
    assert [(file["delimiter"], file["time"]) for file in dataset["files"]] == [("comma", "iso")]
    listing = api.get("/v1/datasets")
    TypeAdapter(Listing[Dataset]).validate_python(listing.json(), strict=True)
    assert "minutes" in [one["name"] for one in listing.json()["data"]]
    rows = list(csv.DictReader(io.StringIO(api.get("/v1/datasets", format="csv").text)))
    assert {one["name"]: one["bars"] for one in rows}["minutes"] == str(2 * MINUTES)


def test_the_same_again_and_another_under_its_name(api: ApiProcess, dataset: dict[str, Any]) -> None:
    packed = ("minutes.csv.gz", gzip.compress(LONG.encode(), mtime=0))
    first = upload(api, packed, name="again")
    assert first.status_code == httpx.codes.CREATED
    second = upload(api, packed, name="again")
    assert (second.status_code, second.json()) == (httpx.codes.OK, first.json())
    other = upload(api, packed, name="again", zone="America/New_York")
    assert (other.status_code, other.json()["title"]) == (httpx.codes.CONFLICT, "Name taken")
    assert api.http.delete("/v1/datasets/again").status_code == httpx.codes.NO_CONTENT
    gone = api.get("/v1/datasets/again")
    assert gone.status_code == httpx.codes.NOT_FOUND
    assert "minutes" in gone.json()["known"]


@pytest.mark.parametrize("by", ["dataset_id", "name"])
def test_its_bars_are_those_of_the_file(api: ApiProcess, dataset: dict[str, Any], by: str) -> None:
    response = api.get("/v1/bars", dataset=dataset[by], symbol="ethusdt", limit=1_000)
    bars = TypeAdapter(Listing[Bar]).validate_python(response.json(), strict=True)
    assert bars.feed is None
    given = [line.split(",") for line in LONG.splitlines() if "ETH" in line]
    assert [[bar.start_time, bar.open, bar.high, bar.low, bar.close, bar.volume] for bar in bars.data] == [
        [time, *map(float, amounts)] for time, _, *amounts in given
    ]
    text = api.get("/v1/bars", dataset=dataset[by], symbol="ETHUSDT", limit=20_000, format="csv").text
    assert [line["start_time"] for line in csv.DictReader(io.StringIO(text))] == [one[0] for one in given]


@pytest.mark.parametrize("interval", ["5m", "1h"])
def test_wider_bars_are_put_together(api: ApiProcess, dataset: dict[str, Any], interval: str) -> None:
    fine = api.data("/v1/bars", dataset="minutes", symbol="BTCUSDT", limit=1_000)
    width = {"5m": 5, "1h": 60}[interval] * MINUTE
    expected: dict[int, list[dict[str, Any]]] = {}
    for bar in fine:
        expected.setdefault(bar["start_us"] // width * width, []).append(bar)
    query = {"dataset": "minutes", "symbol": "BTCUSDT", "interval": interval, "limit": 7}
    answer = api.get("/v1/bars", **query, start=to_iso(START_US)).json()
    pages = answer["data"]
    while "next_cursor" in answer:
        answer = api.get("/v1/bars", **query, start=to_iso(START_US), cursor=answer["next_cursor"]).json()
        pages += answer["data"]
    assert [
        (one["start_us"], one["open"], one["high"], one["low"], one["close"], one["volume"]) for one in pages
    ] == [
        (
            at,
            bars[0]["open"],
            max(bar["high"] for bar in bars),
            min(bar["low"] for bar in bars),
            bars[-1]["close"],
            sum(bar["volume"] for bar in bars),
        )
        for at, bars in expected.items()
    ]


def test_bars_that_cannot_be_had(api: ApiProcess, dataset: dict[str, Any]) -> None:
    finer = api.get("/v1/bars", dataset="minutes", symbol="BTCUSDT", interval="1s")
    assert finer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert finer.json()["errors"][0]["field"] == "interval"
    assert "60 s" in finer.json()["detail"]
    assert api.get("/v1/bars", dataset="minutes", symbol="SOLUSDT").json()["known"] == ["BTCUSDT", "ETHUSDT"]
    assert api.get("/v1/bars", dataset="minute", symbol="BTCUSDT").status_code == httpx.codes.NOT_FOUND
    assert api.get("/v1/bars", dataset="\0", symbol="X1").status_code == httpx.codes.UNPROCESSABLE_ENTITY


def test_a_pair_of_a_dataset_is_analysed(api: ApiProcess, dataset: dict[str, Any]) -> None:
    # The first question of all starts a process of its own.
    path = "/v1/pairs/ETHUSDT-BTCUSDT/analysis"
    answer = api.http.get(path, params={"dataset": "minutes", "interval": "5m"}, timeout=60)
    assert answer.status_code == httpx.codes.OK, answer.text
    assert answer.json()["bars"] == MINUTES // 5
    matrix = api.get("/v1/correlation", dataset="minutes", symbols="ETHUSDT,BTCUSDT")
    assert matrix.status_code == httpx.codes.OK, matrix.text
    unknown = api.get("/v1/correlation", dataset="minutes", symbols="ETHUSDT,SOLUSDT")
    assert unknown.json()["known"] == ["BTCUSDT", "ETHUSDT"]


def test_what_was_found_is_told_line_by_line(api: ApiProcess) -> None:
    start = "2024-01-01 00:0{}"
    lines = ["Date;Open;High;Low;Close"]
    lines += [f"{start.format(n)};1,5;2,25;1,25;2" for n in (0, 1, 3, 2, 2)]
    lines += ["2024-01-01 00:04;2,5;1,0;1;1", "=HYPERLINK(0);;;;", f"{start.format(9)};1,5;2,25;1,25;2"]
    found = uploaded(api, ("SOLUSDT.csv", "\n".join(lines)), name="broken")
    assert {
        key: found[key] for key in ("bars", "rejected", "repeated", "out_of_order", "gaps", "missing")
    } == {
        "bars": 5,
        "rejected": 2,
        "repeated": 1,
        "out_of_order": 1,
        "gaps": 1,
        "missing": 5,
    }
    assert (found["files"][0]["delimiter"], found["files"][0]["decimal"]) == ("semicolon", ",")
    report = api.get("/v1/datasets/broken/report").json()
    TypeAdapter(Listing[Finding]).validate_python(report, strict=True)
    assert [(one["kind"], one["line"]) for one in report["data"]] == [
        ("rejected", 7),
        ("rejected", 8),
        ("out of order", 5),
        ("repeated", 6),
        ("gap", None),
    ]
    text = api.get("/v1/datasets/broken/report", format="csv", kind="rejected").text
    assert [one["line"] for one in csv.DictReader(io.StringIO(text))] == ["7", "8"]


def test_one_file_for_each_symbol_in_one_dataset(api: ApiProcess) -> None:
    closes = "unix,close\n" + "\n".join(f"{1_704_067_200 + n * 3_600},{100 + n % 5}" for n in range(50))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr("x.csv", closes)
    found = uploaded(
        api, ("a.csv", closes), ("b.zip", packed.getvalue()), name="wide", symbols="adausdt,BNB/USDT"
    )
    assert [one["symbol"] for one in found["symbols"]] == ["ADAUSDT", "BNBUSDT"]
    assert [one["close_only"] for one in found["files"]] == [True, True]
    bar = api.data("/v1/bars", dataset="wide", symbol="ADAUSDT", limit=1)[0]
    assert (bar["open"], bar["volume"], bar["start_us"]) == (
        bar["close"],
        None,
        (1_704_067_200 + 49 * 3_600) * 10**6,
    )


def test_a_mapping_a_format_and_a_zone(api: ApiProcess) -> None:
    text = "when|adj\n31/12/2023 19:00|5\n31/12/2023 20:00|6\n"
    told = {
        "mapping": json.dumps({"time": "when", "close": "adj"}),
        "time_format": "%d/%m/%Y %H:%M",
        "zone": "America/New_York",
    }
    assert upload(api, ("AAPL.csv", text), name="told").status_code == httpx.codes.UNPROCESSABLE_ENTITY
    found = uploaded(api, ("AAPL.csv", text), name="told", **told)
    assert found["first_time"] == "2024-01-01T00:00:00.000000Z"


def test_bars_come_back_however_they_came(api: ApiProcess) -> None:
    names = ("1000PEPEUSDT", "BTCUSDT", "X1")
    given = [(name, minute, "" if minute % 3 else "2.5") for name in names for minute in range(90)]
    random.Random(1).shuffle(given)
    lines = [row(minute, name, volume) for name, minute, volume in given]
    repeated = [line.rpartition(",")[0] + ",9" for line in lines[:40]]
    found = uploaded(
        api, ("a.csv", "\n".join([HEADER, *lines])), ("b.csv", "\n".join([HEADER, *repeated])), name="mixed"
    )
    assert (found["bars"], found["repeated"], found["rejected"], found["gaps"]) == (270, 40, 0, 0)
    report = api.data("/v1/datasets/mixed/report", kind="repeated")
    assert [(one["file"], one["line"]) for one in report] == [("b.csv", line) for line in range(2, 42)]
    assert report[39]["reason"].endswith("is in a.csv:41 already, which stays")
    for name in names:
        bars = api.data("/v1/bars", dataset="mixed", symbol=name, limit=100)
        assert [(bar["start_us"], bar["volume"]) for bar in bars] == [
            (START_US + minute * MINUTE, None if minute % 3 else 2.5) for minute in range(90)
        ]
    assert len(api.data("/v1/bars", dataset="mixed", symbol="X1", interval="1h")) == 2


def test_who_reads_a_dataset_delays_its_end_alone(api: ApiProcess, store_url: str) -> None:
    closes = "time,close\n2024-01-01,1\n2024-01-02,2\n"
    kept, other = (uploaded(api, ("BTCUSDT.csv", closes), name=name) for name in ("kept", "other"))
    relation = sql.Identifier(bars_relation(kept["dataset_id"]))
    with psycopg.connect(store_url) as reader:
        reader.execute(sql.SQL("SELECT FROM {}").format(relation))
        refused = api.http.delete("/v1/datasets/kept")
        assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert "ask again" in refused.json()["detail"]
        assert len(api.data("/v1/bars", dataset="kept", symbol="BTCUSDT")) == 2
        assert api.http.delete(f"/v1/datasets/{other['dataset_id']}").status_code == httpx.codes.NO_CONTENT
    with psycopg.connect(store_url) as connection:
        connection.execute(sql.SQL("DROP TABLE {}").format(relation))
    between = api.get("/v1/bars", dataset="kept", symbol="BTCUSDT")
    assert (between.status_code, between.headers["Retry-After"]) == (httpx.codes.SERVICE_UNAVAILABLE, "2")
    assert "deleted meanwhile" in between.json()["detail"]
    assert api.http.delete("/v1/datasets/kept").status_code == httpx.codes.NO_CONTENT
