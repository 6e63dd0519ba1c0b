"""Radar of the fake API: a last scan of some symbols, which ``/fake/radar`` replaces or takes away."""

import math
import random
from typing import Any

from fastapi import FastAPI, Response

from tests.e2e.fake_market import SECOND, iso
from tests.e2e.fake_pairs import problem

BARS = 4_320
MINUTE = 60 * SECOND
STAGES = ("confirmed", "corrected", "significant", "tried")
REASON = "p = 0.31 in the part held out"


class Radar:
    """What the radar has found: nothing of `symbols` below two."""

    def __init__(self, symbols: int, now_us: int) -> None:
        self.scans = 1
        self.change(symbols, now_us)

    def change(self, symbols: int, now_us: int) -> None:
        """Scan anew, other symbols."""
        self.scans += 1
        self.symbols = [*("BTCUSDT", "ETHUSDT"), *(f"S{number:03}USDT" for number in range(2, symbols))][
            :symbols
        ]
        self.last_us = now_us // MINUTE * MINUTE - MINUTE
        self.job_id = f"scan-{self.scans:012x}"
        draw = random.Random(7)
        pairs = [(y, x) for at, y in enumerate(self.symbols) for x in self.symbols[:at]]
        self.pairs = [_pair(rank, y, x, len(pairs), draw) for rank, (y, x) in enumerate(pairs, start=1)]

    def summary(self) -> dict[str, Any] | None:
        """Return the funnel."""
        if not self.pairs:
            return None
        stages = [STAGES.index(pair["stage"]) for pair in self.pairs]
        counts = {name: sum(stage <= at for stage in stages) for at, name in enumerate(STAGES)}
        first_us = self.last_us - (BARS - 1) * MINUTE
        return {
            "symbols": self.symbols,
            "left_out": {"NEWUSDT": "bars at 600 of 4,320 times, at least 95% are needed"},
            **{"first_us": first_us, "first_time": iso(first_us)},
            **{"last_us": self.last_us, "last_time": iso(self.last_us)},
            **{"bar_s": 60.0, "bars": 3_024, "held_out_bars": 1_296, "asked_bars": BARS, "carried": 12},
            **counts,
            **{"refused": 1, "seconds": 14.8},
        }

    def listed(self) -> dict[str, Any]:
        """Return the radar."""
        summary = self.summary()
        end_us = self.last_us + MINUTE
        return {
            **{"radar_id": "default", "request": {"interval": "1m"}, "every_s": 300, "paused": False},
            "state": "unfit" if summary is None else "watching",
            "reason": None if summary else "symbols: expected at least two, received BTCUSDT",
            "job_id": self.job_id if summary else None,
            **{"scanned_us": end_us, "scanned_time": iso(end_us)},
            **{"next_us": end_us + 300 * SECOND, "next_time": iso(end_us + 300 * SECOND)},
            **{"confirmed": 2 if summary else 0, "summary": summary},
        }

    def scan(self) -> dict[str, Any]:
        """Return the job of the last scan."""
        end_us = self.last_us + MINUTE
        times = dict.fromkeys(("asked_us", "started_us", "ended_us"), end_us)
        return {
            **{
                "job_id": self.job_id,
                "kind": "scan",
                "state": "done",
                "progress": 1.0,
                "step": "storing pairs",
            },
            **times,
            **{name.replace("_us", "_time"): iso(us) for name, us in times.items()},
            **{"estimate_s": 15.2, "remaining_s": None, "attempts": 1, "reason": None},
            **{"request": {"interval": "1m", "radar": "default"}, "summary": self.summary()},
        }

    def confirmations(self) -> list[dict[str, Any]]:
        """Return since when the confirmed pairs are so."""
        since = self.last_us - 7_200 * SECOND
        return [
            {
                **{"radar_id": "default", "pair": f"{one['y']}-{one['x']}", "y": one["y"], "x": one["x"]},
                **{"leg_a": min(one["y"], one["x"]), "leg_b": max(one["y"], one["x"])},
                **{"confirmed_us": since, "confirmed_time": iso(since)},
                **{"last_confirmed_us": self.last_us, "last_confirmed_time": iso(self.last_us)},
                **{"ended_us": None, "ended_time": None, "end_reason": None, "scans": 24, "missed": 0},
                **{name: one[name] for name in ("p_value", "hedge_ratio", "half_life_bars", "spread_bp")},
            }
            for one in self.pairs
            if one["stage"] == "confirmed"
        ]

    def cells(self, of: str) -> list[list[float | None]]:
        """Return a matrix."""
        places = {symbol: at for at, symbol in enumerate(self.symbols)}
        cells: list[list[float | None]] = [[None] * len(places) for _ in places]
        for one in self.pairs:
            value = -math.log10(one["p_value"]) if of == "evidence" else one["return_correlation"]
            y, x = places[one["y"]], places[one["x"]]
            cells[y][x] = cells[x][y] = round(value, 3)
        return cells


def add(app: FastAPI, now_us: Any, symbols: int = 30) -> None:
    """Add the routes to `app`."""
    radar = Radar(symbols, now_us())

    @app.get("/v1/radars")
    async def get_radars() -> dict[str, Any]:
        return {"feed": "synthetic", "data": [radar.listed()]}

    @app.get("/v1/radars/{radar}/confirmations")
    async def get_confirmations() -> dict[str, Any]:
        return {"feed": "synthetic", "data": radar.confirmations()}

    @app.get("/v1/scans/{job}")
    async def get_scan(job: str, stage: str = "tried", limit: int = 1_000) -> Any:
        if job != radar.job_id:
            return _unknown(job)
        allowed = STAGES[: STAGES.index(stage) + 1]
        data = [one for one in radar.pairs if one["stage"] in allowed][:limit]
        return {"feed": "synthetic", "scan": radar.scan(), "data": data}

    @app.get("/v1/scans/{job}/matrix")
    async def get_matrix(job: str, of: str = "returns") -> Any:
        if job != radar.job_id:
            return _unknown(job)
        return {"job_id": job, "of": of, "symbols": radar.symbols, "cells": radar.cells(of)}

    @app.post("/fake/radar")
    async def fake_radar(symbols: int) -> dict[str, Any]:
        radar.change(symbols, now_us())
        return {}


def _unknown(job: str) -> Response:
    return problem(404, f"expected the id of a scan, received {job!r}")


def _half_life(bars: float | None) -> dict[str, float | None]:
    numbers = [None] * 4 if bars is None else [bars, 1.2 * bars, 0.7 * bars, None if bars > 60 else 3 * bars]
    ends = ("half_life_bars", "half_life_corrected_bars", "half_life_low_bars", "half_life_high_bars")
    return dict(zip(ends, numbers, strict=True))


def _pair(rank: int, y: str, x: str, count: int, draw: random.Random) -> dict[str, Any]:
    p_value = min(1.0, 10 ** (-9 + 9 * math.sqrt(rank / count)))
    stage = STAGES[0 if rank <= 2 else 1 if rank == 3 else 2 if p_value < 0.05 else 3]
    is_survivor = stage in STAGES[:2]
    at_us = None
    return {
        **{"rank": rank, "y": y, "x": x, "stage": stage, "p_value": p_value},
        "adjusted_p_value": min(1.0, p_value * 900 / rank),
        "held_out_p_value": (0.31 if rank == 3 else 0.004) if is_survivor else None,
        **{
            "trace_statistic": 31.2 if is_survivor else None,
            "trace_critical_value": 15.49 if is_survivor else None,
        },
        **{
            "break_statistic": 8.1 if is_survivor else None,
            "break_critical_value": 15.8 if is_survivor else None,
        },
        **{"break_us": at_us, "break_time": None},
        **{"hedge_ratio": 0.2 + draw.random(), "hedge_ratio_se": 0.004, "r_squared": 0.9},
        **_half_life(None if rank % 7 == 0 else 10 + 60 * draw.random()),
        "zero_crossings": 40 + rank % 60,
        "spread_bp": 4 + 30 * draw.random(),
        **{"level_correlation": 0.9, "return_correlation": round(draw.uniform(-0.2, 0.95), 4)},
        "reason": REASON if rank == 3 else None,
        "spread": [round(2 * math.sin(at * (0.1 + rank % 9 / 9)), 3) for at in range(60)],
    }
