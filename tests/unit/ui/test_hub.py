"""Following the API through its losses."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from services.common.errors import BadMessageError, TransientError
from services.ui import hub
from services.ui.answers import StreamMessage, SymbolStats, WatchedPair
from services.ui.client import ApiClient
from services.ui.market import Market
from tests.unit.ui.conftest import Make


class StubApi:
    """Plays one script for each connection, then waits for ever."""

    def __init__(self, scripts: list[list[Any]], pairs: tuple[WatchedPair, ...] = ()) -> None:
        self._scripts = iter(scripts)
        self._pairs = pairs
        self.connections = 0
        self.reads = 0

    async def stream(self) -> AsyncIterator[StreamMessage]:
        self.connections += 1
        for step in next(self._scripts, [asyncio.Event()]):
            if isinstance(step, Exception):
                raise step
            if isinstance(step, asyncio.Event):
                await step.wait()
            else:
                yield step

    async def pairs(self) -> tuple[WatchedPair, ...]:
        self.reads += 1
        if self.reads == 1:
            raise TransientError("not yet")
        return self._pairs

    async def symbols(self) -> tuple[SymbolStats, ...]:
        return ()


async def followed(api: StubApi, until: Any, seconds: float = 5) -> Market:
    market = Market()
    task = asyncio.create_task(hub.follow(cast("ApiClient", api), market))
    try:
        async with asyncio.timeout(seconds):
            while not until(market):
                await asyncio.sleep(0.001)
    finally:
        task.cancel()
    return market


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "RETRY_FIRST_S", 0.001)


def test_every_loss_is_followed_by_another_try(tick: Make) -> None:
    api = StubApi(
        [
            [TransientError("refused")],
            [StreamMessage("snapshot", "live"), BadMessageError("odd")],
            [],
            [StreamMessage("snapshot", "live", ticks=(tick(),)), asyncio.Event()],
        ]
    )
    market = asyncio.run(followed(api, lambda market: market.ticks))
    assert api.connections == 4
    assert market.connected


def test_a_loss_keeps_the_numbers_and_the_reason(tick: Make) -> None:
    api = StubApi([[StreamMessage("snapshot", "live", ticks=(tick(),)), TransientError("gone away")]])
    market = asyncio.run(followed(api, lambda market: market.error == "gone away"))
    assert not market.connected
    assert market.connected_before
    assert "ETHUSDT" in market.ticks


def test_pairs_are_read_again_at_each_connection(pair: WatchedPair) -> None:
    api = StubApi([[StreamMessage("snapshot")], [StreamMessage("snapshot"), asyncio.Event()]], (pair,))
    market = asyncio.run(followed(api, lambda market: market.pairs))
    assert market.pairs == {pair.pair: pair}


def test_pairs_stay_known_while_the_api_does_not_answer(pair: WatchedPair) -> None:
    async def run() -> Market:
        market = Market()
        market.watch([pair], [])
        await hub.refresh_once(cast("ApiClient", StubApi([])), market)
        return market

    market = asyncio.run(run())
    assert market.pairs == {pair.pair: pair}
