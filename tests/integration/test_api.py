"""Every route of the API, as a process on the embedded broker and on each database of the contract."""

import asyncio
import csv
import io
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from services.api.models import alerts, market, pairs, tape
from services.api.models.status import Status
from services.api.service_health import SERVICES
from services.cli.schemas import DIRECTORY
from services.common.clock import HOUR, SECOND, to_iso
from services.common.codec import encode
from services.contracts.topics import HEARTBEATS, TAPE_EVENTS
from tests.api_process import (
    PAIR,
    START_US,
    ApiProcess,
    alert,
    heartbeat,
    pair_signal,
    running_api,
    store,
    tick,
)
from tests.broker import produce
from tests.contract.store import gap_event, write_all
from tests.fix_broker import embedded_broker

pytestmark = pytest.mark.integration

MAPS = ("labels", "values")
"""Fields that are a map: one column, as JSON."""

# 1000 s of BTCUSDT, a quarter second apart; of SOLUSDT only a day of two ticks, and nothing of ETHUSDT.
BTC = [tick(number) for number in range(4_000)]
SOL = [tick(1, "SOLUSDT", START_US, 50.0), tick(2, "SOLUSDT", START_US + 24 * HOUR + SECOND, 55.0)]
SIGNALS = [pair_signal(number, None if number % 7 == 0 else number / 100) for number in range(1_200)]
ALERTS = [alert(number) for number in range(300)]
GAPS = [gap_event("gap_found", 1), gap_event("gap_unrepaired", 2)]


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    store(store_url, [*BTC, *SOL, *SIGNALS, *ALERTS])
    asyncio.run(write_all(store_url, TAPE_EVENTS.name, [GAPS]))
    with embedded_broker() as broker:
        produce(broker, HEARTBEATS.name, [(encode(heartbeat("ingest", feed="replay")), 1)])
        with running_api(broker, store_url) as running:
            running.wait_for("/v1/status", lambda response: response.json()["feed"] == "replay")
            running.wait_for(
                "/v1/pairs", lambda response: response.json()["data"][0]["last_signal"] is not None
            )
            yield running


TABLES: dict[str, tuple[type[BaseModel], dict[str, Any]]] = {
    "/v1/symbols": (market.SymbolDay, {}),
    "/v1/ticks": (market.Tick, {"symbol": "BTCUSDT"}),
    "/v1/bars": (market.Bar, {"symbol": "BTCUSDT", "interval": "1s"}),
    "/v1/pairs": (pairs.Pair, {}),
    f"/v1/pairs/{PAIR}/signals": (pairs.Signal, {}),
    "/v1/alerts": (alerts.Alert, {}),
    "/v1/gaps": (tape.Gap, {"symbol": "BTCUSDT"}),
}


@pytest.mark.parametrize("path", TABLES)
def test_every_table_has_the_documented_fields_and_names_the_feed(api: ApiProcess, path: str) -> None:
    model, params = TABLES[path]
    response = api.get(path, **params)
    assert response.headers["X-Pairstream-Feed"] == response.json()["feed"] == "replay"
    records = [model.model_validate(record, strict=True) for record in response.json()["data"]]
    assert records
    assert [list(record) for record in response.json()["data"]] == [list(model.model_fields)] * len(records)


@pytest.mark.parametrize("path", TABLES)
@pytest.mark.parametrize("way", ["parameter", "header"])
def test_csv_equals_json(api: ApiProcess, path: str, way: str) -> None:
    _, params = TABLES[path]
    asked = {"format": "csv"} if way == "parameter" else {}
    accept = {"Accept": "text/csv"} if way == "header" else {}
    response = api.http.get(path, params=params | asked, headers=accept)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "\r\n" in response.text
    records = list(csv.DictReader(io.StringIO(response.text, newline="")))

    def plain(value: object) -> object:
        # What a reader of CSV sees of a JSON value.
        if isinstance(value, str):
            return f"'{value}" if value.startswith("=") else value
        return "" if value is None else json.dumps(value)

    def flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
        flattened: dict[str, Any] = {}
        for name, value in record.items():
            if name in MAPS:
                flattened[name] = json.dumps(value, separators=(",", ":"))
                continue
            flattened |= (
                flat(value, f"{prefix}{name}_") if isinstance(value, dict) else {prefix + name: plain(value)}
            )
        return flattened

    expected = [flat(record) for record in api.data(path, **params)]
    for record in (*expected, *records):
        record.pop("age_s", None)  # the clock goes on
    assert records == expected


def test_ticks_are_what_was_stored(api: ApiProcess) -> None:
    (first, *_) = api.data("/v1/ticks", symbol="BTCUSDT", start=START_US + SECOND, limit=1)
    assert first == {
        "symbol": "BTCUSDT",
        "trade_id": 4,
        "event_us": START_US + SECOND,
        "event_time": "2026-01-01T00:00:01.000000Z",
        "received_us": START_US + SECOND + 1,
        "received_time": "2026-01-01T00:00:01.000001Z",
        "venue": "binance",
        "price": 100 + 4 / 7,
        "size": 1.1,
        "buyer_is_maker": True,
        "repaired": False,
    }


def test_start_is_inclusive_end_exclusive_and_every_zone_is_understood(api: ApiProcess) -> None:
    start, end = START_US + 10 * SECOND, START_US + 11 * SECOND
    expected = [40, 41, 42, 43]
    for first, last in [
        (start, end),
        (to_iso(start), to_iso(end)),
        ("2026-01-01T05:30:10+05:30", "2025-12-31T19:00:11-05:00"),
        ("2026-01-01T01:00:10 01:00", "20260101T000011Z"),
    ]:
        rows = api.data("/v1/ticks", symbol="btcusdt", start=first, end=last)
        assert [row["trade_id"] for row in rows] == expected
    assert api.data("/v1/ticks", symbol="BTCUSDT", start=start, end=start) == []


def test_pages_neither_repeat_nor_leave_out_while_rows_arrive(api: ApiProcess, store_url: str) -> None:
    # Three ticks share each moment, so a page may end between them.
    ticks = [tick(number, "PAGEUSDT", START_US + number // 3) for number in range(0, 200, 2)]
    store(store_url, ticks)
    seen: list[int] = []
    params: dict[str, Any] = {"symbol": "PAGEUSDT", "limit": 7}
    arriving = itertools.count(200, 2)
    while True:
        page = api.get("/v1/ticks", **params).json()
        assert "data" in page, page
        seen += [row["trade_id"] for row in page["data"]]
        if "next_cursor" not in page:
            break
        params["cursor"] = page["next_cursor"]
        if len(seen) < 60:  # behind the cursor, which must not shift the pages, and at the end
            late = seen[-5] - 1
            store(
                store_url,
                [
                    tick(late, "PAGEUSDT", START_US + late // 3),
                    tick(number := next(arriving), "PAGEUSDT", START_US + number // 3),
                ],
            )
    assert seen == list(range(0, next(arriving), 2))


def test_alerts_go_back_page_by_page_and_filter(api: ApiProcess) -> None:
    seen: list[str] = []
    link: str = "?limit=70"
    while link:
        response = api.http.get(f"/v1/alerts{link}")
        seen += [row["alert_id"] for row in response.json()["data"]]
        link = response.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert seen == [one.alert_id for one in reversed(ALERTS)]
    firing = api.data("/v1/alerts", pair=PAIR.lower(), state="firing", end=START_US + 2 * SECOND)
    assert [row["alert_id"] for row in firing] == ["alert-000004", "alert-000002", "alert-000000"]


@pytest.mark.parametrize(("interval", "width"), [("1s", 1), ("1m", 60), ("5m", 300), ("1h", 3600)])
def test_bars_are_the_newest_ones_ascending_and_complete_once_a_later_trade_is_there(
    api: ApiProcess, interval: str, width: int
) -> None:
    bars = api.data("/v1/bars", symbol="BTCUSDT", interval=interval)
    buckets = {
        start: list(trades)
        for start, trades in itertools.groupby(
            BTC, lambda one: one.event_us // (width * SECOND) * width * SECOND
        )
    }
    starts = sorted(buckets)[-500:]
    assert [bar["start_us"] for bar in bars] == starts
    for bar in bars:
        trades = buckets[bar["start_us"]]
        prices = [one.price for one in trades]
        edges = (prices[0], max(prices), min(prices), prices[-1])
        assert (bar["open"], bar["high"], bar["low"], bar["close"]) == edges
        assert bar["trade_count"] == len(trades)
        assert bar["volume"] == pytest.approx(sum(one.size for one in trades), rel=1e-12)
        assert bar["vwap"] == pytest.approx(bar["quote_volume"] / bar["volume"], rel=1e-12)
        assert bar["closed"] == (bar["start_us"] + width * SECOND <= BTC[-1].event_us)
    assert not bars[-1]["closed"]


def test_a_trade_at_the_very_end_of_a_bar_closes_it(api: ApiProcess, store_url: str) -> None:
    store(store_url, [tick(1, "EDGEUSDT", START_US), tick(2, "EDGEUSDT", START_US + 60 * SECOND)])
    bars = api.data("/v1/bars", symbol="EDGEUSDT")
    assert [(bar["closed"], bar["coverage"]) for bar in bars] == [(True, 1), (False, 0)]


def test_bars_from_a_start_go_on_with_the_cursor(api: ApiProcess) -> None:
    params: dict[str, Any] = {"symbol": "BTCUSDT", "interval": "1s", "start": START_US, "limit": 300}
    starts = []
    while True:
        page = api.get("/v1/bars", **params).json()
        starts += [bar["start_us"] for bar in page["data"]]
        if not (following := page.get("next_cursor")):
            break
        params["cursor"] = following
    assert starts == [START_US + second * SECOND for second in range(1000)]


def test_signals_are_the_newest_thousand_ascending(api: ApiProcess) -> None:
    rows = api.data(f"/v1/pairs/{PAIR}/signals")
    assert [row["samples"] for row in rows] == list(range(200, 1200))
    assert [row["zscore"] for row in rows] == [one.zscore for one in SIGNALS[200:]]
    early = api.data(f"/v1/pairs/{PAIR}/signals", start=START_US, limit=2)
    assert [row["samples"] for row in early] == [0, 1]


def test_symbols_count_their_day_back_from_their_last_trade(api: ApiProcess) -> None:
    days = {day["symbol"]: day for day in api.data("/v1/symbols")}
    assert list(days)[:2] == ["BTCUSDT", "ETHUSDT"]
    btc, eth, sol = days["BTCUSDT"], days["ETHUSDT"], days["SOLUSDT"]
    assert (btc["last_price"], btc["trades_24h"], btc["tick_rate"]) == (BTC[-1].price, 4000, 4.0)
    assert btc["change_24h_pct"] is None
    assert (eth["last_price"], eth["trades_24h"], eth["tick_rate"], eth["age_s"]) == (None, 0, 0, None)
    assert sol["change_24h_pct"] == pytest.approx(10)
    assert (sol["trades_24h"], sol["last_event_us"]) == (1, SOL[1].event_us)
    assert sol["age_s"] > 0
    # What is stored of a symbol that nobody collects is told as such.
    assert [day["collected"] for day in (btc, eth, sol)] == [True, True, False]
    assert [day["first_event_us"] for day in (btc, eth, sol)] == [BTC[0].event_us, None, SOL[0].event_us]


def test_pairs_have_their_settings_and_last_signal(api: ApiProcess) -> None:
    (pair,) = api.data("/v1/pairs")
    assert (pair["pair"], pair["y"], pair["x"], pair["window"]) == (PAIR, "ETHUSDT", "BTCUSDT", 300)
    assert pair["last_signal"]["samples"] == SIGNALS[-1].samples
    assert api.get(f"/v1/pairs/{PAIR}").json() == pair


def test_status_names_every_service_heard_of_or_not(api: ApiProcess) -> None:
    # Of the sink nothing can be said before the API has listened for some seconds.
    answer = api.wait_for("/v1/status", lambda response: '"unknown"' in response.text)
    status = Status.model_validate(answer.json(), strict=True)
    services = {service.service: service for service in status.services}
    assert tuple(services) == SERVICES
    assert (services["api"].state, services["api"].healthy) == ("running", True)
    assert (services["sink"].state, services["sink"].healthy) == ("unknown", False)
    assert status.feed == "replay"
    assert status.symbols[0].last_price == BTC[-1].price


def test_the_document_served_is_the_one_committed(api: ApiProcess) -> None:
    assert api.get("/docs").status_code == 200
    assert api.get("/openapi.json").json() == json.loads((DIRECTORY / "openapi.json").read_text())
