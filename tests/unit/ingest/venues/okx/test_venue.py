"""OKX as a venue: requests, and what its answers prove."""

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import HOUR, MINUTE, SECOND
from services.common.errors import BadMessageError, FatalError, TransientError
from services.common.settings import load
from services.contracts.listings import Listing
from services.ingest.settings import IngestSettings
from services.ingest.venues.okx.venue import Okx
from services.ingest.venues.rest import GoneError, VenueBusyError, VenueRefusedError
from services.ingest.venues.venue import Venue
from tests.unit.ingest.venues.stub_rest import Params, StubRest

NOW = 1_750_000_000 * SECOND
DAY = 24 * HOUR
BTC = {
    "instId": "BTC-USDT-SWAP",
    "state": "live",
    "ctType": "linear",
    "ctVal": "0.01",
    "ctMult": "1",
    "ctValCcy": "BTC",
}
INSTRUMENTS = [
    BTC,
    {**BTC, "instId": "ETH-USDT-SWAP", "ctValCcy": "ETH", "state": "suspend"},
    {**BTC, "instId": "BTC-USD-SWAP", "ctType": "inverse", "ctVal": "100", "ctValCcy": "USD"},
    {"instId": "ODD-USDT-SWAP", "ctType": "linear"},
]
TRADES = "/api/v5/market/history-trades"


def row(trade_id: int, at_us: int, **changes: Any) -> dict[str, Any]:
    trade = {"instId": "BTC-USDT-SWAP", "tradeId": str(trade_id), "px": "100.5", "sz": "7", "side": "sell"}
    return {**trade, "source": "0", "ts": str(at_us // 1000), **changes}


def fine(data: Any) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": data}


class Exchange:
    """Trades by id with their times, given newest first, a hundred at most."""

    def __init__(self, ids: Iterable[int], at_us: Callable[[int], int] = lambda _: NOW - SECOND) -> None:
        self.trades = [(each, at_us(each)) for each in sorted(ids, reverse=True)]

    def __call__(self, path: str, params: Params) -> Any:
        if path == "/api/v5/public/instruments":
            assert params == {"instType": "SWAP"}
            return fine(INSTRUMENTS)
        assert path == TRADES
        assert params["instId"] == "BTC-USDT-SWAP"
        trades, limit = self.trades, int(params["limit"])
        assert 1 <= limit <= 100
        if params.get("type") == 2:
            trades = [each for each in trades if each[1] // 1000 < int(params["after"])]
        elif "after" in params:
            trades = [each for each in trades if each[0] < int(params["after"])]
        return fine([row(*each) for each in trades[:limit]])


def okx(answer: Callable[[str, Params], Any]) -> tuple[Okx, StubRest]:
    """Return a venue that knows its contracts and answers as given."""
    rest = StubRest(Exchange([]))
    venue = Okx("wss://stream:8443", rest, now_us=lambda: NOW)
    asyncio.run(venue.check_symbols(["BTCUSDT.OKX"]))
    rest.asked.clear()
    rest._answer = answer
    return venue, rest


def ids(venue: Okx, first_id: int) -> list[int]:
    return [trade.trade_id for trade in asyncio.run(venue.trades("BTCUSDT.OKX", first_id))]


VENUE: Venue = okx(Exchange([]))[0]


def test_trades_are_asked_for_by_message() -> None:
    stream = VENUE.stream("trades", "BTCUSDT.OKX")
    assert (stream.kind, stream.symbol) == ("trades", "BTCUSDT.OKX")
    assert (
        VENUE.url(stream.route, [stream]) == VENUE.url(stream.route, []) == "wss://stream:8443/ws/v5/business"
    )
    arguments = [{"channel": "trades-all", "instId": "BTC-USDT-SWAP"}]
    assert json.loads(VENUE.subscribe([stream], 7)) == {"id": "7", "op": "subscribe", "args": arguments}
    assert json.loads(VENUE.unsubscribe([stream], 8)) == {"id": "8", "op": "unsubscribe", "args": arguments}


def test_what_it_does_not_have_is_refused() -> None:
    with pytest.raises(FatalError, match=r"PAIRSTREAM_STREAMS: .* OKX has only trades, received quotes"):
        VENUE.stream("quotes", "BTCUSDT.OKX")
    with pytest.raises(FatalError, match="expected a perpetual of OKX"):
        VENUE.stream("trades", "BTCUSDT")
    with pytest.raises(FatalError, match="expected trades-all:BTC-USDT-SWAP on OKX's route"):
        VENUE.url("/ws/v5/public", [VENUE.stream("trades", "BTCUSDT.OKX")])


def test_it_is_pinged_before_it_loses_patience() -> None:
    ping = VENUE.keep_alive()
    assert ping is not None
    assert ping[0] == "ping"
    assert ping[1] < 30
    assert VENUE.parse(b"pong", 0) == ()


def test_the_venue_is_opened_from_the_settings() -> None:
    async def body() -> None:
        async with Okx.opened(load(IngestSettings, {"PAIRSTREAM_OKX_WS_URL": "ws://here"})) as venue:
            assert venue.url("/ws/v5/business", []) == "ws://here/ws/v5/business"

    asyncio.run(body())


@pytest.mark.parametrize("ts", ["1750000000123", "soon", ""])
def test_it_says_what_time_it_is_or_that_is_said(ts: str) -> None:
    venue, rest = okx(lambda *_: fine([{"ts": ts}]))
    if ts.isdigit():
        assert asyncio.run(venue.time_us()) == 1_750_000_000_123_000
    else:
        with pytest.raises(BadMessageError, match=f"expected OKX's time in milliseconds, received '{ts}'"):
            asyncio.run(venue.time_us())
    assert rest.asked == [("/api/v5/public/time", {})]


def test_a_listing_says_what_each_linear_perpetual_is() -> None:
    listed = BTC | {"tickSz": "0.1", "lotSz": "0.1", "listTime": "1611916828000", "expTime": ""}
    venue, _ = okx(lambda *_: fine([listed, *INSTRUMENTS[1:]]))
    btc, eth = asyncio.run(venue.listing())
    assert btc == Listing(
        symbol="BTCUSDT.OKX",
        venue="okx",
        venue_status="live",
        base="BTC",
        quote="USDT",
        contract_type="SWAP",
        tick_size=0.1,
        size_step=0.001,
        onboard_us=1_611_916_828_000_000,
    )
    assert (eth.symbol, eth.status, eth.venue_status) == ("ETHUSDT.OKX", "halted", "suspend")


def test_symbols_that_do_not_trade_are_all_named() -> None:
    venue, _ = okx(Exchange([]))
    asked = ["BTCUSDT.OKX", "ETHUSDT.OKX", "ODDUSDT.OKX", "BTCUSDC.OKX"]
    with pytest.raises(FatalError, match="PAIRSTREAM_SYMBOLS: expected symbols that OKX") as caught:
        asyncio.run(venue.check_symbols(asked))
    text = str(caught.value)
    assert "ETHUSDT.OKX, which is suspend" in text
    assert "ODDUSDT.OKX, which it does not have" in text
    assert "BTCUSDC.OKX, which it does not have; did you mean BTCUSDT.OKX?" in text


@pytest.mark.parametrize("body", [b"<html>", {}, fine({}), fine([{"instId": 1}]), {"code": 0, "data": []}])
def test_a_listing_of_another_shape_says_nothing_about_symbols(body: Any) -> None:
    venue, _ = okx(lambda *_: body)
    with pytest.raises(TransientError, match="expected"):
        asyncio.run(venue.check_symbols(["BTCUSDT.OKX"]))


def test_a_trade_before_the_check_is_refused() -> None:
    frame = json.dumps({"arg": {"channel": "trades-all"}, "data": [row(1, NOW)]}).encode()
    with pytest.raises(BadMessageError, match="expected an instrument that was checked"):
        Okx("wss://stream", StubRest(Exchange([]))).parse(frame, 0)
    assert VENUE.parse(frame, 0)


def test_a_page_of_trades_begins_where_it_was_asked_to() -> None:
    venue, rest = okx(Exchange(range(1000, 2000)))
    assert ids(venue, 1500) == list(range(1500, 1600))
    assert rest.asked == [(TRADES, {"instId": "BTC-USDT-SWAP", "after": 1600, "limit": 100})]
    assert ids(venue, 1950) == list(range(1950, 2000))
    [first, *_] = asyncio.run(venue.trades("BTCUSDT.OKX", 1500))
    assert (first.venue, first.symbol, first.price, first.size) == ("okx", "BTCUSDT.OKX", 100.5, 0.07)
    assert (first.event_us, first.received_us) == (NOW - SECOND, NOW)
    assert first.buyer_is_maker
    assert not first.repaired


def test_no_trades_yet_is_an_empty_page() -> None:
    assert ids(okx(Exchange(range(10)))[0], 10) == []
    assert ids(okx(Exchange([]))[0], 10) == []


@given(st.sets(st.integers(0, 5000), min_size=1), st.integers(0, 5000))
def test_ids_that_were_never_issued_hide_none(issued: set[int], first_id: int) -> None:
    venue, _ = okx(Exchange(issued))
    page = ids(venue, first_id)
    later = sorted(each for each in issued if each >= first_id)
    assert page == later[: len(page)]
    assert bool(page) == bool(later)


def test_a_trade_that_happens_while_we_ask_is_found() -> None:
    answers = iter([fine([row(7, NOW)]), fine([row(8, NOW)]), fine([row(8, NOW), row(7, NOW)])])
    assert ids(okx(lambda *_: next(answers))[0], 8) == [8]


def test_a_page_that_begins_late_and_long_ago_is_gone() -> None:
    venue, _ = okx(Exchange(range(500, 900), lambda _: NOW - 89 * DAY + 5 * MINUTE))
    with pytest.raises(GoneError, match="expected trade 8 from OKX"):
        ids(venue, 8)
    assert ids(venue, 500) == list(range(500, 600))


@pytest.mark.parametrize(
    "rows",
    [
        {},
        [{}],
        [["1"]],
        [row(8, NOW, px="0")],
        [row(8, NOW, px=100.5)],
        [row(8, NOW, sz="-1")],
        [row(8, NOW, ts=1)],
        [row(8, NOW, side=None)],
        [row(8, NOW, instId="ETH-USDT-SWAP")],
        [row(8, NOW), row(9, NOW)],
        [row(8, NOW), row(8, NOW)],
    ],
)
def test_a_damaged_page_is_refused_whole(rows: Any) -> None:
    with pytest.raises(BadMessageError, match="expected"):
        ids(okx(lambda *_: fine(rows))[0], 8)


def test_a_page_of_another_instrument_is_refused() -> None:
    venue, rest = okx(
        lambda *_: fine(
            [{**BTC, "instId": name, "ctValCcy": name[:3]} for name in ("BTC-USDT-SWAP", "ETH-USDT-SWAP")]
        )
    )
    asyncio.run(venue.check_symbols(["ETHUSDT.OKX"]))
    rest._answer = lambda *_: fine([row(8, NOW, instId="ETH-USDT-SWAP")])
    with pytest.raises(BadMessageError, match="ETH-USDT-SWAP"):
        ids(venue, 8)


def test_too_many_requests_hold_the_next_ones() -> None:
    venue, rest = okx(lambda *_: {"code": "50011", "msg": "Too Many Requests", "data": []})
    with pytest.raises(VenueBusyError, match="50011: Too Many Requests") as caught:
        ids(venue, 8)
    assert caught.value.retry_after_s == 2
    with pytest.raises(VenueBusyError, match="left alone"):
        rest._respect_hold()


def test_another_code_is_transient() -> None:
    with pytest.raises(VenueRefusedError, match="received 51001: Instrument ID"):
        ids(okx(lambda *_: {"code": "51001", "msg": "Instrument ID doesn't exist"})[0], 8)


def test_the_first_trade_of_a_time_follows_the_last_before_it() -> None:
    venue, rest = okx(Exchange(range(100, 200), lambda each: NOW - HOUR + each * SECOND))
    start_us = NOW - HOUR + 150 * SECOND

    def since(at_us: int) -> list[int]:
        return [trade.trade_id for trade in asyncio.run(venue.since("BTCUSDT.OKX", at_us))]

    assert since(start_us) == [*range(150, 200)]
    assert since(start_us + 1) == [*range(151, 200)]
    assert since(NOW - 2 * HOUR) == [*range(100, 200)]
    assert since(NOW) == []
    assert rest.asked[0] == (
        TRADES,
        {"instId": "BTC-USDT-SWAP", "type": 2, "after": start_us // 1000, "limit": 1},
    )


def test_a_time_before_the_venues_memory_is_gone() -> None:
    venue, rest = okx(Exchange([]))
    with pytest.raises(GoneError, match="expected a time of the last 89 days"):
        asyncio.run(venue.since("BTCUSDT.OKX", NOW - 90 * DAY))
    assert rest.asked == []


def test_volumes_are_turned_into_quote_currency() -> None:
    days = [
        {"instId": "BTC-USDT-SWAP", "last": "100", "volCcy24h": "2.5"},
        {"instId": "ETH-USDT-SWAP", "last": "", "volCcy24h": "1"},
        {"instId": "BTC-USD-SWAP", "last": "100", "volCcy24h": "1"},
    ]
    venue, _ = okx(lambda *_: fine(days))
    assert asyncio.run(venue.volumes()) == {"BTCUSDT.OKX": 250.0}


def test_a_trade_of_what_is_not_listed_is_nobodys() -> None:
    strange = row(1, NOW) | {"instId": "XXX-USDT-SWAP"}
    frame = json.dumps({"arg": {"channel": "trades-all"}, "data": [strange]}).encode()
    assert okx(Exchange([]))[0].parse(frame, 0) == ()
