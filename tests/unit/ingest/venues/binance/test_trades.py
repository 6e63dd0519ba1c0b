"""Trades of Binance by REST: pages, the first of a time, and what an answer proves."""

import asyncio
from typing import Any

import pytest

from services.common.clock import HOUR, MINUTE, SECOND
from services.common.errors import BadMessageError
from services.ingest.venues.binance.venue import Binance
from services.ingest.venues.rest import GoneError, VenueRefusedError
from tests.unit.ingest.venues.binance.rest import NOW, Exchange, binance, row


def since(venue: Binance, start_us: int) -> list[int]:
    return [trade.trade_id for trade in asyncio.run(venue.since("BTCUSDT", start_us))]


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
