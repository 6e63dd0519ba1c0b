"""Search among listed symbols, and what is said of one that is collected."""

import asyncio
from typing import Any

import httpx
import pytest

from services.ui.api import stream_follower
from services.ui.api.client import ApiClient
from services.ui.pages.listed_symbols import collect, found
from services.ui.series.cache import SeriesCache
from services.ui.state.live_state import LiveState
from services.ui.state.page_context import PageContext
from tests.unit.ui.answers import stats


def site(answer: httpx.Response) -> PageContext:
    market = LiveState()
    market.watch([], [stats("BTCUSDT")])
    client = ApiClient("http://api", httpx.MockTransport(lambda _: answer))
    return PageContext(market, SeriesCache(client), client, stream_follower.now)


def listed(*symbols: str) -> httpx.Response:
    rows = [{"symbol": symbol, "venue": "binance", "status": "trading"} for symbol in symbols]
    return httpx.Response(200, json={"feed": "live", "data": rows})


def test_what_fits_is_offered_in_the_order_of_the_answer() -> None:
    assert asyncio.run(found(site(listed("SOLUSDT", "AUSDT")), "sol")) == ["SOLUSDT", "AUSDT"]


@pytest.mark.parametrize("answer", [httpx.Response(503, json={"detail": "away"}), listed("X")])
def test_without_a_text_or_an_answer_it_is_what_is_collected(answer: httpx.Response) -> None:
    text = " " if answer.is_success else "sol"
    assert asyncio.run(found(site(answer), text)) == ["BTCUSDT"]


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (201, {"state": "filling"}, "SOLUSDT is filling: its history is being loaded."),
        (200, {"state": "live"}, "SOLUSDT is live: it is collected already."),
        (200, {"state": "halted"}, "SOLUSDT is halted: it comes when it trades."),
        (409, {"detail": "expected a symbol that trades"}, "Not collected. Expected a symbol that trades."),
        (503, {"detail": "the broker is away"}, "the broker is away"),
    ],
)
def test_what_became_of_it_is_said(status: int, answer: dict[str, Any], said: str) -> None:
    props = asyncio.run(collect(site(httpx.Response(status, json=answer)), " solusdt "))
    assert said in props["listed-status"]["children"]
    assert ("is-error" in props["listed-status"]["className"]) == (status > 201)
    assert (
        asyncio.run(collect(site(listed()), " "))["listed-status"]["children"] == "Type the name of a symbol."
    )
