"""Fake API with moving numbers, in the shapes of the real one; ``/fake/...`` steers it.

``python fake_api.py PORT [FEED]``. The past is a function of the time, so a restart continues the same market.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse

from services.contracts.intervals import ALL_WIDTHS_US
from tests.e2e import (
    fake_alerts,
    fake_calibration,
    fake_corrections,
    fake_datasets,
    fake_incidents,
    fake_listings,
    fake_overview,
    fake_pairs,
    fake_radar,
    fake_rules,
    fake_tape,
    fake_targets,
)
from tests.e2e.fake_market import BASES, PAIRS, SECOND, bar, iso, price, signal, tick, timed, zscore

INTERVALS: dict[str, int] = {name: width_us // SECOND for name, width_us in ALL_WIDTHS_US.items()}
SIGNALS_S = 3 * 3600
HISTORY_S = 40 * 86_400


class World:
    """What ``/fake/...`` has set."""

    def __init__(self, feed: str) -> None:
        self.feed = feed
        self.quality = "ok"
        self.paused = False
        self.sick: str | None = None
        self.alerts = fake_alerts.Alerts()
        self.corrections = fake_corrections.Corrections()
        self.frozen_us: int | None = None
        self.silent_symbols = 0
        self.added: list[str] = []
        self.reversion = "unproven"
        self.paused_pair: str | None = None
        self.late_us = 0  # the bar that begins here got a trade later
        self.pairs = fake_pairs.Pairs(PAIRS, list(BASES))
        self.rules = fake_rules.Rules()
        self.targets = fake_targets.Targets()

    def now_us(self) -> int:
        return self.frozen_us if self.frozen_us is not None else time.time_ns() // 1000


async def heard(socket: WebSocket) -> None:
    """Hear what a client says; one that is not heard cannot ping."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def build(world: World) -> FastAPI:
    app = FastAPI(lifespan=_nothing)
    fake_tape.add_gaps(app, world.feed, list(BASES))

    def status() -> dict[str, Any]:
        return timed(
            {
                "feed": world.feed,
                "version": "0.1.0",
                "now_us": world.now_us(),
                "services": fake_tape.services(world.sick, time.time_ns() // 1000),
                "left_out": fake_tape.TOLD["left_out"],
                "symbols": fake_tape.symbols(list(BASES), world.now_us()),
            }
        )

    def latest(pair: str) -> dict[str, Any]:
        known = signal(pair, world.now_us() // SECOND, world.quality, world.reversion)
        return {**known, "closed": True}

    @app.get("/v1/status")
    async def get_status() -> dict[str, Any]:
        return status()

    @app.get("/v1/symbols")
    async def get_symbols(listed: bool = False, search: str = "", limit: int = 10_000) -> dict[str, Any]:
        if listed:
            rows = fake_listings.rows(world.added)
            return {
                "feed": world.feed,
                "data": [row for row in rows if search.upper() in row["symbol"]][:limit],
            }
        now = world.now_us()
        data = [
            {
                "symbol": symbol,
                "collected": True,
                "state": "live",
                "state_reason": None,
                "last_price": price(symbol, now / SECOND),
                "first_event_us": now - HISTORY_S * SECOND,
                "first_event_time": iso(now - HISTORY_S * SECOND),
                "last_event_us": now,
                "last_event_time": iso(now),
                "age_s": 0.1,
                **dict.fromkeys(fake_tape.LAGS),
                "volume_24h": 12345.6,
                "trades_24h": 98765,
                "tick_rate": 6.5,
                "change_24h_pct": 1.234 if symbol != "BTCUSDT" else -0.56,
            }
            for symbol in BASES
        ]
        empty = {"state": "filling", **dict.fromkeys(("last_price", "last_event_us", "last_event_time"))}
        data += [data[0] | empty | {"symbol": symbol} for symbol in world.added]
        silent = dict.fromkeys(data[0]) | {
            "volume_24h": 0.0,
            "trades_24h": 0,
            "tick_rate": 0.0,
            "collected": True,
        }
        data += [silent | {"symbol": f"COIN{number}USDT"} for number in range(world.silent_symbols)]
        return {"feed": world.feed, "data": data}

    @app.put("/v1/symbols/{symbol}")
    async def put_symbol(symbol: str) -> Any:
        row = next((row for row in fake_listings.rows([]) if row["symbol"] == symbol), None)
        if row is None:
            return fake_pairs.problem(404, f"expected one of {', '.join(BASES)}, received {symbol!r}")
        world.added.append(symbol)
        return JSONResponse(row | {"state": "filling"}, 201)

    @app.get("/v1/ticks")
    async def get_ticks(symbol: str, start: int, end: int, limit: int = 1000) -> dict[str, Any]:
        data = [tick(symbol, us) for us in range(start, end, SECOND)][:limit]
        return {"feed": world.feed, "data": data, "next_cursor": None}

    @app.get("/v1/bars")
    async def get_bars(symbol: str, interval: str = "1m", limit: int = 500, end: int | None = None) -> Any:
        if symbol not in BASES:
            return fake_pairs.problem(404, f"expected one of {', '.join(BASES)}, received {symbol!r}")
        now, width = world.now_us() / SECOND, INTERVALS[interval]
        newest = int(now) // width * width
        oldest = newest - HISTORY_S
        newest = newest if end is None else min(newest, -(-end // SECOND // width) * width - width)
        starts = range(max(oldest, newest - (limit - 1) * width), newest + 1, width)
        bars = {start: bar(symbol, start, width, now) for start in starts}
        if late := bars.get(world.late_us // SECOND):
            late["high"] *= 1.01
        return {"feed": world.feed, "data": list(bars.values())}

    @app.get("/v1/pairs")
    async def get_pairs() -> dict[str, Any]:
        paused = {"paused": True}
        data = [
            world.pairs.listed(pair, latest(pair), **(paused if pair == world.paused_pair else {}))
            for pair in PAIRS
        ]
        return {"feed": world.feed, "data": data}

    @app.get("/v1/pairs/{pair}/signals")
    async def get_signals(
        pair: str, limit: int = 1000, start: int | None = None, end: int | None = None
    ) -> Response:
        if pair not in PAIRS:
            return fake_pairs.problem(404, f"{pair} is not watched")
        newest = (world.now_us() if end is None else end - 1) // SECOND
        first = max((start or 0) // SECOND, newest - limit + 1, world.now_us() // SECOND - SIGNALS_S)
        known = (signal(pair, second, world.quality) for second in range(first, newest + 1))
        data = list(map(world.corrections.latest, known))
        return JSONResponse({"feed": world.feed, "data": data})  # as it is: there may be thousands

    fake_pairs.add(app, world, latest)
    fake_calibration.add(app, world, zscore)
    fake_datasets.add(app)
    fake_overview.add(app, world, zscore)
    fake_radar.add(app, world.now_us)
    fake_rules.add(app, world.rules, world, world.feed)
    fake_targets.add(app, world.targets, world.alerts, world, world.feed)

    fake_alerts.add(app, world.alerts, world.feed, latest)
    fake_incidents.add(app, world.alerts, world.feed)
    fake_corrections.add(app, world.corrections, signal)

    @app.websocket("/v1/stream")
    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        sent_alerts, corrected = len(world.alerts.news), len(world.corrections.news)
        await socket.send_json(
            {
                "type": "snapshot",
                "id": "fake-0",
                "scope": "all",
                "feed": world.feed,
                "ticks": [tick(symbol, world.now_us()) for symbol in BASES],
                "signals": [latest(pair) for pair in PAIRS],
                "alerts": world.alerts.newest()[:50],
                "status": status(),
            }
        )
        second = world.now_us() // SECOND
        # What the dashboard asks for, as how often to be told, changes nothing here.
        listening = asyncio.create_task(heard(socket))
        try:
            while True:
                await asyncio.sleep(0.1)
                if world.paused:
                    continue
                ticks = [tick(symbol, world.now_us()) for symbol in BASES]
                update: dict[str, Any] = {
                    "type": "update",
                    "id": "fake-0",
                    "feed": world.feed,
                    "ticks": ticks,
                }
                if world.now_us() // SECOND > second:
                    second = world.now_us() // SECOND
                    update |= {"signals": [latest(pair) for pair in PAIRS], "status": status()}
                if len(world.corrections.news) > corrected:
                    news = world.corrections.news[corrected:]
                    update["signals"] = [*update.get("signals", ()), *news]
                    corrected += len(news)
                if len(world.alerts.news) > sent_alerts:
                    update["alerts"] = world.alerts.news[sent_alerts:]
                    sent_alerts = len(world.alerts.news)
                await socket.send_json(update)
        except (WebSocketDisconnect, RuntimeError):
            return
        finally:
            listening.cancel()

    @app.post("/fake/set")
    async def fake_set(
        feed: str | None = None,
        quality: str | None = None,
        paused: bool | None = None,
        sick: str | None = None,
        silent_symbols: int | None = None,
        reversion: str | None = None,
        paused_pair: str | None = None,
        late_us: int | None = None,
    ) -> dict[str, Any]:
        world.feed = feed or world.feed
        world.quality = quality or world.quality
        world.paused = world.paused if paused is None else paused
        world.reversion = reversion or world.reversion
        world.paused_pair = paused_pair or world.paused_pair
        world.late_us = late_us or world.late_us
        world.silent_symbols = world.silent_symbols if silent_symbols is None else silent_symbols
        world.sick = None if sick == "none" else sick or world.sick
        return {}

    return app


@asynccontextmanager
async def _nothing(_: FastAPI) -> AsyncIterator[None]:
    yield


if __name__ == "__main__":
    world = World(sys.argv[2] if len(sys.argv) > 2 else "synthetic")
    config = uvicorn.Config(
        build(world), port=int(sys.argv[1]), log_level="warning", timeout_graceful_shutdown=1
    )
    uvicorn.Server(config).run()
