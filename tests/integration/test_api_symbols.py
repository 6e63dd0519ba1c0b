"""Symbols through the API: what is listed, and what users have collected and removed."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from services.api.models.market import ListedSymbol
from services.common import clock
from services.common.codec import decode, encode
from services.common.kafka.compacted import publish
from services.common.settings import KafkaSettings
from services.contracts.listings import Listing, SymbolConfig
from services.contracts.messages import Heartbeat, ServiceState
from services.contracts.topics import HEARTBEATS, LISTINGS
from tests.api_process import ApiProcess, running_api, store, tick
from tests.broker import produce, read_all
from tests.fix_broker import embedded_broker

pytestmark = pytest.mark.integration

CHINESE, DIGITS = "币安人生USDT", "1000PEPEUSDT"
LISTED = [
    Listing(
        symbol="BTCUSDT", venue="binance", base="BTC", quote="USDT", contract_type="PERPETUAL", state="live"
    ),
    Listing(symbol="ETHUSDT", venue="binance", base="ETH", quote="USDT", state="live"),
    Listing(
        symbol="SOLUSDT",
        venue="binance",
        base="SOL",
        quote="USDT",
        tick_size=0.01,
        onboard_us=1_600_000_000_000_000,
    ),
    Listing(symbol="SOLUSDC", venue="binance", base="SOL", quote="USDC"),
    Listing(symbol="SOLUSDT.OKX", venue="okx", base="SOL", quote="USDT"),
    Listing(
        symbol="BTCUSDT_261225", venue="binance", base="BTC", quote="USDT", delivery_us=1_798_185_600_000_000
    ),
    Listing(symbol=CHINESE, venue="binance", base="币安人生", quote="USDT"),
    Listing(symbol=DIGITS, venue="binance", base="1000PEPE", quote="USDT"),
    Listing(
        symbol="LUNAUSDT",
        venue="binance",
        status="halted",
        venue_status="SETTLING",
        base="LUNA",
        quote="USDT",
    ),
    Listing(symbol="NEWUSDT", venue="binance", status="pre-trading", onboard_us=1_893_456_000_000_000),
    Listing(symbol="OLDUSDT_260327", venue="binance", status="delivered", venue_status="DELIVERED"),
]


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with embedded_broker() as address:
        yield address


@pytest.fixture(scope="module")
def api(store_url: str, broker: str) -> Iterator[ApiProcess]:
    store(store_url, [tick(1)])
    tell(broker, *LISTED)
    with running_api(broker, store_url) as running:
        yield running


def tell(broker: str, *listings: Listing) -> None:
    """Say what the feed lists, as ingest does."""
    settings = KafkaSettings(brokers=broker, fetch_max_wait_ms=25)
    asyncio.run(publish(settings, LISTINGS, {one.symbol: one for one in listings}))


def listed(api: ApiProcess, **query: Any) -> list[str]:
    return [row["symbol"] for row in api.data("/v1/symbols", listed=True, **query)]


def decided(broker: str, symbol: str) -> SymbolConfig | None:
    """Return what the topic says last of a symbol."""
    values = [one.value for one in asyncio.run(read_all(broker, "symbols")) if one.key == symbol.encode()]
    return decode(values[-1], SymbolConfig) if values else None


def test_everything_that_is_listed_is_told_and_searched(api: ApiProcess) -> None:
    assert listed(api) == sorted(one.symbol for one in LISTED)
    assert listed(api, search="sol")[:3] == ["SOLUSDT", "SOLUSDT.OKX", "SOLUSDC"]
    assert listed(api, search="btc/usdt:usdt", limit=1) == ["BTCUSDT"]
    (row,) = api.data("/v1/symbols", listed=True, search="SOLUSDT", limit=1)
    ListedSymbol.model_validate(row, strict=True)
    assert (row["tick_size"], row["onboard_time"], row["state"]) == (
        0.01,
        "2020-09-13T12:26:40.000000Z",
        None,
    )
    assert api.get("/v1/symbols", listed=True, format="csv").text.count("\n") == len(LISTED) + 1
    assert api.get("/v1/symbols", search="SOL").status_code == 422


@pytest.mark.parametrize("symbol", ["SOLUSDT", CHINESE, DIGITS, "SOLUSDT.OKX"])
def test_a_listed_symbol_is_collected_and_removed_again(api: ApiProcess, broker: str, symbol: str) -> None:
    created = api.http.put(f"/v1/symbols/{symbol.lower()}")
    assert (created.status_code, created.json()["symbol"], created.json()["state"]) == (
        201,
        symbol,
        "filling",
    )
    assert decided(broker, symbol) == SymbolConfig(symbol=symbol)
    assert api.http.put(f"/v1/symbols/{symbol}").status_code == 200
    assert symbol in [row["symbol"] for row in api.get("/v1/status").json()["symbols"]]
    assert api.http.delete(f"/v1/symbols/{symbol}").status_code == 204
    assert decided(broker, symbol) == SymbolConfig(symbol=symbol, collected=False)
    assert api.http.delete(f"/v1/symbols/{symbol}").status_code == 404


@pytest.mark.parametrize("written", ["SOL%2FUSDT:USDT", "sol%2fusdt", "SOL-USDT-SWAP", "BINANCE:SOLUSDT.P"])
def test_a_symbol_in_the_form_of_another_tool_is_collected_and_removed(api: ApiProcess, written: str) -> None:
    assert api.http.put(f"/v1/symbols/{written}").json()["symbol"] == "SOLUSDT"
    assert api.http.delete(f"/v1/symbols/{written}").status_code == 204
    assert "SOLUSDT" not in [row["symbol"] for row in api.get("/v1/status").json()["symbols"]]


def test_a_pair_of_a_listed_symbol_collects_it_and_keeps_it_from_being_removed(
    api: ApiProcess, broker: str
) -> None:
    pair = f"{DIGITS}-BTCUSDT"
    assert api.http.put(f"/v1/pairs/{pair}").status_code == 201
    assert decided(broker, DIGITS) == SymbolConfig(symbol=DIGITS)
    refused = api.http.delete(f"/v1/symbols/{DIGITS}")
    assert (refused.status_code, refused.json()["pairs"]) == (409, [pair])
    assert pair in refused.json()["detail"]
    assert api.http.delete(f"/v1/pairs/{pair}").status_code == 204
    # It stays until it is removed.
    assert DIGITS in [row["symbol"] for row in api.get("/v1/status").json()["symbols"]]
    assert api.http.delete(f"/v1/symbols/{DIGITS}").status_code == 204


def test_a_symbol_that_nobody_lists_is_answered_with_near_names(api: ApiProcess, broker: str) -> None:
    answer = api.http.put("/v1/symbols/SOLUSTD")
    assert answer.status_code == 404
    assert answer.json()["near"][0] == "SOLUSDT"
    pair = api.http.put("/v1/pairs/SOLUSTD-BTCUSDT")
    assert pair.status_code == 422
    assert "SOLUSTD is not" in pair.json()["detail"]
    assert "SOLUSDT" in pair.json()["detail"]
    assert decided(broker, "SOLUSTD") is None


@pytest.mark.parametrize(
    ("symbol", "said"),
    [
        ("LUNAUSDT", "which binance says is halted (SETTLING)"),
        ("OLDUSDT_260327", "which binance says is delivered (DELIVERED)"),
        ("NEWUSDT", "which binance says is pre-trading, which begins at 2030-01-01T00:00:00.000000Z"),
    ],
)
def test_a_symbol_that_does_not_trade_is_refused_with_what_the_venue_says(
    api: ApiProcess, broker: str, symbol: str, said: str
) -> None:
    for path in (f"/v1/symbols/{symbol}", f"/v1/pairs/{symbol}-BTCUSDT"):
        answer = api.http.put(path)
        assert answer.status_code == 409
        assert said in answer.json()["detail"]
    assert decided(broker, symbol) is None
    assert [row["pair"] for row in api.data("/v1/pairs")] == ["ETHUSDT-BTCUSDT"]


def test_the_state_of_a_symbol_is_told_with_its_day(api: ApiProcess, broker: str) -> None:
    halted = Listing(
        symbol="BTCUSDT", venue="binance", status="halted", state="halted", reason="the venue says HALT"
    )
    tell(broker, halted)
    api.wait_for("/v1/symbols", lambda answer: answer.json()["data"][0]["state"] == "halted")
    row = api.data("/v1/symbols")[0]
    assert (row["symbol"], row["state_reason"]) == ("BTCUSDT", "the venue says HALT")


def test_what_is_new_to_a_feed_that_has_ended_is_refused(api: ApiProcess, broker: str) -> None:
    assert api.http.put("/v1/pairs/ETHUSDT-BTCUSDT").status_code in (200, 201)
    beat(broker, "finished")
    api.wait_for("/v1/status", lambda answer: "finished" in answer.text)
    try:
        for path in ("/v1/pairs/BTCUSDT-ETHUSDT", "/v1/pairs/SOLUSDT-BTCUSDT", "/v1/symbols/SOLUSDT"):
            refused = api.http.put(path)
            assert (refused.status_code, refused.json()["title"]) == (409, "Feed has ended"), path
            assert "the feed replay has ended: start it again with that one" in refused.json()["detail"]
        # What is known may be changed.
        assert api.http.put("/v1/pairs/ETHUSDT-BTCUSDT", json={"window": 120}).status_code == 200
        assert api.http.delete("/v1/pairs/ETHUSDT-BTCUSDT").status_code == 204
    finally:
        beat(broker, "running")
    api.wait_for("/v1/status", lambda answer: "finished" not in answer.text)
    assert api.http.put("/v1/pairs/ETHUSDT-BTCUSDT").status_code == 201


def beat(broker: str, state: ServiceState) -> None:
    """Have ingest say how its feed is."""
    now_us = clock.now_us()
    message = Heartbeat(
        service="ingest",
        instance="one",
        at_us=now_us,
        started_us=now_us,
        state=state,
        version="1",
        feed="replay",
    )
    produce(broker, HEARTBEATS.name, [(encode(message), 0)], key=b"ingest/one")
