"""Pairs of the fake API: their settings, and changes of them."""

from collections.abc import Callable
from typing import Any, Protocol

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from tests.e2e.fake_analysis import analysis

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
        return {
            "pair": pair,
            "y": y,
            "x": x,
            **self.settings[pair],
            **over,
            "warning": None,
            "last_signal": last_signal,
        }


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
        is_new = pair not in pairs.legs
        pairs.legs[pair], pairs.settings[pair] = (y, x), dict(DEFAULTS)
        return JSONResponse(pairs.listed(pair, latest(pair)), 201 if is_new else 200)

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


def _refused(settings: dict[str, Any]) -> Response | None:
    window, entry, exit_z = settings["window"], settings["entry_z"], settings["exit_z"]
    if not isinstance(window, int) or not 10 <= window <= 100_000:
        expected = "less than or equal to 100000" if isinstance(window, int) else "a valid integer"
        return problem(422, f"window: expected {expected}", ("window", expected, window))
    if exit_z >= entry:
        expected = f"exit_z below entry_z {entry:g}"
        return problem(422, f"body: expected {expected}", ("body", expected, "{}"))
    return None
