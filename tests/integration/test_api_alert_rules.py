"""Alerts of any rule, through the API: listed, filtered, saved, acknowledged and streamed."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet
import pytest
from msgspec import structs

from services.common.codec import encode
from services.contracts.messages import Alert
from tests.api_process import PAIR, ApiProcess, alert, running_api, store
from tests.broker import produce
from tests.contract.store import price_move
from tests.fix_broker import embedded_broker
from tests.stream_client import open_stream, receive, receive_until

pytestmark = pytest.mark.integration

USUAL = structs.replace(alert(0), rule_id="zscore", rule="zscore-threshold")
OTHER = alert(1)
MOVED = price_move("btc-moves:BTCUSDT:1:firing")
SERVICE = structs.replace(price_move("lag:sink", "sink"), severity="info")
ON_PAIR = structs.replace(price_move("btc-moves:pair", PAIR), pair=PAIR)
STORED = [USUAL, OTHER, MOVED, SERVICE, ON_PAIR]


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with embedded_broker() as address:
        yield address


@pytest.fixture(scope="module")
def api(store_url: str, broker: str) -> Iterator[ApiProcess]:
    store(store_url, STORED)
    with running_api(broker, store_url) as running:
        yield running


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, STORED),
        ({"rule": "zscore-threshold"}, [USUAL]),
        ({"rule": "zscore"}, [USUAL]),
        ({"rule": "zscore-entry"}, [OTHER]),
        ({"rule": "btc-moves"}, [MOVED, SERVICE, ON_PAIR]),
        ({"subject": "BTCUSDT"}, [MOVED]),
        ({"subject": "sink", "rule": "btc-moves"}, [SERVICE]),
        ({"subject": PAIR}, [USUAL, OTHER, ON_PAIR]),
        ({"pair": PAIR}, [USUAL, OTHER, ON_PAIR]),
        ({"pair": PAIR, "severity": "critical"}, [ON_PAIR]),
        ({"severity": "info"}, [SERVICE]),
        ({"severity": "warning", "state": "firing"}, [USUAL]),
        ({"rule": "btc-moves", "acked": "true"}, []),
    ],
)
def test_alerts_are_filtered_by_rule_subject_and_severity(
    api: ApiProcess, asked: dict[str, str], found: list[Alert]
) -> None:
    rows = {row["alert_id"]: row for row in api.data("/v1/alerts", **asked)}
    assert rows.keys() == {one.alert_id for one in found}
    for one in found:
        assert structs.asdict(one).items() <= rows[one.alert_id].items()


def test_a_severity_that_there_is_not_is_refused(api: ApiProcess) -> None:
    response = api.get("/v1/alerts", severity="odd")
    assert response.status_code == 422
    assert "severity" in response.text
    assert "odd" in response.text


def test_a_map_is_json_in_a_table(api: ApiProcess) -> None:
    text = api.get("/v1/alerts", format="csv", subject="BTCUSDT").text
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["rule"], row["metric"], row["pair"], row["value"]) == ("btc-moves", "price_move", "", "")
    assert (json.loads(row["labels"]), json.loads(row["values"])) == (MOVED.labels, MOVED.values)
    raw = api.get("/v1/alerts", format="parquet", subject="BTCUSDT").content
    (saved,) = pyarrow.parquet.read_table(io.BytesIO(raw)).to_pylist()
    assert (json.loads(saved["labels"]), json.loads(saved["values"])) == (MOVED.labels, MOVED.values)
    assert (saved["pair"], saved["value"], saved["subject"]) == (None, None, "BTCUSDT")


def test_what_is_streamed_is_what_is_stored_and_can_be_acknowledged(
    api: ApiProcess, broker: str, store_url: str
) -> None:
    huge = {"price_move": 1.5e300, "limit": -0.0, "count": 2.0}
    new = structs.replace(MOVED, alert_id="btc-moves:BTCUSDT:2:firing", values=huge)
    pairs_only = open_stream(api, f"?topics=alerts&pairs={PAIR}&symbols=ETHUSDT")
    with pairs_only, open_stream(api, "?topics=alerts&symbols=BTCUSDT") as stream:
        snapshot = receive(stream)["alerts"]
        assert {row["alert_id"] for row in snapshot} == {one.alert_id for one in STORED}
        assert receive(pairs_only)["alerts"]
        usual = structs.replace(USUAL, alert_id="zscore:later")
        produce(broker, "alerts", ((encode(one), 0) for one in (new, usual)))
        told = {row["alert_id"]: row for row in receive_until(stream, "alerts")}
        store(store_url, [new])
        stored: dict[str, dict[str, Any]] = {
            row["alert_id"]: row for row in api.data("/v1/alerts", subject="BTCUSDT")
        }
        assert told[new.alert_id] == stored[new.alert_id]
        assert [row["alert_id"] for row in receive_until(pairs_only, "alerts")] == [usual.alert_id]
        response = api.http.post(f"/v1/alerts/{new.alert_id}/ack")
        assert response.json()["acked_by"] == "local"
        acked = receive_until(stream, "alerts")
        while response.json() not in acked:
            acked = receive_until(stream, "alerts")
