"""Waiting time of a fetch."""

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from services.stream_analytics.settings import StreamSettings
from tests.unit.stream_analytics.fake_consumer import consumer

TICKS = TP("ticks", 0)


def client(*batches: dict[TP, list[object]]) -> Any:
    """Return what stands for aiokafka's consumer: each fetch brings the next of `batches`."""
    coming = iter(batches)

    async def fetched_records(*_: object, **__: object) -> dict[TP, list[object]]:
        return next(coming)

    subscriptions = SimpleNamespace(fetch_context=nullcontext)
    fetcher = SimpleNamespace(
        _closed=False, _subscriptions=subscriptions, fetched_records=fetched_records, _fetch_max_wait_ms=None
    )
    return SimpleNamespace(_closed=False, _fetcher=fetcher)


@pytest.mark.parametrize(("configured_ms", "idle_ms"), [(5, 40), (500, 500)])
def test_a_fetch_waits_longer_while_nothing_comes(configured_ms: int, idle_ms: int) -> None:
    async def run() -> list[int]:
        thread = consumer(StreamSettings(fetch_max_wait_ms=configured_ms))._thread
        kafka, waits = client({TICKS: [object()]}, {}, {TICKS: [object()]}), []
        for _ in range(3):
            await thread._fetch_records(kafka, {TICKS}, timeout=0.1, max_records=10)
            waits.append(kafka._fetcher._fetch_max_wait_ms)
        return waits

    assert asyncio.run(run()) == [configured_ms, idle_ms, configured_ms]
