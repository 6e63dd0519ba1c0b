"""Fake of Faust's consumer, without a broker."""

import asyncio
from typing import Any

from faust.types import TP

from services.stream_analytics.faust.options import new_app
from services.stream_analytics.settings import StreamSettings

PLACE = TP("stream-analytics-windows-changelog", 0)
TICKS = TP("ticks", 1)
TRADES = TP("leg-trades", 1)


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


def consumer(settings: StreamSettings | None = None, *wiring: Any) -> Any:
    """Return the one of a new app, without a broker; `wiring` is what the app is told of back-pressure and losses."""

    async def nothing(*_: object) -> None:
        """Hear of partitions."""

    transport: Any = new_app(settings or StreamSettings(), *wiring).transport
    return transport.Consumer(
        transport, callback=nothing, on_partitions_revoked=nothing, on_partitions_assigned=nothing
    )
