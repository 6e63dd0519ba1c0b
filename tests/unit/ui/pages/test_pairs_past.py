"""A moment of the past of a pair, as the page shows it."""

import asyncio
from dataclasses import replace
from typing import Any, cast

import httpx
import pytest

from services.common.clock import SECOND
from services.common.errors import TransientError
from services.contracts.messages import Signal
from services.ui.api.client import ApiClient
from services.ui.api.types import Listing
from services.ui.pages.pairs import past
from services.ui.state.page_context import PageContext, Props
from tests import builders
from tests.unit.ui.conftest import PAIR, START_S, Make

AT_US = START_S * SECOND


class StubClient:
    """An API that has these signals, and no work of any second."""

    def __init__(self, *signals: Signal, is_away: bool = False) -> None:
        self._signals = signals
        self._is_away = is_away

    async def signals(self, pair: str, limit: int, before_us: int) -> tuple[Signal, ...]:
        if self._is_away:
            raise TransientError("the API is away")
        return tuple(one for one in self._signals if one.event_us < before_us)

    async def read(self, path: str, kind: Any, **asked: Any) -> Any:
        tick = builders.tick(symbol=asked["symbol"], trade_id=1, event_us=asked["end"] - 1, price=2.5)
        return Listing(data=(tick,))

    async def send(self, method: str, path: str, **sent: Any) -> httpx.Response:
        return httpx.Response(404, json={"title": "Unknown second", "status": 404, "detail": "it is gone"})


def shown(site: PageContext, client: StubClient, pair: str = PAIR) -> list[Props]:
    asks = {"pair": pair, "at_us": AT_US, "zone": "UTC", "asked": 1}

    async def run() -> list[Props]:
        answers = past.answers(replace(site, client=cast("ApiClient", client)), asks)
        return [props async for props in answers]

    return asyncio.run(run())


def test_a_moment_is_shown_as_the_past_with_what_was_known_by_then(site: PageContext, signal: Make) -> None:
    signals = [signal(START_S - 5 + n) for n in range(10)]
    first, window = shown(site, StubClient(*signals))
    assert first["past-title"]["children"] == f"{PAIR} at 2023-11-14 22:13:20 UTC: the past, not now"
    series = {one["id"].split("|")[0]: one for one in first[past.CHART]["series"]}
    assert series["zscore"]["data"][-1]["time"] == START_S
    assert "Trades of ETHUSDT in the 10 s before: 1" in str(first["past-trades"])
    assert window["past-status"]["children"].startswith("Its window is not known: ")


def test_a_moment_between_two_signals_names_the_last_one(site: PageContext, signal: Make) -> None:
    first, _ = shown(site, StubClient(signal(START_S - 60)))
    assert first["past-status"]["children"].startswith(
        "Its last signal before is of 2023-11-14 22:12:20 UTC. "
    )


@pytest.mark.parametrize(
    ("client", "name", "said"),
    [
        (StubClient(), PAIR, f"No signal of {PAIR} is stored from before 2023-11-14 22:13:20 UTC."),
        (StubClient(), "BTCUSDT-ETHUSDT", "BTCUSDT-ETHUSDT is not watched."),
        (StubClient(is_away=True), PAIR, "the API is away"),
    ],
)
def test_what_cannot_be_shown_is_said(site: PageContext, client: StubClient, name: str, said: str) -> None:
    (only,) = shown(site, client, name)
    assert only["past-status"] == {"children": said, "className": "panel-status is-error"}
    assert only["past-drawn"] == {"style": {"display": "none"}}
