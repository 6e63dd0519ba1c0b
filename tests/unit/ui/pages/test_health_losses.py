"""Acknowledgement of losses on the health page."""

import asyncio
import json

import httpx
import pytest

from services.ui.api.client import ApiClient
from services.ui.pages.health.losses import acknowledged
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import PageContext
from tests.unit.ui.conftest import StubTracks


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, {"services": {"sink": {"ticks": 5}}}, ""),
        (
            403,
            {"detail": "expected the role write"},
            "Expected the role write. The dashboard asks with its own key",
        ),
        (503, {"detail": "the database cannot be reached"}, "the database cannot be reached"),
    ],
)
def test_why_it_was_not_acknowledged_is_said(
    now: Now, status: int, body: dict[str, object], said: str
) -> None:
    asked: list[tuple[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, json.loads(request.content)))
        return httpx.Response(status, json=body)

    client = ApiClient("http://api", httpx.MockTransport(answer))
    site = PageContext(LiveState(), StubTracks([], []), client, lambda: now)  # type: ignore[arg-type]
    told = asyncio.run(acknowledged(site, "sink"))
    assert asked == [("/v1/status/acknowledge", {"service": "sink"})]
    assert told.startswith("Not acknowledged: ") == bool(said)
    assert said in told
