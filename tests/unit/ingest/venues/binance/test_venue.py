"""Binance as a venue: routes, requests, and what its answers prove."""

import asyncio
import json
from typing import Any

import pytest

from services.common.clock import HOUR, MINUTE, SECOND
from services.common.errors import BadMessageError, FatalError, TransientError
from services.common.settings import load
from services.contracts.listings import Listing
from services.ingest.feed import StreamKind
from services.ingest.settings import IngestSettings
from services.ingest.venues.binance.venue import ROUTES, Binance
from services.ingest.venues.rest import GoneError, VenueRefusedError
from services.ingest.venues.venue import Stream, Venue
from tests.unit.ingest.venues.stub_rest import Params, StubRest

NOW = 1_750_000_000 * SECOND
LISTING = {
    "timezone": "UTC",
    "symbols": [
        {"symbol": "BTCUSDT", "status": "TRADING", "new": 1},
        {"symbol": "LUNAUSDT", "status": "SETTLING"},
    ],
}


def row(trade_id: int, at_us: int, **changes: Any) -> dict[str, Any]:
    return {"a": trade_id, "p": "100.5", "q": "2", "f": 1, "l": 2, "T": at_us // 1000, "m": True, **changes}


class Exchange:
    """Trades with times, the oldest first, as REST gives them."""

    def __init__(self, *trades: tuple[int, int]) -> None:
        self.trades = list(trades)
        self.remembers_from = 0

    def __call__(self, path: str, params: Params) -> Any:
        if path == "/fapi/v1/exchangeInfo":
            return LISTING
        assert path == "/fapi/v1/aggTrades"
        assert params["symbol"] == "BTCUSDT"
        limit = int(params["limit"])
        assert 1 <= limit <= 1000
        assert not ("fromId" in params and "startTime" in params), "the venue wants one or the other"
        rows = [row(trade_id, at_us) for trade_id, at_us in self.trades]
        if "fromId" in params:
            return [each for each in rows if each["a"] >= max(int(params["fromId"]), self.remembers_from)][
                :limit
            ]
        if "startTime" in params:
            start, end = int(params["startTime"]), int(params["endTime"])
            assert 0 <= end - start < 3_600_000, "the venue wants less than an hour"
            return [each for each in rows if start <= each["T"] <= end][:limit]
        return rows[-limit:]


def binance(answer: Any = None) -> tuple[Binance, StubRest]:
    rest = StubRest(answer or Exchange())
    return Binance("wss://stream", rest, now_us=lambda: NOW), rest


def since(venue: Binance, start_us: int) -> list[int]:
    return [trade.trade_id for trade in asyncio.run(venue.since("BTCUSDT", start_us))]


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


def test_a_page_of_trades_begins_where_it_was_asked_to() -> None:
    venue, rest = binance(Exchange(*((trade_id, NOW - SECOND) for trade_id in range(1, 3000))))
    page = asyncio.run(venue.trades("BTCUSDT", 500))
    assert [trade.trade_id for trade in page] == list(range(500, 1500))
    assert rest.asked == [("/fapi/v1/aggTrades", {"symbol": "BTCUSDT", "fromId": 500, "limit": 1000})]
    first = page[0]
    assert (first.venue, first.symbol, first.price, first.size) == ("binance", "BTCUSDT", 100.5, 2.0)
    assert (first.event_us, first.received_us) == (NOW - SECOND, NOW)
    assert first.buyer_is_maker
    assert not first.repaired


def test_no_trades_yet_is_an_empty_page() -> None:
    venue, rest = binance(Exchange((7, NOW)))
    assert asyncio.run(venue.trades("BTCUSDT", 8)) == []
    assert len(rest.asked) == 2


def test_a_trade_that_happens_while_we_ask_is_found() -> None:
    answers = iter([[], [row(8, NOW)], [row(8, NOW)]])
    venue, _ = binance(lambda *_: next(answers))
    assert [trade.trade_id for trade in asyncio.run(venue.trades("BTCUSDT", 8))] == [8]


def test_an_empty_page_before_later_trades_is_no_proof() -> None:
    venue, _ = binance(lambda _, params: [] if "fromId" in params else [row(5000, NOW)])
    with pytest.raises(GoneError, match="received none but later ones"):
        asyncio.run(venue.trades("BTCUSDT", 8))


def test_ids_that_were_never_issued_are_not_gone() -> None:
    venue, _ = binance(Exchange((7, NOW - HOUR), (12, NOW - HOUR)))
    assert [trade.trade_id for trade in asyncio.run(venue.trades("BTCUSDT", 8))] == [12]


def test_a_page_that_begins_late_and_long_ago_is_gone() -> None:
    exchange = Exchange(*((trade_id, NOW - 48 * HOUR + 5 * MINUTE) for trade_id in range(100)))
    exchange.remembers_from = 50
    with pytest.raises(
        GoneError, match=r"expected trade 8 from Binance BTCUSDT, which keeps 48 h .*received 50"
    ):
        asyncio.run(binance(exchange)[0].trades("BTCUSDT", 8))
    assert len(asyncio.run(binance(exchange)[0].trades("BTCUSDT", 50))) == 50


@pytest.mark.parametrize("body", [b'{"code":-4166,"msg":"Search window is restricted."}'])
def test_a_refusal_of_old_trades_is_gone(body: bytes) -> None:
    def refuse(*_: object) -> None:
        raise VenueRefusedError("expected HTTP 200, received 400", body)

    with pytest.raises(GoneError):
        asyncio.run(binance(refuse)[0].trades("BTCUSDT", 8))


@pytest.mark.parametrize("body", [b'{"code":-1121}', b"<html>", b"", b'{"code":"-4166"}', b"[" * 5000])
def test_any_other_refusal_is_transient(body: bytes) -> None:
    def refuse(*_: object) -> None:
        raise VenueRefusedError("expected HTTP 200, received 400", body)

    with pytest.raises(VenueRefusedError):
        asyncio.run(binance(refuse)[0].trades("BTCUSDT", 8))


@pytest.mark.parametrize(
    "rows",
    [
        {},
        [{}],
        [[1, "2"]],
        [row(8, NOW, p="0")],
        [row(8, NOW, p=100.5)],
        [row(8, NOW, q="-1")],
        [row(8, NOW, q="1e300")],
        [row(8, NOW, T="1")],
        [row(8, NOW, m=None)],
        [row(7, NOW)],
        [row(9, NOW), row(8, NOW)],
        [row(8, NOW), row(8, NOW)],
    ],
)
def test_a_damaged_page_is_refused_whole(rows: Any) -> None:
    with pytest.raises(BadMessageError, match="expected"):
        asyncio.run(binance(lambda *_: rows)[0].trades("BTCUSDT", 8))


def test_the_first_trade_of_a_time_is_found_window_by_window() -> None:
    venue, rest = binance(Exchange((3, NOW - 5 * HOUR), (4, NOW - 2 * HOUR), (5, NOW - HOUR)))
    assert since(venue, NOW - 5 * HOUR + 1) == [4]
    assert len(rest.asked) == 4
    assert since(venue, NOW - 5 * HOUR) == [3]
    assert since(venue, NOW - 2 * HOUR) == [4]


def test_the_trades_since_a_time_are_a_whole_page() -> None:
    venue, rest = binance(Exchange(*((each, NOW - MINUTE + each * 1000) for each in range(1, 1_500))))
    assert since(venue, NOW - MINUTE) == [*range(1, 1_001)]
    assert len(rest.asked) == 1


def test_trades_since_a_time_that_are_out_of_order_are_damage() -> None:
    venue, _ = binance(lambda *_: [row(3, NOW), row(2, NOW)])
    with pytest.raises(BadMessageError, match="expected trades with rising ids"):
        since(venue, NOW - MINUTE)


def test_a_time_without_trades_has_no_first() -> None:
    venue, _ = binance(Exchange((3, NOW - 5 * HOUR)))
    assert since(venue, NOW - HOUR) == []
    assert since(venue, NOW) == []


@pytest.mark.parametrize("offset_us", [-2000, -1000, 0, 1000, 2000])
def test_windows_leave_no_millisecond_out(offset_us: int) -> None:
    start_us = NOW - 3 * HOUR + 500
    venue, _ = binance(Exchange((3, start_us + 59 * MINUTE + offset_us)))
    assert since(venue, start_us) == [3]


def test_a_time_before_the_venues_memory_is_gone() -> None:
    venue, rest = binance()
    with pytest.raises(GoneError, match="expected a time of the last 48 h"):
        since(venue, NOW - 49 * HOUR)
    assert rest.asked == []


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
