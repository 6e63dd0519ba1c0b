"""Actions on several alerts: which they are about, and what is said of the outcome."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import msgspec

from services.ui.alerts import bulk_actions
from services.ui.api.client import ApiClient
from services.ui.series.cache import SeriesCache
from services.ui.state.alert_state import AlertState
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import PageContext
from tests.unit.ui.conftest import PAIR, START_S, Make


def done(
    market: LiveState,
    answer: Callable[[httpx.Request], httpx.Response],
    act: Callable[[PageContext], Awaitable[str]],
) -> str:
    async def run() -> str:
        async with ApiClient("http://api.test", httpx.MockTransport(answer)) as client:
            return await act(PageContext(market, SeriesCache(client), client, lambda: Now(0, 0.0)))

    return asyncio.run(run())


def test_what_fires_and_nobody_has_seen_is_acknowledged(alert: Make, price_move: Make) -> None:
    alarms = AlertState()
    alarms.take([alert(1), price_move(2), alert(3, subject="A-B", pair="A-B", acked_us=START_S)])
    alarms.take([alert(4, subject="C-D", pair="C-D"), alert(5, START_S + 1, subject="E-F", state="resolved")])
    ids = {one.alert_id for one in bulk_actions.to_acknowledge(alarms, None)}
    assert ids == {"alert-1", "alert-2", "alert-4"}
    assert [one.alert_id for one in bulk_actions.to_acknowledge(alarms, PAIR)] == ["alert-1"]


def test_a_bulk_acknowledgement_says_how_many_and_what_was_refused(alert: Make, price_move: Make) -> None:
    market = LiveState()
    market.alarms.take([alert(1), price_move(2)])
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        is_refused = len(asked) > 2 and "alert-1" in request.url.path
        return httpx.Response(404, json={"detail": "unknown"}) if is_refused else httpx.Response(200, json={})

    assert done(market, answer, lambda site: bulk_actions.acknowledge(site, None)) == "2 alerts acknowledged."
    assert sorted(asked) == ["/v1/alerts/alert-1/ack", "/v1/alerts/alert-2/ack"]
    said = done(market, answer, lambda site: bulk_actions.acknowledge(site, None))
    assert said == "1 of 2 alerts not acknowledged: Unknown."


def test_a_pair_is_snoozed_by_the_last_alert_of_each_of_its_rules(incident: Make) -> None:
    known = [incident(3), incident(2, START_S - 1, rule="wide", metric="zscore"), incident(1, START_S - 2)]
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.method == "POST":
            return httpx.Response(200, json={})
        assert dict(request.url.params)["subject"] == PAIR
        return httpx.Response(200, content=msgspec.json.encode({"feed": None, "data": known}))

    said = done(LiveState(), answer, lambda site: bulk_actions.snooze(site, PAIR, 900.0))
    assert said == "2 alerts snoozed."
    assert sorted(asked[1:]) == ["/v1/alerts/alert-2/snooze", "/v1/alerts/alert-3/snooze"]


def test_a_pair_without_alerts_is_said_not_to_be_snoozed() -> None:
    none = httpx.Response(200, json={"feed": None, "data": []})
    said = done(LiveState(), lambda _: none, lambda site: bulk_actions.snooze(site, PAIR, 900.0))
    assert said == f"{PAIR} is not snoozed: it has had no alert yet."
