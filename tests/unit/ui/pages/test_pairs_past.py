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
        return tuple(one for one in self._signals if one.event_us < before_us)[-limit:]

    async def read(self, path: str, kind: Any, **asked: Any) -> Any:
        tick = builders.tick(symbol=asked["symbol"], trade_id=1, event_us=asked["end"] - 1, price=2.5)
        return Listing(data=(tick,))

    async def send(self, method: str, path: str, **sent: Any) -> httpx.Response:
        return httpx.Response(404, json={"title": "Unknown second", "status": 404, "detail": "it is gone"})


def shown(site: PageContext, client: StubClient, pair: str = PAIR, from_us: int | None = None) -> list[Props]:
    asks = {"pair": pair, "from_us": from_us, "at_us": AT_US, "zone": "UTC", "asked": 1}

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


def test_a_range_is_drawn_from_its_begin_to_its_end(site: PageContext, signal: Make) -> None:
    signals = [signal(START_S - 300 + n) for n in range(400)]
    first, _ = shown(site, StubClient(*signals), from_us=AT_US - 100 * SECOND)
    assert first["past-title"]["children"] == (
        f"{PAIR} from 2023-11-14 22:11:40 UTC to 2023-11-14 22:13:20 UTC: the past, not now"
    )
    drawn = first[past.CHART]["series"][0]["data"]
    assert [drawn[0]["time"], drawn[-1]["time"]] == [START_S - 100, START_S]
    assert first[past.CHART]["visibleLogicalRange"]["from"] == 0
    (only,) = shown(site, StubClient(signals[0]), from_us=AT_US - 100 * SECOND)
    assert only["past-status"]["children"] == (
        f"No signal of {PAIR} is stored from 2023-11-14 22:11:40 UTC to 2023-11-14 22:13:20 UTC."
    )


def test_of_a_long_range_the_extremes_of_each_minute_are_drawn(site: PageContext, signal: Make) -> None:
    signals = [signal(START_S - 12_000 + n, zscore=(n % 60) / 10 - 3.0) for n in range(12_001)]
    first, _ = shown(site, StubClient(*signals), from_us=AT_US - 11_000 * SECOND)
    (zscores,) = [one["data"] for one in first[past.CHART]["series"] if one["id"].startswith("zscore|")]
    assert 500 < len(zscores) <= 3 * (11_000 // 60 + 2)
    assert zscores[0]["time"] >= START_S - 11_000
    values = [round(point["value"], 1) for point in zscores]
    assert (max(values), min(values)) == (2.9, -3.0)


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
