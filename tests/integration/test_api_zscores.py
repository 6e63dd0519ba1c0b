"""Lines of z-scores through the API: what is in a step, where a line ends, and what is refused."""

from collections.abc import Iterator

import msgspec
import pytest

from services.api.models.zscores import ZscoreLine
from tests.api_process import PAIR, START_US, ApiProcess, pair_signal, running_api, store
from tests.fix_broker import embedded_broker

pytestmark = pytest.mark.integration

SECOND = 1_000_000
END = 3_600
VALUES = {END: 1.0, END - 1: -2.5, END - 2: 2.0, END - 30: 0.25, END - 59: -3.0, END - 60: 9.0, END - 61: 9.0}
"""z-score of a second; a minute in steps of 30 s is from 3541 to 3570 and from 3571 to 3600."""


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    known = [pair_signal(second, zscore) for second, zscore in sorted(VALUES.items())]
    stale = msgspec.structs.replace(pair_signal(END - 3, 8.0), quality="stale", reason="no trades")
    nothing = pair_signal(END - 4, None)
    store(store_url, [*known, stale, nothing])
    with embedded_broker() as broker, running_api(broker, store_url) as running:
        yield running


def test_a_step_has_the_zscore_farthest_from_0_that_can_be_relied_on(api: ApiProcess) -> None:
    (line,) = api.data("/v1/zscores", span_s=60, points=2)
    ZscoreLine.model_validate(line, strict=True)
    assert line == {
        "pair": PAIR,
        "end_us": START_US + END * SECOND,
        "end_time": "2026-01-01T01:00:00.000000Z",
        "step_s": 30.0,
        "zscores": [-3.0, -2.5],
    }


def test_a_step_without_a_zscore_is_null(api: ApiProcess) -> None:
    (line,) = api.data("/v1/zscores")
    assert line["zscores"] == [*[None] * 57, 9.0, -3.0, -2.5]


def test_a_table_and_a_refusal(api: ApiProcess) -> None:
    told = api.get("/v1/zscores", format="csv", span_s=60, points=2).text
    assert told.splitlines()[0] == "pair,end_us,end_time,step_s,zscores"
    refused = api.get("/v1/zscores", span_s=5)
    assert refused.status_code == 422
    assert "span_s" in refused.text
