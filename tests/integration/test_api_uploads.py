"""Uploads that store nothing: previews, files that are no bars, and impossible fields and forms."""

import gzip
from collections.abc import Iterator

import httpx
import pytest

from services.api.models.datasets import DatasetPreview
from tests.api_process import ApiProcess
from tests.uploads import LONG, running_api_for_uploads, upload

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    with running_api_for_uploads(store_url) as running:
        yield running


def test_a_preview_stores_nothing(api: ApiProcess) -> None:
    before = api.data("/v1/datasets")
    seen = upload(api, ("seen.csv", LONG + "\nrubbish"), to="/v1/datasets/preview").json()
    DatasetPreview.model_validate(seen, strict=True)
    assert (seen["symbols"], seen["width_s"], seen["rejected"]) == (["ETHUSDT", "BTCUSDT"], 60, 1)
    assert (seen["complete"], seen["bars"][0]["line"]) == (True, 2)
    assert api.data("/v1/datasets") == before


BOMB = gzip.compress(b"time,close\n" + b"2024-01-01,1\n" * 2_000_000)
UNUSABLE: dict[str, tuple[bytes, int, str]] = {
    "binary": (bytes(range(256)) * 400, 422, "no text"),
    "empty": (b"", 422, "empty"),
    "html": (b"<!DOCTYPE html><html><body>504</body></html>", 422, "web page"),
    "one column": (b"close\n1\n2\n", 422, "one column"),
    "Latin-1": ("größe,time,close\n".encode("latin-1"), 422, "UTF-8"),
    "only a header": (b"time,open,high,low,close\n", 422, "behind line 1"),
    "one bar": (b"time,close\n2024-01-01,1\n", 422, "two bars"),
    "absurd prices": (
        b"time,close\n2024-01-01,1e300\n2024-01-02,-1\n2024-01-03,nan\n",
        422,
        "2 lines|3 lines",
    ),
    "no gzip inside": (b"\x1f\x8bnot really", 422, "packed"),
    "no zip inside": (b"PK\x03\x04not really", 422, "packed"),
    "a comma that is both": (b"time;close\n2024-01-01;64,123\n2024-01-02;64,124\n", 422, "decimal="),
    "a bomb": (BOMB, 413, "fewer bytes"),
    "an endless line": (b"time,close\n" + b"x" * 1_000_000, 422, "lines of at most"),
    "a name twice": (b"time,close,close\n2024-01-01,1,2\n", 422, "received 2"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_files_that_are_no_bars(api: ApiProcess, kind: str) -> None:
    content, status, words = UNUSABLE[kind]
    response = upload(api, ("BTCUSDT.csv", content), name="unusable")
    problem = response.json()
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert any(word in problem["detail"] for word in words.split("|")), problem
    assert problem["file"] == "BTCUSDT.csv"
    assert api.get("/v1/datasets/unusable").status_code == httpx.codes.NOT_FOUND
    if kind not in ("one bar", "a bomb"):
        previewed = upload(api, ("BTCUSDT.csv", content), to="/v1/datasets/preview")
        assert kind == "absurd prices" or previewed.status_code == status, previewed.text


@pytest.mark.parametrize(
    "fields",
    [
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
        {"mapping": "{"},
        {"mapping": '{"price": "x"}'},
        {"delimiter": ","},
        {"time_format": "no directive"},
        {"time_format": "%Q"},
        {"symbols": "A,B"},
        {"symbols": "???"},
        {"name": "a/b"},
        {"nmae": "x"},
    ],
)
def test_fields_that_say_something_impossible(api: ApiProcess, fields: dict[str, str]) -> None:
    response = upload(api, ("minutes.csv", LONG), **({"name": "fields"} | fields))
    assert response.status_code == httpx.codes.UNPROCESSABLE_ENTITY, response.text
    assert response.json()["errors"]


def test_forms_that_are_too_much_or_none(api: ApiProcess) -> None:
    large = upload(api, ("large.csv", b"x" * 3_000_000))
    assert large.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert large.headers["Content-Type"] == "application/problem+json"
    many = upload(api, *[("a.csv", "x")] * 101)
    assert many.status_code == httpx.codes.BAD_REQUEST
    broken = api.http.post("/v1/datasets", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert broken.status_code == httpx.codes.BAD_REQUEST
    assert api.http.post("/v1/datasets", json={}).status_code == httpx.codes.UNPROCESSABLE_ENTITY
