"""What the fake API has of all pairs at once: lines of z-scores, and as many pairs as wanted."""

from collections.abc import Callable
from typing import Any, Protocol

from fastapi import FastAPI

from tests.e2e.fake_market import BASES, PAIRS, iso
from tests.e2e.fake_pairs import DEFAULTS, Pairs

SECOND = 1_000_000


class World(Protocol):
    """What the lines follow."""

    feed: str
    pairs: Pairs

    def now_us(self) -> int:
        """Return the time."""


def add(app: FastAPI, world: World, zscore: Callable[[str, float], float]) -> None:
    """Add the routes to `app`."""

    @app.get("/v1/zscores")
    async def get_zscores(span_s: int = 1800, points: int = 60) -> dict[str, Any]:
        end, step = world.now_us() // SECOND, span_s / points
        data = [
            {
                "pair": pair,
                "end_us": end * SECOND,
                "end_time": iso(end * SECOND),
                "step_s": step,
                "zscores": [zscore(pair, end - (points - 1 - place) * step) for place in range(points)],
            }
            for pair in PAIRS
        ]
        return {"feed": world.feed, "data": data}

    @app.post("/fake/many")
    async def fake_many(pairs: int) -> dict[str, Any]:
        """Watch so many pairs."""
        for number in range(len(PAIRS), pairs):
            symbol = f"C{number:03}USDT"
            BASES[symbol] = (10.0 + number, 3)
            PAIRS[f"{symbol}-BTCUSDT"] = (symbol, "BTCUSDT")
            world.pairs.settings[f"{symbol}-BTCUSDT"] = dict(DEFAULTS)
        return {"pairs": len(PAIRS)}
