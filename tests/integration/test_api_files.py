"""Files as people have them, through the API: how wide their bars are, whose they are, and what is asked."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.api.models.datasets import DatasetDetail
from tests.api_process import ApiProcess
from tests.fixtures.right_bars import DAY, HOUR, MONTH
from tests.uploads import running_api_for_uploads, upload

pytestmark = pytest.mark.integration

FILES = Path(__file__).parents[1] / "fixtures" / "files"


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    with running_api_for_uploads(store_url) as running:
        yield running


def stored(api: ApiProcess, *names: str, dataset: str, **fields: str) -> dict[str, Any]:
    files = [(name, (FILES / name).read_bytes()) for name in names]
    response = upload(api, *files, name=dataset, **fields)
    assert response.status_code == httpx.codes.CREATED, response.text
    DatasetDetail.model_validate(response.json(), strict=True)
    return dict(response.json())


@pytest.mark.parametrize(
    ("name", "width_s", "fields", "odd"),
    [
        ("BTCUSDT-days-of-berlin.csv", DAY, {}, 0),
        ("BTCUSDT-days-without-zone.csv", DAY, {"zone": "Europe/Berlin"}, 0),
        ("BTCUSDT-weeks.csv", 7 * DAY, {}, 0),
        ("SPX.csv", MONTH, {}, 0),
        ("off-grid-last.csv", HOUR, {}, 2),
    ],
)
def test_days_weeks_and_months_have_no_gaps(
    api: ApiProcess, name: str, width_s: int, fields: dict[str, str], odd: int
) -> None:
    found = stored(api, name, dataset=f"wide {name}", **fields)
    assert (found["width_s"], found["gaps"], found["odd"]) == (width_s, 0, odd)
    if odd:
        report = api.data(f"/v1/datasets/{found['dataset_id']}/report", kind="odd")
        assert [one["reason"].partition(":")[0] for one in report] == [
            "AAAUSDT at 2018-02-09T23",
            "BBBUSDT at 2018-02-09T23",
        ]
        assert api.data("/v1/bars", dataset=found["name"], symbol="AAAUSDT", interval="1h")


def test_gaps_follow_the_calendar(api: ApiProcess) -> None:
    days = (FILES / "BTCUSDT-days-of-berlin.csv").read_text().splitlines()
    text = "\n".join([*days[:15], *days[17:21], *days[22:]])
    found = upload(api, ("BTCUSDT-1d.csv", text), name="holes").json()
    assert (found["width_s"], found["gaps"], found["missing"]) == (DAY, 2, 3)
    report = api.data("/v1/datasets/holes/report", kind="gap")
    assert [one["reason"].split(" between ")[0] for one in report] == [
        "BTCUSDT: 2 missing",
        "BTCUSDT: 1 missing",
    ]


def test_two_contracts_are_two_symbols(api: ApiProcess) -> None:
    names = ("BTCUSDT-1h-2024-01.csv", "BTCUSDT_250926-1h-2025-08.csv")
    found = stored(api, *names, dataset="deliveries")
    assert [(one["symbol"], one["bars"]) for one in found["symbols"]] == [
        ("BTCUSDT", 4),
        ("BTCUSDT_250926", 4),
    ]


def test_two_files_that_would_become_one_symbol_are_asked(api: ApiProcess) -> None:
    spot = (FILES / "BTCUSDT-1h-2024-01.csv").read_text()
    other = spot.replace("42505", "42506")
    files = [("BTCUSDT-1h.csv", spot), ("BINANCE_BTCUSDT.P, 60.csv", other)]
    previewed = upload(api, *files, to="/v1/datasets/preview")
    refused = upload(api, *files, name="two")
    assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert refused.json()["question"] == {"option": "symbols", "readings": []}
    assert "at 3 of 4 times" in refused.json()["detail"]
    assert (previewed.status_code, previewed.json()["detail"]) == (422, refused.json()["detail"])
    told = upload(api, *files, name="two", symbols="BTCUSDT,BTCUSDT.OKX")
    assert [one["symbol"] for one in told.json()["symbols"]] == ["BTCUSDT", "BTCUSDT.OKX"]
    again = upload(api, ("BTCUSDT-1h.csv", spot), ("BTCUSDT-60.csv", spot), name="same")
    assert (again.json()["bars"], again.json()["repeated"]) == (4, 4)


@pytest.mark.parametrize("to", ["/v1/datasets", "/v1/datasets/preview"])
def test_what_a_file_does_not_tell_is_asked_with_what_each_reading_gives(api: ApiProcess, to: str) -> None:
    name = "BTCUSDT-day-or-month.csv"
    response = upload(api, (name, (FILES / name).read_bytes()), to=to)
    problem = response.json()
    assert (response.status_code, problem["title"]) == (422, "Unclear file")
    assert problem["question"]["option"] == "date_order"
    assert [(one["value"], one["bars"][0]["start_time"][:10]) for one in problem["question"]["readings"]] == [
        ("dmy", "2024-01-03"),
        ("mdy", "2024-03-01"),
    ]
    assert "date_order=mdy gives 2024-03-01T00:00:00.000000Z, close 42505" in problem["detail"]
    told = upload(api, (name, (FILES / name).read_bytes()), to=to, date_order="mdy")
    assert told.is_success


def test_every_file_of_a_zip_is_one(api: ApiProcess) -> None:
    found = stored(api, "coins.zip", dataset="coins")
    assert [(one["symbol"], one["bars"]) for one in found["symbols"]] == [
        (symbol, 4) for symbol in ("ADAUSDT", "BNBUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT")
    ]
    assert [one["name"] for one in found["files"]][:2] == [
        "coins.zip/spot/BTCUSDT-1h.csv",
        "coins.zip/spot/ETHUSDT-1h.csv",
    ]


def test_unpacked_a_spreadsheet_is_bounded(api: ApiProcess) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr("xl/workbook.xml", "<workbook/>")
        folder.writestr("xl/sharedStrings.xml", b" " * 50_000_000)
    refused = upload(api, ("BTCUSDT.xlsx", packed.getvalue()))
    assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "expected at most 16 MiB of texts" in refused.json()["detail"]
