"""What the fake API says of the pairs it watches: their settings, changes of them, and what an analysis finds."""

import math
from collections.abc import Callable
from typing import Any, Protocol

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from tests.e2e.fake_stability import STABILITY, stability

SECOND = 1_000_000
WIDTHS = {"1s": 1, "1m": 60, "5m": 300, "1h": 3600}
BARS_MAX = 10_000
DEFAULTS: dict[str, Any] = {
    "window": 300,
    "method": "ols",
    "transform": "price",
    "intercept": True,
    "min_samples": 300,
    "entry_z": 2.0,
    "exit_z": 0.5,
    "stale_after_s": 5.0,
    "paused": False,
    "only_while_reverting": False,
}
MEANING = {
    "cointegrated": "The legs are cointegrated at 5 %, both ways round",
    "not_cointegrated": "No cointegration was found at 5 %",
    "broken": "The line of the legs broke",
}

Legs = dict[str, tuple[str, str]]
Latest = Callable[[str], dict[str, Any]]


class Pairs:
    """The pairs and how they are measured; ``role`` is what a caller may do, ``bars`` how many there are."""

    def __init__(self, legs: Legs, symbols: list[str]) -> None:
        self.legs, self.symbols = legs, symbols
        self._first = dict(legs)
        self.reset()

    def reset(self) -> None:
        """Watch the first pairs as at first."""
        self.legs.clear()
        self.legs.update(self._first)
        self.settings = {pair: dict(DEFAULTS) for pair in self.legs}
        self.role, self.bars, self.conclusion = "write", BARS_MAX, "cointegrated"

    def listed(self, pair: str, last_signal: dict[str, Any], **over: Any) -> dict[str, Any]:
        """Return a pair as the API lists it."""
        y, x = self.legs[pair]
        return {"pair": pair, "y": y, "x": x, **self.settings[pair], **over, "last_signal": last_signal}


class World(Protocol):
    """What an analysis follows."""

    pairs: Pairs

    def now_us(self) -> int:
        """Return the time."""


def problem(status: int, detail: str, *errors: tuple[str, str, object]) -> Response:
    """Return a problem document; `errors` are field, what was expected, what was received."""
    document: dict[str, Any] = {"type": "urn:fake", "title": "Fake", "status": status, "detail": detail}
    if errors:
        document["errors"] = [
            {"field": field, "expected": expected, "received": str(received)}
            for field, expected, received in errors
        ]
    return JSONResponse(document, status, media_type="application/problem+json")


def add(app: FastAPI, world: World, latest: Latest) -> None:
    """Add the routes to `app`."""
    pairs = world.pairs

    def forbidden() -> Response | None:
        detail = "expected a caller with the role write, received 'desk' with the role read"
        return None if pairs.role == "write" else problem(403, detail)

    def unknown(pair: str) -> Response:
        return problem(404, f"expected one of {', '.join(pairs.legs)}, received {pair!r}")

    @app.get("/v1/pairs/{pair}")
    async def get_pair(pair: str) -> Any:
        return pairs.listed(pair, latest(pair)) if pair in pairs.legs else unknown(pair)

    @app.patch("/v1/pairs/{pair}")
    async def patch_pair(pair: str, change: dict[str, Any]) -> Any:
        if pair not in pairs.legs:
            return unknown(pair)
        if refused := forbidden() or _refused({**pairs.settings[pair], **change}):
            return refused
        pairs.settings[pair] |= change
        return pairs.listed(pair, latest(pair))

    @app.put("/v1/pairs/{pair}")
    async def put_pair(pair: str) -> Any:
        if refused := forbidden():
            return refused
        y, _, x = pair.partition("-")
        for symbol in (y, x):
            if symbol not in pairs.symbols:
                expected = f"one of {', '.join(pairs.symbols)}"
                return problem(422, f"pair: expected {expected}", ("pair", expected, pair))
        pairs.legs[pair], pairs.settings[pair] = (y, x), dict(DEFAULTS)
        return pairs.listed(pair, latest(pair))

    @app.delete("/v1/pairs/{pair}")
    async def delete_pair(pair: str) -> Response:
        if refused := forbidden():
            return refused
        del pairs.legs[pair], pairs.settings[pair]
        return Response(status_code=204)

    @app.get("/v1/pairs/{pair}/analysis")
    async def get_analysis(
        pair: str,
        limit: int = 500,
        interval: str = "1m",
        window: int = 300,
        method: str = "ols",
        transform: str = "price",
        series: bool = True,
        start: int | None = None,
        end: int | None = None,
        format: str = "json",  # noqa: A002
    ) -> Any:
        if not 3 <= window <= BARS_MAX:
            expected = f"less than or equal to {BARS_MAX}"
            return problem(422, f"window: expected {expected}", ("window", expected, window))
        end = end or world.now_us()
        limit = limit if start is None else -((start - end) // (WIDTHS[interval] * SECOND))
        if limit > BARS_MAX:
            few = f"a start with at most {BARS_MAX} bars until the end"
            return problem(422, f"start: expected {few}", ("start", few, start))
        found = analysis(
            pair,
            min(limit, pairs.bars),
            end,
            pairs.conclusion,
            interval=interval,
            window=window,
            method=method,
            transform=transform,
        )
        if found["regression"] and pair in pairs.legs:
            beta = latest(pair)["hedge_ratio"] or 0.05
            has_interval = method != "tls"
            found["regression"] |= {
                "hedge_ratio": beta,
                "low": beta * 0.998 if has_interval else None,
                "high": beta * 1.002 if has_interval else None,
            }
        if format == "csv":
            lines = [",".join(found["data"][0]), *(",".join(map(str, one.values())) for one in found["data"])]
            return Response("\n".join(lines), media_type="text/csv")
        return found if series else {**found, "data": []}

    @app.post("/fake/pairs")
    async def fake_pairs(
        role: str | None = None,
        bars: int | None = None,
        conclusion: str | None = None,
        reset: bool = False,
    ) -> dict[str, Any]:
        if reset:
            pairs.reset()
        pairs.role = role or pairs.role
        pairs.bars = pairs.bars if bars is None else bars
        pairs.conclusion = conclusion or pairs.conclusion
        return {"role": pairs.role}

    @app.post("/fake/pair")
    async def fake_pair(pair: str, window: int) -> dict[str, Any]:
        pairs.settings[pair]["window"] = window
        return pairs.settings[pair]


def analysis(pair: str, bars: int, now_us: int, conclusion: str, **asked: Any) -> dict[str, Any]:
    """Return an analysis of `bars` bars up to `now_us`, in the shape of the real one."""
    width = WIDTHS[asked["interval"]]
    newest = now_us // SECOND // width * width
    starts = range(newest - bars * width, newest, width)
    y, _, x = pair.partition("-")
    few = f"at least 30 observations are needed, there are {bars}" if bars < 30 else None
    test: dict[str, Any] = {
        "statistic": -4.21 if conclusion == "cointegrated" else -2.2,
        "p_value": 0.0031 if conclusion == "cointegrated" else 0.42,
        "lags": 2,
        "samples": bars - 3,
        "critical_values": {"1%": -3.92, "5%": -3.35, "10%": -3.05},
    }
    small = {"statistic": 3.2, "p_value": 0.0712}
    parts = {
        "regression": {
            "hedge_ratio": 0.05123456,
            "hedge_ratio_se": 0.0004,
            "low": 0.0504,
            "high": 0.0520,
            "level": 0.95,
            "hac_se": 0.0011,
            "hac_low": 0.0490,
            "hac_high": 0.0534,
            "hac_lags": 12,
            "intercept": 12.25,
            "intercept_se": None,
            "scale": 2.125,
            "r_squared": 0.9712,
            "r_squared_samples": bars,
            "samples": bars,
        },
        "diagnostics": {
            "durbin_watson": 1.91,
            "ljung_box": small,
            "arch": small,
            "lags": 10,
            "jarque_bera": small,
            "skew": 0.12,
            "kurtosis": 3.4,
        },
        **{f"adf_{leg}": {**test, "statistic": -1.83, "p_value": 0.366} for leg in ("y", "x")},
        "adf_spread": test,
        "engle_granger_y_on_x": test,
        "engle_granger_x_on_y": {**test, "statistic": test["statistic"] + 0.1},
        **({} if few else stability(starts, is_broken=conclusion == "broken")),
        "half_life": {
            "samples": 12.4,
            "seconds": 12.4 * width,
            "corrected": 14.1,
            "low": 8.2,
            "high": 31.5,
            "coefficient": 0.946,
            "standard_error": 0.0145,
            "reason": None,
        },
        "hurst": {"exponent": 0.31, "standard_error": 0.052, "longest": 50},
    }
    parts |= dict.fromkeys(STABILITY) if few else {}
    return {
        "feed": "synthetic",
        "dataset": None,
        "pair": pair,
        "y": y,
        "x": x,
        "bar_s": float(width),
        "method": asked["method"],
        "transform": asked["transform"],
        "window": asked["window"],
        "min_samples": min(30, asked["window"]),
        "refit_every": 1,
        "trend": "c",
        "lags": "aic",
        **_span(starts),
        "bars": bars,
        "bars_y": bars,
        "bars_x": bars + 2,
        "breaks": 1,
        "carried": "drop",
        "carried_y": 0,
        "carried_share_y": 0.0,
        "carried_x": 0,
        "carried_share_x": 0.0,
        "bars_available": None,
        "cut": None,
        "data_every": 1,
        "verdict": {
            "conclusion": "not_enough_data" if few else conclusion,
            "text": f"No verdict: {few}."
            if few
            else f"{MEANING[conclusion]}: Engle-Granger -4.21, p = 0.0031.",
            "notes": [] if few else ["Half of a deviation is gone after 12.4 bars."],
        },
        "not_enough_data": dict.fromkeys((*parts, "rolling"), few) if few else {},
        **(dict.fromkeys(parts) if few else parts),
        "data": [_point(start, few is None) for start in starts],
    }


def _span(starts: range) -> dict[str, Any]:
    first, last = (starts[0] * SECOND, starts[-1] * SECOND) if len(starts) else (None, None)
    return {"first_us": first, "first_time": None, "last_us": last, "last_time": None}


def _point(start: int, is_known: bool) -> dict[str, Any]:
    z = 1.6 * math.sin(start / 40) + 0.7 * math.sin(start / 7)
    numbers = {
        "hedge_ratio": 0.0512 + 0.0004 * math.sin(start / 90),
        "intercept": 12.5,
        "spread": 2.1 * z,
        "zscore": z,
        "correlation": 0.9 + 0.05 * math.sin(start / 60),
        "sample_spread": 2.0 * z,
        "sample_zscore": z,
    }
    known = {**(numbers if is_known else dict.fromkeys(numbers)), "structural_break": False}
    return {"start_us": start * SECOND, "start_time": "", "y_price": 3400.0, "x_price": 64000.0, **known}


def _refused(settings: dict[str, Any]) -> Response | None:
    window, entry, exit_z = settings["window"], settings["entry_z"], settings["exit_z"]
    if not isinstance(window, int) or not 10 <= window <= 100_000:
        expected = "less than or equal to 100000" if isinstance(window, int) else "a valid integer"
        return problem(422, f"window: expected {expected}", ("window", expected, window))
    if exit_z >= entry:
        expected = f"exit_z below entry_z {entry:g}"
        return problem(422, f"body: expected {expected}", ("body", expected, "{}"))
    return None
