"""Bars without a trade are no observations: reported at upload, left out of analyses, kept on request."""

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from services.api.models.analysis import Analysis
from services.api.models.correlation import Correlation
from services.api.models.datasets import DatasetDetail
from services.common.clock import HOUR, MINUTE, to_iso
from tests.api_process import ApiProcess
from tests.uploads import HEADER, running_api_for_uploads, upload

pytestmark = pytest.mark.integration

FIRST_US = 472_000 * HOUR
MINUTES = 245
PATH = "/v1/pairs/YYY-XXX/analysis"


def lines(name: str, closes: Any, volumes: list[str], starts: list[int] | None = None) -> str:
    """Return bars of one price each."""
    at = starts or [FIRST_US + n * MINUTE for n in range(len(volumes))]
    return "\n".join(
        f"{to_iso(us)},{name},{close},{close},{close},{close},{volume}"
        for us, close, volume in zip(at, closes, volumes, strict=True)
    )


def walk(seed: int, is_traded: list[bool]) -> list[float]:
    """Return closes that move where something traded."""
    steps = np.random.default_rng(seed).normal(0, 1, len(is_traded))
    return [round(float(price), 4) for price in 100 + np.cumsum(np.where(is_traded, steps, 0))]


TRADED = {"YYY": [n % 3 != 1 for n in range(MINUTES)], "XXX": [True] * MINUTES}
CLOSES = {name: walk(number, is_traded) for number, (name, is_traded) in enumerate(TRADED.items())}
SOME = "\n".join(
    [HEADER, *(lines(name, CLOSES[name], ["2" if one else "0" for one in TRADED[name]]) for name in TRADED)]
)
CARRIED = sum(not one for one in TRADED["YYY"])


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    with running_api_for_uploads(store_url) as running:
        stored(running, "some", SOME)
        running.http.get(PATH, params={"dataset": "some"}, timeout=100)  # until the workers are there
        yield running


def stored(api: ApiProcess, name: str, text: str) -> dict[str, Any]:
    response = upload(api, ("bars.csv", text), name=name)
    assert response.status_code == httpx.codes.CREATED, response.text
    DatasetDetail.model_validate(response.json(), strict=True)
    return dict(response.json())


def ask(api: ApiProcess, path: str = PATH, **params: Any) -> dict[str, Any]:
    response = api.get(path, **params)
    assert response.status_code == httpx.codes.OK, response.text
    (Analysis if path.endswith("analysis") else Correlation).model_validate_json(response.text, strict=True)
    return dict(response.json())


def test_carried_bars_are_told_when_a_dataset_comes_and_where_it_is_listed(api: ApiProcess) -> None:
    (listed,) = [one for one in api.data("/v1/datasets") if one["name"] == "some"]
    found = api.get("/v1/datasets/some").json()
    for one in (listed, found):
        assert (one["carried"], one["carried_share"]) == (CARRIED, CARRIED / (2 * MINUTES))
    assert [(one["symbol"], one["carried"], one["carried_share"]) for one in found["symbols"]] == [
        ("XXX", 0, 0),
        ("YYY", CARRIED, CARRIED / MINUTES),
    ]
    report = api.data("/v1/datasets/some/report", kind="carried")
    assert len(report) == CARRIED
    assert report[0]["reason"].startswith(f"YYY: 1 carried, {to_iso(FIRST_US + MINUTE)}")


def test_analyses_leave_them_out_unless_asked_to_keep_them(api: ApiProcess) -> None:
    dropped, kept = ask(api, dataset="some"), ask(api, dataset="some", carried="keep")
    assert (dropped["bars"], dropped["bars_y"], dropped["bars_x"]) == (MINUTES - CARRIED,) * 2 + (MINUTES,)
    assert (kept["bars"], kept["bars_y"], kept["bars_x"]) == (MINUTES,) * 3
    for answer, carried in ((dropped, "drop"), (kept, "keep")):
        assert answer["carried"] == carried
        assert (answer["carried_y"], answer["carried_x"]) == (CARRIED, 0)
        assert (answer["carried_share_y"], answer["carried_share_x"]) == (CARRIED / MINUTES, 0)
    assert [one["y_price"] for one in dropped["data"]] == [
        close for close, is_traded in zip(CLOSES["YYY"], TRADED["YYY"], strict=True) if is_traded
    ]
    bars = api.data("/v1/bars", dataset="some", symbol="YYY", limit=1_000)
    assert [bar["carried"] for bar in bars] == [not one for one in TRADED["YYY"]]
    assert (
        len(api.data("/v1/bars", dataset="some", symbol="YYY", carried="drop", limit=1_000))
        == MINUTES - CARRIED
    )
    for carried, samples in (("drop", MINUTES - CARRIED - 1), ("keep", MINUTES - 1)):
        matrix = ask(api, "/v1/correlation", dataset="some", carried=carried, symbols="YYY,XXX")
        assert (matrix["carried"], matrix["carried_bars"]) == (carried, {"YYY": CARRIED, "XXX": 0})
        assert matrix["data"][1]["samples"] == samples


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ({"limit": 40}, MINUTES - 40, MINUTES),
        ({"start": FIRST_US + 10 * MINUTE}, 10, MINUTES),
        ({"start": FIRST_US + 10 * MINUTE, "end": FIRST_US + 99 * MINUTE}, 10, 99),
        ({"end": FIRST_US + 99 * MINUTE}, 0, 99),
    ],
)
def test_those_of_the_range_are_counted(api: ApiProcess, asked: dict[str, Any], first: int, end: int) -> None:
    answer = ask(api, dataset="some", **asked)
    assert answer["carried_y"] == sum(not one for one in TRADED["YYY"][first:end])


def test_the_market_has_none_to_keep(api: ApiProcess) -> None:
    response = api.get("/v1/bars", symbol="BTCUSDT", carried="keep")
    assert response.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert response.json()["errors"][0]["field"] == "carried"
    assert "the market has no bar without a trade" in response.json()["detail"]


def test_the_newest_of_many_say_so_and_how_to_have_all(api: ApiProcess) -> None:
    cut = ask(api, dataset="some", limit=40)
    said = f"the newest 40 of {MINUTES} bars: ask for all by start={to_iso(FIRST_US)}"
    assert (cut["bars_available"], cut["cut"]) == (MINUTES, said)
    assert ask(api, "/v1/correlation", dataset="some", limit=40)["cut"] == said
    whole = ask(api, dataset="some", start=to_iso(FIRST_US))
    assert (whole["bars_available"], whole["cut"], whole["bars_x"]) == (None, None, MINUTES)
    assert ask(api, dataset="some")["cut"] is None


def test_a_wider_bar_says_of_what_share_of_its_time_it_is(api: ApiProcess) -> None:
    hours = api.data("/v1/bars", dataset="some", symbol="XXX", interval="1h")
    assert [(bar["closed"], bar["coverage"], bar["complete"]) for bar in hours] == [
        *[(True, 1, True)] * 4,
        (True, 5 / 60, False),
    ]
    own = api.data("/v1/bars", dataset="some", symbol="XXX", limit=1_000)
    assert {(bar["closed"], bar["coverage"], bar["complete"]) for bar in own} == {(True, 1, True)}
    assert (
        "true,0.08333333333333333,false,false"
        in api.get("/v1/bars", dataset="some", symbol="XXX", interval="1h", format="csv").text
    )


HOURS_MORE = [FIRST_US + n * MINUTE for n in range(100)]
WEEKENDS = [472_056 * HOUR + week * 168 * HOUR + n * 12 * HOUR for week in range(25) for n in range(4)]


@pytest.mark.parametrize(
    ("name", "y", "starts", "reason"),
    [
        ("carried", ["1", *["0"] * 99], HOURS_MORE, "only 1 of 100 bars are there for both legs"),
        ("nothing", ["0"] * 100, HOURS_MORE, "y is its own mean"),
        ("weekends", ["0"] * 99 + ["1"], WEEKENDS, "only 1 of 100 bars are there for both legs"),
    ],
)
def test_legs_that_stand_still_have_a_reason_and_no_number(
    api: ApiProcess, name: str, y: list[str], starts: list[int], reason: str
) -> None:
    text = "\n".join(
        [
            HEADER,
            lines("YYY", [5.0] * 100, y, starts),
            lines("XXX", walk(9, [True] * 100), ["1"] * 100, starts),
        ]
    )
    found = stored(api, name, text)
    assert found["symbols"][1]["carried"] == (None if name == "nothing" else 99)
    answer = ask(api, dataset=name)
    assert answer["verdict"]["conclusion"] == "not_enough_data"
    assert answer["carried_y"] == found["symbols"][1]["carried"]
    if name != "nothing":
        assert reason in answer["verdict"]["text"]
        assert answer["regression"] is None
    else:
        assert "adf_y" in answer["not_enough_data"]
    part = ask(api, dataset=name, start=starts[10], end=starts[60])
    if name != "nothing":
        why = "nothing traded in any of the 50 bars of YYY in the range: carried=keep has them"
        assert set(part["not_enough_data"].values()) == {why}
