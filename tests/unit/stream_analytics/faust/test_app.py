"""Shutdown order: heartbeats end before Faust does."""

import asyncio
from typing import Any

import pytest

from services.stream_analytics.faust.app import StreamAnalytics
from services.stream_analytics.settings import StreamSettings


def test_no_heartbeat_is_sent_once_faust_is_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        service, sent = StreamAnalytics(StreamSettings()), asyncio.Event()

        async def send(*_: Any, **__: Any) -> None:
            assert not service.app.should_stop
            sent.set()

        monkeypatch.setattr(service, "_send", send)
        async with asyncio.timeout(20):
            beating = asyncio.create_task(service._beat())
            await sent.wait()
            await service.app.stop()
            await beating

    asyncio.run(run())
