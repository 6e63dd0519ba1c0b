"""Binance as a venue: routes, requests, and listings and volumes."""

import asyncio
import json

import pytest

from services.common.errors import FatalError, TransientError
from services.common.settings import load
from services.contracts.listings import Listing
from services.ingest.feed import StreamKind
from services.ingest.settings import IngestSettings
from services.ingest.venues.binance.venue import ROUTES, Binance
from services.ingest.venues.venue import Stream, Venue
from tests.unit.ingest.venues.binance.rest import binance

VENUE: Venue = binance()[0]


@pytest.mark.parametrize(
    ("kind", "route", "name"),
    [
        ("trades", "/market", "btcusdt@aggTrade"),
        ("quotes", "/public", "btcusdt@bookTicker"),
        ("mark-prices", "/market", "btcusdt@markPrice@1s"),
        ("liquidations", "/market", "btcusdt@forceOrder"),
    ],
)
def test_every_kind_of_stream_has_its_route(kind: StreamKind, route: str, name: str) -> None:
    stream = VENUE.stream(kind, "BTCUSDT")
    assert stream == Stream(kind, "BTCUSDT", name, route)
    assert VENUE.url(route, [stream]) == f"wss://stream{route}/stream?streams={name}"
    assert set(ROUTES) == {"trades", "quotes", "mark-prices", "liquidations"}


def test_streams_of_a_route_share_an_address() -> None:
    streams = [VENUE.stream("trades", "BTCUSDT"), VENUE.stream("mark-prices", "ETHUSDT_261225")]
    names = "btcusdt@aggTrade/ethusdt_261225@markPrice@1s"
    assert VENUE.url("/market", streams) == f"wss://stream/market/stream?streams={names}"


def test_a_stream_on_the_wrong_route_is_refused() -> None:
    trades, quotes = VENUE.stream("trades", "BTCUSDT"), VENUE.stream("quotes", "BTCUSDT")
    with pytest.raises(
        FatalError, match="expected btcusdt@aggTrade on Binance's route /market, received it on /public"
    ):
        VENUE.url("/public", [trades])
    with pytest.raises(FatalError, match="expected btcusdt@bookTicker on Binance's route /public"):
        VENUE.url("/market", [trades, quotes])
    with pytest.raises(FatalError, match="expected btcusdt@aggTrade on"):
        VENUE.url("", [trades._replace(route="")])
    with pytest.raises(FatalError, match="expected btcusdt@aggTrade on"):
        VENUE.url("/public", [trades._replace(route="/public")])


def test_streams_of_two_routes_are_not_asked_for_together() -> None:
    mixed = [VENUE.stream("trades", "BTCUSDT"), VENUE.stream("quotes", "BTCUSDT")]
    for ask in (VENUE.subscribe, VENUE.unsubscribe):
        with pytest.raises(FatalError, match="acknowledged there and stay silent"):
            ask(mixed, 1)


def test_subscriptions_name_their_streams() -> None:
    streams = [VENUE.stream("trades", symbol) for symbol in ("BTCUSDT", "ETHUSDT")]
    names = ["btcusdt@aggTrade", "ethusdt@aggTrade"]
    assert json.loads(VENUE.subscribe(streams, 7)) == {"method": "SUBSCRIBE", "params": names, "id": 7}
    assert json.loads(VENUE.unsubscribe(streams, 8)) == {"method": "UNSUBSCRIBE", "params": names, "id": 8}


def test_the_venue_is_opened_from_the_settings() -> None:
    async def body() -> None:
        settings = load(IngestSettings, {"PAIRSTREAM_BINANCE_WS_URL": "ws://here/"})
        async with Binance.opened(settings) as venue:
            assert venue.url("/market", [venue.stream("trades", "A1")]).startswith("ws://here/market/stream?")

    asyncio.run(body())


def test_it_says_what_time_it_is() -> None:
    venue, rest = binance(lambda *_: {"serverTime": 1_750_000_000_123})
    assert asyncio.run(venue.time_us()) == 1_750_000_000_123_000
    assert rest.asked == [("/fapi/v1/time", {})]


def test_a_listing_says_what_each_symbol_is() -> None:
    perpetual = {
        "symbol": "BTCUSDT",
        "status": "TRADING",
        "baseAsset": "BTC",
        "quoteAsset": "USDT",
        "contractType": "PERPETUAL",
        "onboardDate": 1_569_398_400_000,
        "deliveryDate": 4_133_404_800_000,
        "filters": [
            {"filterType": "LOT_SIZE", "stepSize": "0.001"},
            {"filterType": "PRICE_FILTER", "tickSize": "0.10"},
        ],
    }
    delivery = perpetual | {
        "symbol": "BTCUSDT_261225",
        "contractType": "CURRENT_QUARTER",
        "deliveryDate": 1_798_185_600_000,
    }
    names = ["币安人生USDT", "0GUSDT"]
    statuses = ["PENDING_TRADING", "SETTLING", "DELIVERED", "CLOSE", "SOMETHING_NEW"]
    others = [{"symbol": f"A{number}USDT", "status": status} for number, status in enumerate(statuses)]
    others += [{"symbol": name, "status": "TRADING"} for name in (*names, "no symbol")]
    venue, _ = binance(lambda *_: {"symbols": [perpetual, delivery, *others]})
    btc, quarter, *rest = asyncio.run(venue.listing())
    assert btc == Listing(
        symbol="BTCUSDT",
        venue="binance",
        venue_status="TRADING",
        base="BTC",
        quote="USDT",
        contract_type="PERPETUAL",
        tick_size=0.1,
        size_step=0.001,
        onboard_us=1_569_398_400_000_000,
    )
    assert (quarter.symbol, quarter.delivery_us) == ("BTCUSDT_261225", 1_798_185_600_000_000)
    assert [one.status for one in rest[:5]] == ["pre-trading", "halted", "delivered", "delisted", "halted"]
    assert [one.symbol for one in rest[5:]] == names


def test_symbols_that_trade_pass() -> None:
    venue, rest = binance()
    asyncio.run(venue.check_symbols(["BTCUSDT"]))
    assert rest.asked == [("/fapi/v1/exchangeInfo", {})]


def test_symbols_that_do_not_trade_are_all_named() -> None:
    with pytest.raises(FatalError, match="PAIRSTREAM_SYMBOLS: expected symbols that Binance") as caught:
        asyncio.run(binance()[0].check_symbols(["BTCUSDT", "BTCUSD", "LUNAUSDT", "XYZ"]))
    text = str(caught.value)
    assert "BTCUSD, which it does not have; did you mean BTCUSDT?" in text
    assert "LUNAUSDT, which is SETTLING" in text
    assert "XYZ, which it does not have" in text
    assert "received BTCUSDT," not in text


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"symbols":[{"symbol":1}]}'])
def test_a_listing_of_another_shape_says_nothing_about_symbols(body: bytes) -> None:
    with pytest.raises(TransientError, match="expected another answer"):
        asyncio.run(binance(lambda *_: body)[0].check_symbols(["BTCUSDT"]))


def test_volumes_are_in_quote_currency_and_what_is_no_number_is_left_out() -> None:
    rows = [
        {"symbol": "BTCUSDT", "quoteVolume": "12.5", "volume": "9"},
        {"symbol": "XUSDT", "quoteVolume": "-"},
    ]
    venue, rest = binance(lambda *_: rows)
    assert asyncio.run(venue.volumes()) == {"BTCUSDT": 12.5}
    assert rest.asked == [("/fapi/v1/ticker/24hr", {})]
    with pytest.raises(TransientError, match="expected another answer"):
        asyncio.run(binance(lambda *_: b"<html>")[0].volumes())
