"""Stream follower through lost connections."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from services.common.errors import BadMessageError, TransientError
from services.ui.api import stream_follower
from services.ui.api.client import ApiClient, StreamMessage
from services.ui.api.types import HandledAlert, SymbolStats, WatchedPair
from services.ui.state.alert_state import ALERTS_KEPT
from services.ui.state.live_state import LiveState
from tests.unit.ui.answers import snapshot
from tests.unit.ui.conftest import START_S, Make


class StubApi:
    """Plays one script for each connection; when there is none left, the rest of the test may look."""

    def __init__(
        self, *scripts: list[StreamMessage | Exception], pairs: tuple[WatchedPair, ...] = ()
    ) -> None:
        self._scripts = iter(scripts)
        self._pairs = pairs
        self.played = asyncio.Event()
        self.connections = 0
        self.reads = 0
        self.stored: list[HandledAlert] = []

    async def stream(self) -> AsyncIterator[StreamMessage]:
        script = next(self._scripts, None)
        if script is None:
            self.played.set()
            await asyncio.Event().wait()
        self.connections += 1
        for step in script or ():
            if isinstance(step, Exception):
                raise step
            yield step

    async def pace(self, is_watched: bool) -> None:
        self.is_watched = is_watched

    async def pairs(self) -> tuple[WatchedPair, ...]:
        self.reads += 1
        if self.reads == 1:
            raise TransientError("not yet")
        return self._pairs

    async def alerts(self, limit: int, pair: str | None = None) -> tuple[HandledAlert, ...]:
        return tuple([one for one in self.stored if pair in (None, one.pair)][:limit])

    async def symbols(self) -> tuple[SymbolStats, ...]:
        return ()


def followed(api: StubApi) -> LiveState:
    async def run() -> LiveState:
        market = LiveState()
        task = asyncio.create_task(stream_follower.follow(cast("ApiClient", api), market))
        await asyncio.wait_for(api.played.wait(), 5)
        task.cancel()
        return market

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_follower, "RETRY_FIRST_S", 0.001)


def test_every_loss_is_followed_by_another_try(tick: Make) -> None:
    api = StubApi(
        [TransientError("refused")],
        [snapshot("live"), BadMessageError("odd")],
        [],
        [snapshot("live", ticks=(tick(),))],
    )
    market = followed(api)
    assert api.connections == 4
    assert "ETHUSDT" in market.ticks


def test_a_loss_keeps_the_numbers_and_the_reason(tick: Make) -> None:
    market = followed(StubApi([snapshot("live", ticks=(tick(),)), TransientError("gone away")]))
    assert (market.connected, market.connected_before, market.error) == (False, True, "gone away")
    assert "ETHUSDT" in market.ticks


def test_a_stream_that_ends_is_a_loss() -> None:
    market = followed(StubApi([snapshot()]))
    assert (market.connected, market.error) == (False, "the API closed the stream")


def test_what_holds_is_found_though_a_snapshot_has_no_room_for_it(
    alert: Make, price_move: Make, pair: WatchedPair
) -> None:
    newest = [alert(n, START_S - n, state="resolved") for n in range(ALERTS_KEPT)]
    api = StubApi([], [snapshot(alerts=tuple(newest))], pairs=(pair,))
    others = [price_move(1_000, START_S - 1_000), price_move(1_001, START_S - 1_001, subject="sink")]
    api.stored = [*newest, *others]
    assert followed(api).alarms.firing() == others


def test_pairs_are_read_again_at_each_connection(pair: WatchedPair) -> None:
    market = followed(StubApi([snapshot()], [snapshot()], pairs=(pair,)))
    assert market.pairs == {pair.pair: pair}


def test_pairs_stay_known_while_the_api_does_not_answer(pair: WatchedPair) -> None:
    async def run() -> LiveState:
        market = LiveState()
        market.watch([pair], [])
        await stream_follower.refresh_once(cast("ApiClient", StubApi()), market)
        return market

    market = asyncio.run(run())
    assert market.pairs == {pair.pair: pair}
