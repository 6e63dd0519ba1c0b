"""``python -m tests.fake_venue BTCUSDT=500 ETHUSDT=500``: the fake venue as a process, trades a second per symbol.

Its one line of output is JSON: ``port``, ``control``, and the ``market`` that says which trades there are.
Ends when its standard input does.
"""

import asyncio
import sys

import msgspec

from tests.fake_venue.control import controlled
from tests.fake_venue.market import Market
from tests.fake_venue.rest import now_ms
from tests.fake_venue.venue import FakeVenue


class Ready(msgspec.Struct):
    """What the process says when it listens."""

    port: int
    control: int
    market: Market


async def serve(rates: dict[str, float]) -> None:
    """Trade until standard input ends."""
    market = Market(rates, now_ms())
    venue = FakeVenue(dict.fromkeys(rates, "TRADING"), market)
    async with venue.running(), controlled(venue) as control:
        sys.stdout.buffer.write(msgspec.json.encode(Ready(venue.port, control, market)) + b"\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    pairs = [argument.partition("=")[::2] for argument in sys.argv[1:]]
    asyncio.run(serve({symbol: float(rate) for symbol, rate in pairs}))
