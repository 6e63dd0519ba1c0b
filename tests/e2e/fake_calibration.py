"""Calibration of the fake API."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import numpy as np
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from services.quant.analysis.calibration import calibrate
from services.quant.analysis.entries import Bands, Seconds
from tests.e2e.fake_market import SECOND, timed
from tests.e2e.fake_pairs import Pairs, problem

DAY_S = 86_400
QUICKER = 8
"""What the charts beside it show would enter twice in a day."""


class World(Protocol):
    """What a calibration follows."""

    pairs: Pairs

    def now_us(self) -> int:
        """Return the time."""


def add(app: FastAPI, world: World, zscore: Callable[[str, float], float]) -> None:
    """Add the route to `app`; there are as many signals as ``bars`` of the pairs."""

    @app.get("/v1/pairs/{pair}/calibration")
    async def get_calibration(
        pair: str,
        start: int | None = None,
        end: int | None = None,
        stop: float | None = None,
        windows: int = 3,
        table: str = "histogram",
        format: str = "json",  # noqa: A002
    ) -> Response:
        settings = world.pairs.settings[pair]
        if stop is not None and stop <= settings["entry_z"]:
            expected = f"a |z| beyond the pair's entry_z {settings['entry_z']:g}"
            return problem(422, f"stop: expected {expected}", ("stop", expected, stop))
        last = (world.now_us() if end is None else end) // SECOND
        first = max(last - DAY_S if start is None else -(-start // SECOND), last - world.pairs.bars)
        found = calibration(
            pair,
            list(range(first, last)),
            [zscore(pair, QUICKER * second) for second in range(first, last)],
            windows,
            Bands(
                entry=settings["entry_z"],
                exit=settings["exit_z"],
                stop=stop or 2 * settings["entry_z"],
                within_us=windows * settings["window"] * SECOND,
                only_while_reverting=settings.get("only_while_reverting", False),
            ),
        )
        if format == "csv":
            rows = found[table]
            lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
            return Response("\n".join(lines), media_type="text/csv")
        return JSONResponse(found)


def calibration(
    pair: str, seconds: list[int], zscores: list[float], windows: int, bands: Bands
) -> dict[str, Any]:
    """Return what the API answers of these z-scores, whose spread is twice as large; every 100th second is stale."""
    known = [(at, z) for at, z in zip(seconds, zscores, strict=True) if at % 100]
    at, z = np.array([at for at, _ in known], np.int64) * SECOND, np.array([z for _, z in known])
    parts: dict[str, Any] = msgspec.to_builtins(calibrate(Seconds(at, z, 2 * z, at % 2 == 0), bands))
    parts["entries"] = [timed(entry) for entry in parts["entries"]]
    return {
        "feed": "synthetic",
        "pair": pair,
        "window": 300,
        "entry_z": bands.entry,
        "exit_z": bands.exit,
        "only_while_reverting": bands.only_while_reverting,
        "stop_z": bands.stop,
        "windows": windows,
        "within_s": bands.within_us // SECOND,
        "first_us": seconds[0] * SECOND if seconds else None,
        "first_time": None,
        "last_us": seconds[-1] * SECOND if seconds else None,
        "last_time": None,
        "signals": len(seconds),
        "known": len(known),
        "stale": len(seconds) - len(known),
        "collecting": 0,
        "without_zscore": 0,
        "fits": 1,
        **parts,
    }
