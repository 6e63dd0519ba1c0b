"""Corrections of the fake API: seconds that late trades have changed."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

SECOND = 1_000_000

Signal = dict[str, Any]


class Corrections:
    """The last that was said of each corrected second, and in ``news`` all that ever was."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, int], Signal] = {}
        self.news: list[Signal] = []

    def latest(self, signal: Signal) -> Signal:
        """Return a signal as it was corrected last."""
        return self.stored.get((signal["pair"], signal["event_us"]), signal)


def add(app: FastAPI, corrections: Corrections, signal: Callable[[str, int], Signal]) -> None:
    """Add the routes to `app`."""

    @app.post("/fake/correct")
    async def correct(
        second: int, zscore: float, pair: str = "ETHUSDT-BTCUSDT", late: int = 1, outlier: bool = False
    ) -> Signal:
        known = corrections.latest(signal(pair, second))
        made = {"zscore": zscore, "late": late, "revision": known["revision"] + 1, "outlier": outlier}
        corrections.stored[pair, second * SECOND] = corrected = {**known, **made}
        corrections.news.append({**corrected, "closed": True})
        return corrected
