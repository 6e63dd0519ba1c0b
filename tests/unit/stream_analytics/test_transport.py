import asyncio
from typing import Any

from faust.types import TP

from services.stream_analytics.faust_app import new_app
from services.stream_analytics.settings import StreamSettings

PLACE = TP("stream-analytics-windows-changelog", 0)


class Thread:
    """What Faust's consumer asks of its thread; a fetch is under way until it is let go."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.arrived = asyncio.Event()

    async def getmany(self, *_: object) -> dict[TP, Any]:
        """Fetch."""
        self.said.append("fetching")
        await self.arrived.wait()
        self.said.append("fetched")
        return {}

    async def seek_wait(self, *_: object) -> None:
        """Seek."""
        self.said.append("sought")

    async def seek_to_committed(self) -> dict[TP, int]:
        """Seek."""
        self.said.append("sought")
        return {}


def consumer(settings: StreamSettings | None = None) -> Any:
    """Return the one of a new app, without a broker."""

    async def nothing(*_: object) -> None:
        """Hear of partitions."""

    transport: Any = new_app(settings or StreamSettings()).transport
    made = transport.Consumer(
        transport, callback=nothing, on_partitions_revoked=nothing, on_partitions_assigned=nothing
    )
    made._thread.thread_loop.close()
    return made


def test_a_seek_waits_for_the_fetch_that_is_under_way_and_none_begins_meanwhile() -> None:
    async def run() -> list[str]:
        one, thread = consumer(), Thread()
        one._thread = thread
        fetch = asyncio.create_task(one._getmany({PLACE}, 1.0))
        await asyncio.sleep(0)
        seeks = [asyncio.create_task(seek) for seek in (one.seek_wait({PLACE: 0}), one.perform_seek())]
        await asyncio.sleep(0)
        thread.arrived.set()
        await asyncio.gather(fetch, *seeks, one._getmany({PLACE}, 1.0))
        return thread.said

    assert asyncio.run(run()) == ["fetching", "fetched", "sought", "sought", "fetching", "fetched"]


def test_what_is_resumed_does_not_flow_before_the_seek_that_follows() -> None:
    async def run() -> bool:
        one = consumer()
        one._active_partitions = set()
        assert one.flow_active
        one.resume_partitions({PLACE})
        return bool(one.flow_active)

    assert not asyncio.run(run())
