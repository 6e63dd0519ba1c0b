"""Alert actions: their requests to the API, and the texts of refusals."""

import asyncio
import json

import httpx

from services.ui.alerts.actions import post
from services.ui.api.client import ApiClient
from services.ui.series.cache import SeriesCache
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import PageContext


def posted(answer: httpx.Response | Exception, does: str, for_s: float | None) -> tuple[str, httpx.Request]:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def run() -> str:
        async with ApiClient("http://api.test", httpx.MockTransport(handle)) as client:
            site = PageContext(LiveState(), SeriesCache(client), client, lambda: Now(0, 0.0))
            return await post(site, "zscore:A-B:1:firing", does, for_s)

    return asyncio.run(run()), asked[0]


def test_an_acknowledgement_isposted() -> None:
    said, request = posted(httpx.Response(200, json={}), "ack", None)
    assert (said, request.method) == ("", "POST")
    assert request.url.raw_path == b"/v1/alerts/zscore%3AA-B%3A1%3Afiring/ack"


def test_a_snooze_says_for_how_long() -> None:
    said, request = posted(httpx.Response(200, json={}), "snooze", 900.0)
    assert said == ""
    assert json.loads(request.content) == {"for_s": 900.0}


def test_a_refusal_is_said_in_words() -> None:
    problem = {"detail": "expected the id of a stored alert, received 'x'"}
    said, _ = posted(httpx.Response(404, json=problem), "ack", None)
    assert said == "Expected the id of a stored alert, received 'x'."


def test_an_api_that_is_away_is_said() -> None:
    said, _ = posted(httpx.ConnectError("refused"), "ack", None)
    assert "refused" in said
