"""Thresholds of each pair, and their changes."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from services.ui.api.client import ApiClient
from services.ui.api.types import WatchedPair
from services.ui.pages.alerts import thresholds
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import PageContext
from tests.unit.ui.answers import update
from tests.unit.ui.conftest import PAIR, START_S, Make


def row(market: LiveState) -> Any:
    return thresholds.rows(market, "UTC")[PAIR]


def test_a_pair_has_its_thresholds_and_its_z_score_without_sign(
    market: LiveState, signal: Make, now: Now
) -> None:
    market.apply(update(signals=(signal(START_S + 1, zscore=-1.234),)), now)
    shown = row(market)
    assert (shown["entry"], shown["exit"], shown["text"]["z"], shown["state"]) == (2.0, 0.5, "1.23", "Quiet")
    assert not shown["is_firing"]
    assert not shown["is_stale"]


def test_a_pair_fires_until_it_is_resolved(market: LiveState, alert: Make, now: Now) -> None:
    market.apply(update(alerts=(alert(1),)), now)
    assert (row(market)["state"], row(market)["is_firing"]) == ("Firing since 22:13", True)
    market.apply(update(alerts=(alert(2, START_S + 1, state="resolved"),)), now)
    assert row(market)["state"] == "Quiet"


def test_an_alert_of_another_rule_does_not_fire_here(market: LiveState, price_move: Make, now: Now) -> None:
    market.apply(update(alerts=(price_move(subject=PAIR, pair=PAIR),)), now)
    assert (row(market)["state"], row(market)["is_firing"]) == ("Quiet", False)


def test_what_fires_since_another_day_says_which(market: LiveState, alert: Make, now: Now) -> None:
    market.apply(update(alerts=(alert(1, START_S - 3 * 86_400),)), now)
    assert row(market)["state"] == "Firing since 2023-11-11 22:13"


@pytest.mark.parametrize(
    ("quality", "reason", "state", "is_stale"),
    [
        ("stale", "no trade of BTCUSDT for 14 s", "no trade of BTCUSDT for 14 s", True),
        ("not_enough_data", "12 samples", "12 samples", False),
    ],
)
def test_what_is_not_known_has_a_reason(
    quality: str, reason: str, state: str, is_stale: bool, market: LiveState, signal: Make, now: Now
) -> None:
    market.apply(update(signals=(signal(START_S + 1, quality=quality, reason=reason),)), now)
    assert (row(market)["state"], row(market)["is_stale"]) == (state, is_stale)


def test_a_paused_pair_neither_fires_nor_has_a_z_score(
    market: LiveState, pair: WatchedPair, alert: Make, now: Now
) -> None:
    market.apply(update(alerts=(alert(),)), now)
    market.watch([msgspec.structs.replace(pair, paused=True)], [])
    assert (row(market)["state"], row(market)["z"], row(market)["is_firing"]) == ("Paused", None, False)


def test_numbers_of_a_lost_stream_are_stale(market: LiveState, now: Now) -> None:
    market.link(False, now, "gone")
    assert (row(market)["is_stale"], row(market)["state"]) == (True, "Quiet (last known)")


def stored(site: PageContext, answer: httpx.Response, value: Any) -> tuple[str, Any]:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer

    async def run() -> str:
        async with ApiClient("http://api.test", httpx.MockTransport(handle)) as client:
            return await thresholds.store(replace(site, client=client), PAIR, "entry_z", value)

    said = asyncio.run(run())
    assert (asked[0].method, asked[0].url.path) == ("PATCH", f"/v1/pairs/{PAIR}")
    return said, json.loads(asked[0].content)


def test_a_change_is_sent_and_holds_at_once(site: PageContext, pair: WatchedPair) -> None:
    saved = msgspec.to_builtins(msgspec.structs.replace(pair, entry_z=2.5))
    assert stored(site, httpx.Response(200, json=saved), 2.5) == ("", {"entry_z": 2.5})
    assert row(site.market)["entry"] == 2.5


def test_a_refused_change_says_why_and_changes_nothing(site: PageContext) -> None:
    error = {"field": "entry_z", "expected": "greater than 0", "received": "-1"}
    problem = {"detail": "entry_z: expected greater than 0", "errors": [error]}
    said, _ = stored(site, httpx.Response(422, json=problem), -1)
    assert said == "Expected greater than 0, received -1."
    assert row(site.market)["entry"] == 2.0
