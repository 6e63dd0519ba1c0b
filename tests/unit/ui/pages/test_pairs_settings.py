"""Settings and pairs that are saved, added, paused and removed: the API's reply becomes a text."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ui.api.client import ApiClient
from services.ui.api.types import WatchedPair
from services.ui.pages.pairs import manage, settings, sidebar
from services.ui.state.live_state import LiveState
from services.ui.state.page_context import PageContext, Props, Selection
from tests.e2e import fake_pairs
from tests.unit.ui.conftest import PAIR

LISTED = {"pair": PAIR, "y": "ETHUSDT", "x": "BTCUSDT", **fake_pairs.DEFAULTS, "last_signal": None}
FORBIDDEN = httpx.Response(403, json={"detail": "expected a caller with the role write"})

Answers = dict[str, httpx.Response | Exception]


def run(
    site: PageContext, answers: Answers, act: Callable[[PageContext], Awaitable[Any]]
) -> tuple[Any, list[tuple[str, str, Any]]]:
    """Return what `act` returns over an API that gives `answers` by method, and what it was sent beside GET."""
    sent: list[tuple[str, str, Any]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path in ("/v1/pairs", "/v1/symbols"):
            return httpx.Response(200, json={"data": [LISTED] if request.url.path == "/v1/pairs" else []})
        answer = answers[request.method]
        if request.method != "GET":
            sent.append((request.method, request.url.path, json.loads(request.content or b"null")))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def asking() -> Any:
        async with ApiClient("http://api.test", httpx.MockTransport(handle)) as client:
            return await act(PageContext(site.market, site.tracks, client, site.now))

    return asyncio.run(asking()), sent


def text(props: Props, element: str) -> str:
    return str(props[element]["children"])


@pytest.mark.parametrize(
    ("changed", "over", "feed", "says"),
    [
        ({"entry_z": 2.5}, {}, "live", "the window stays as it is"),
        ({"window": 600}, {"window": 600}, "live", "a full window after 600 samples, about 10 min."),
        ({"window": 600}, {"window": 600}, "replay", "a full window after 600 samples."),
        ({"intercept": False}, {}, "live", "the first z-score after 300 samples, about 5 min"),
        ({"window": 600}, {"paused": True}, "live", "this holds once it is resumed"),
    ],
)
def test_a_saved_change_says_what_follows(
    site: PageContext, changed: dict[str, Any], over: dict[str, Any], feed: Any, says: str
) -> None:
    site.market.feed = feed
    answers: Answers = {"PATCH": httpx.Response(200, json={**LISTED, **over})}
    (saved, props), sent = run(site, answers, lambda site: settings.change(site, PAIR, changed))
    assert sent == [("PATCH", f"/v1/pairs/{PAIR}", changed)]
    assert says in text(props, "settings-status")
    assert saved == {"pair": PAIR, **fake_pairs.DEFAULTS, **over}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (FORBIDDEN, "PAIRSTREAM_API_KEY"),
        (httpx.ConnectError("refused"), "refused"),
        (httpx.Response(503, json={"detail": "the broker is away"}), "the broker is away"),
        (httpx.Response(404, json={"detail": "expected one of A-B"}), "Expected one of A-B."),
    ],
)
def test_what_is_not_done_is_said_with_its_reason(
    site: PageContext, answer: httpx.Response | Exception, says: str
) -> None:
    acts: dict[str, tuple[str, Callable[[PageContext], Awaitable[Any]]]] = {
        "PATCH": ("settings-status", lambda site: settings.change(site, PAIR, {"window": 20})),
        "PUT": ("add-status", lambda site: manage.add(site, "ETHUSDT", "BTCUSDT")),
        "DELETE": ("manage-status", lambda site: manage.remove(site, PAIR)),
    }
    unknown = httpx.Response(404, json={"detail": "not known"})
    for method, (element, act) in acts.items():
        done, _ = run(site, {"GET": unknown, method: answer}, act)
        props: Props = done[1] if isinstance(done, tuple) else done
        assert says in text(props, element)
        assert text(props, element).startswith("Not ")
        assert props[element]["className"] == "panel-status is-error"


def test_a_pair_that_is_watched_keeps_its_settings(site: PageContext) -> None:
    known: Answers = {"GET": httpx.Response(200, json=LISTED)}
    props, sent = run(site, known, lambda site: manage.add(site, " ethusdt ", "BTCUSDT"))
    assert sent == []
    assert props["pair-select"]["value"] == PAIR
    assert "watched already" in text(props, "add-status")


def test_an_added_pair_is_chosen_at_once(site: PageContext) -> None:
    answers: Answers = {
        "GET": httpx.Response(404, json={"detail": ""}),
        "PUT": httpx.Response(201, json=LISTED),
    }
    props, sent = run(site, answers, lambda site: manage.add(site, "ETHUSDT", "BTCUSDT"))
    assert sent == [("PUT", f"/v1/pairs/{PAIR}", None)]
    assert props["pair-select"] == {"data": [PAIR], "value": PAIR}
    assert "OLS on prices, window of 300 samples, |z| ≥ 2." in text(props, "add-status")


@pytest.mark.parametrize("paused", [True, False])
def test_a_pause_changes_nothing_else(site: PageContext, paused: bool) -> None:
    answers: Answers = {"PATCH": httpx.Response(200, json={**LISTED, "paused": paused})}
    props, sent = run(site, answers, lambda site: manage.pause(site, PAIR, paused=paused))
    assert sent == [("PATCH", f"/v1/pairs/{PAIR}", {"paused": paused})]
    assert text(props, "manage-status").startswith("Paused." if paused else "Resumed.")


def test_after_a_removal_another_pair_is_shown(site: PageContext) -> None:
    props, sent = run(site, {"DELETE": httpx.Response(204)}, lambda site: manage.remove(site, "A-B"))
    assert sent == [("DELETE", "/v1/pairs/A-B", None)]
    assert props["pair-select"]["value"] == PAIR
    assert text(props, "manage-status").startswith("A-B is removed. Stored signals and alerts stay")


@given(st.integers(1, 100_000))
def test_a_duration_is_rounded_up_by_less_than_its_unit(seconds: int) -> None:
    count, unit = settings.duration(seconds).split()
    size = {"s": 1, "min": 60, "h": 3600}[unit]
    assert 0 <= int(count) * size - seconds < size


def test_live_values_are_sent_only_where_they_are_seen(
    site: PageContext, pair: WatchedPair, pairs_page: Selection
) -> None:
    assert "whatif-live-zscore" not in sidebar.live(site.market, pair, pairs_page)
    open_tab = Selection("one", "pairs", 1, asks={"side": "whatif"})
    props = sidebar.live(site.market, pair, open_tab)
    assert (text(props, "whatif-live-zscore"), text(props, "whatif-live-hedge_ratio")) == (
        "+0.75",
        "0.052310",
    )
    site.market.connected = False
    assert text(sidebar.live(site.market, pair, open_tab), "whatif-live-zscore") == "—"


def test_without_a_pair_there_is_nothing_to_pause(pairs_page: Selection) -> None:
    props = sidebar.live(LiveState(), None, pairs_page)
    assert props["pair-live"] == {"data": None}
    assert props["manage-pause"]["disabled"]
    assert text(props, "manage-state") == "No pair is chosen."
