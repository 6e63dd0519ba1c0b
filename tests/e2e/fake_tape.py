"""Services and tape of the fake API: counters that grow, coverage, gaps of every kind."""

import time
from typing import Any

from fastapi import FastAPI, Response

from tests.e2e.fake_market import SECOND, iso, timed

SERVICES = ("ingest", "stream_analytics", "alerting", "sink", "research", "api")
BEGAN_S = time.time()
# A second brings so many.
RATES = {"ticks": 20, "signals": 2, "live_signals": 8, "batches": 5, "messages": 30}
# Of ingest what it has played of the past, of the sink what was deleted before it was read and who has seen that, of
# stream_analytics how many processes it has (all but the last are silent), of all whether the API can tell.
TOLD: dict[str, Any] = {
    "filling": None,
    "lost": {},
    "unacknowledged": {},
    "workers": 1,
    "catching_up": False,
    "left_out": 0,
}
LAGS = ("delivery_now_ms", "delivery_p50_ms", "delivery_p99_ms")
# By symbol.
DELIVERY: dict[str, dict[str, int]] = {}
STATES = ("found", "unrepaired", "refuted", "repaired", "repaired")


def services(sick: str | None, now_us: int) -> list[dict[str, Any]]:
    """Return the health of every service; `sick` has been silent for 31 s."""
    return [service(name, name == sick, now_us / SECOND - BEGAN_S) for name in SERVICES]


def service(name: str, is_sick: bool, seconds: float) -> dict[str, Any]:
    """Return the health of a service after so many seconds."""
    workers = TOLD["workers"] if name == "stream_analytics" else 1
    processes = [process(name, number, is_sick or number + 1 < workers, seconds) for number in range(workers)]
    is_lossy = name == "sink" and TOLD["unacknowledged"]
    worst = min(processes, key=lambda one: ["silent", "catching up", "running"].index(one["state"]))
    return {
        **{
            field: worst[field]
            for field in ("state", "healthy", "age_s", "version", "lag_messages", "lag_seconds")
        },
        "service": name,
        "detail": None,
        "counters": {counter: sum(one["counters"][counter] for one in processes) for counter in RATES},
        "lost": TOLD["lost"] if name == "sink" else {},
        "filling": TOLD["filling"] if name == "ingest" else None,
        "unacknowledged": {},
        "instances": processes,
    } | (lossy() if is_lossy else {})


def lossy() -> dict[str, Any]:
    lost = TOLD["unacknowledged"]
    detail = f"{sum(lost.values())} messages lost, which nobody has acknowledged"
    return {"state": "degraded", "healthy": False, "unacknowledged": lost, "detail": detail}


def process(name: str, number: int, is_silent: bool, seconds: float) -> dict[str, Any]:
    """Return the health of one process."""
    state = "catching up" if TOLD["catching_up"] else "silent" if is_silent else "running"
    return {
        "instance": f"store-{4242 + number}-20260131T120000",
        "state": state,
        "said": "running",
        "healthy": None if TOLD["catching_up"] else not is_silent,
        "age_s": 31.0 if is_silent else 0.4,
        "version": "0.1.0",
        "detail": None,
        "lag_messages": 3 + int(seconds) % 5 if name == "sink" else 0,
        "lag_seconds": 0.02,
        "counters": {counter: int(rate * seconds) for counter, rate in RATES.items()},
        "lost": {},
        "filling": None,
    }


def symbols(names: list[str], now_us: int) -> list[dict[str, Any]]:
    """Return the tape of each symbol; the last one misses trades, and one of its streams is silent."""
    return [
        {
            "symbol": name,
            "collected": True,
            "state": "live",
            "state_reason": None,
            "last_price": None,
            "last_event_us": now_us,
            "last_event_time": iso(now_us),
            "age_s": 0.1,
            "coverage_1h": 0.99987 if name == names[-1] else 1.0,
            "coverage_24h": None if name == names[-1] else 0.9999,
            "coverage_reason": None,
            "open_gaps": 2 if name == names[-1] else 0,
            "stale": [f"{name.lower()}@bookTicker"] if name == names[-1] else [],
            **DELIVERY.get(name, dict.fromkeys(LAGS)),
        }
        for name in names
    ]


def gap(symbol: str, number: int) -> dict[str, Any]:
    began_us = int(BEGAN_S - 60 * number) * SECOND
    state = STATES[number % len(STATES)]
    return timed(
        {
            "symbol": symbol,
            "venue": "fake",
            "first_id": 1000 * number,
            "last_id": 1000 * number + 16,
            "start_us": began_us,
            "end_us": began_us + SECOND,
            "found_us": began_us + 2 * SECOND,
            "updated_us": began_us + 4 * SECOND,
            "state": state,
            "missing": 17 if state in ("found", "unrepaired") else 0,
            "reason": "older than the 48 hours the venue keeps" if state == "unrepaired" else None,
        }
    )


def add_gaps(app: FastAPI, feed: str, names: list[str]) -> None:
    """Add ``GET /v1/gaps``, and what sets `TOLD` and `DELIVERY`; without a symbol nothing is delivered."""
    every = [gap(names[number % len(names)], number) for number in range(12)]

    @app.post("/fake/told")
    async def fake_told(
        done_s: float | None = None,
        total_s: float = 900.0,
        lost_ticks: int = 0,
        workers: int = 1,
        catching_up: bool = False,
        left_out: int = 0,
    ) -> dict[str, Any]:
        TOLD["filling"] = None if done_s is None else {"done_s": done_s, "total_s": total_s}
        TOLD["lost"] = TOLD["unacknowledged"] = {"ticks": lost_ticks} if lost_ticks else {}
        TOLD["workers"], TOLD["catching_up"], TOLD["left_out"] = workers, catching_up, left_out
        return TOLD

    @app.post("/v1/status/acknowledge")
    async def acknowledge(asked: dict[str, str]) -> dict[str, Any]:
        seen = {asked["service"]: TOLD["unacknowledged"]}
        TOLD["unacknowledged"] = {}
        return {"services": seen}

    @app.post("/fake/delivered")
    async def fake_delivered(
        symbol: str | None = None, now: int = 0, p50: int = 0, p99: int = 0
    ) -> dict[str, dict[str, int]]:
        if symbol is None:
            DELIVERY.clear()
        else:
            DELIVERY[symbol] = dict(zip(LAGS, (now, p50, p99), strict=True))
        return DELIVERY

    @app.get("/v1/gaps", response_model=None)
    async def get_gaps(
        symbol: str | None = None,
        state: str | None = None,
        limit: int = 1000,
        format: str = "json",  # noqa: A002
    ) -> dict[str, Any] | Response:
        wanted = {None: STATES, "open": ("found", "unrepaired")}.get(state, (state,))
        found = [one for one in every if symbol in (None, one["symbol"]) and one["state"] in wanted][:limit]
        if format == "csv":
            lines = [
                "symbol,first_id,state",
                *(f"{one['symbol']},{one['first_id']},{one['state']}" for one in found),
            ]
            headers = {"Content-Disposition": 'attachment; filename="gaps.csv"'}
            return Response("\n".join(lines), media_type="text/csv", headers=headers)
        return {"feed": feed, "data": found, "coverage": []}
