"""Radars: standing scans, asked for when they are due, and the events of what they confirm."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import structlog
from aiokafka.errors import KafkaError

from services.common.cancellation import pause
from services.common.codec import encode
from services.common.heartbeat import HeartbeatState
from services.contracts.intervals import USUAL
from services.contracts.scans import SCAN, ScanRequest, estimate_s
from services.contracts.topics import RADAR
from services.research.settings import ResearchSettings
from services.research.worker import JobStore
from services.store import jobs, radars, relations
from services.store.database import Connection

LOOK_EVERY_S = 2.0
# What starts beside this service comes first.
FIRST_AFTER_S = 15.0
COUNTERS = ("radar_events",)

log = structlog.get_logger()


async def ask(settings: ResearchSettings, pulse: HeartbeatState) -> NoReturn:
    """Ask for the scan of each radar that is due, until cancelled."""
    store = JobStore(settings, pulse)
    try:
        await pause(FIRST_AFTER_S)
        while True:
            for due in await store.call(radars.due):
                await _ask_one(store, due)
            await pause(LOOK_EVERY_S)
    finally:
        await store.close()


async def _ask_one(store: JobStore, due: radars.DueRadar) -> None:
    estimate = await store.call(_estimate, due.request)
    try:
        await store.call(jobs.submit, SCAN, due.request, estimate)
    except jobs.CrowdedError:
        log.warning("a radar is not scanned now: too many jobs wait", radar=due.radar_id)


async def _estimate(connection: Connection, request: ScanRequest) -> float:
    symbols = request.symbols or await relations.owners(connection, relations.BARS[request.interval or USUAL])
    return estimate_s(len(symbols), request.bars)


async def tell(
    settings: ResearchSettings, pulse: HeartbeatState, send: Callable[..., Awaitable[Any]]
) -> NoReturn:
    """Publish what radars have confirmed, and what no longer, until cancelled; once or, after a kill, twice.

    `send` returns once the broker has a message.
    """
    store = JobStore(settings, pulse)
    try:
        while True:
            for one in await store.call(radars.untold):
                for event in one.events():
                    await _send(send, event.pair, encode(event))
                    pulse.counters["radar_events"] += 1
                await store.call(radars.note_told, one)
            await pause(LOOK_EVERY_S)
    finally:
        await store.close()


async def _send(send: Callable[..., Awaitable[Any]], pair: str, value: bytes) -> None:
    while True:
        try:
            await send(RADAR.name, key=pair.encode(), value=value)
        except KafkaError as error:
            log.warning("waiting for the broker", error=repr(error))
            await asyncio.sleep(LOOK_EVERY_S)
        else:
            return
