"""Stream follower: keeps one `LiveState` current for all sessions, by a WebSocket and a slow poll."""

import asyncio
import time
from typing import NoReturn

import structlog

from services.common import clock
from services.common.backoff import Backoff
from services.common.errors import BadMessageError, TransientError
from services.ui.api.client import ApiClient
from services.ui.api.types import Snapshot
from services.ui.state.alert_state import ALERTS_KEPT
from services.ui.state.live_state import LiveState, Now

REFRESH_S = 5.0
ALERTS_OF_A_PAIR = 20
ALERTS_OF_ALL = 1_000
RETRY_FIRST_S, RETRY_CAP_S = 0.25, 4.0

log = structlog.get_logger()


def now() -> Now:
    """Return this moment."""
    return Now(clock.now_us(), time.monotonic())


async def follow(client: ApiClient, market: LiveState) -> NoReturn:
    """Feed the stream into `market` for ever, through every loss of the API."""
    backoff, said = Backoff(RETRY_FIRST_S, RETRY_CAP_S), None
    while True:
        try:
            async for message in client.stream():
                if not market.connected:
                    log.info("stream connected", feed=message.feed)
                    said = None
                    await refresh_once(client, market)
                market.apply(message, now())
                if isinstance(message, Snapshot):
                    await _catch_up(client, market)
                market.link(True, now())
                backoff.reset()
            problem = "the API closed the stream"
        except (TransientError, BadMessageError) as error:
            problem = str(error)
        if problem != said:
            log.warning("no stream from the API, trying again", problem=problem)
            said = problem
        market.link(False, now(), problem)
        await asyncio.sleep(backoff.next_s())


async def refresh(client: ApiClient, market: LiveState) -> NoReturn:
    """Read pairs and symbols every few seconds for ever."""
    while True:
        await refresh_once(client, market)
        if not market.watchers:
            await client.pace(is_watched=False)
        await asyncio.sleep(REFRESH_S)


async def refresh_once(client: ApiClient, market: LiveState) -> None:
    """Read pairs and symbols; the last known ones stay when the API does not answer."""
    try:
        pairs, symbols = await asyncio.gather(client.pairs(), client.symbols())
    except (TransientError, BadMessageError) as error:
        market.error = str(error)
    else:
        market.watch(pairs, symbols)


async def _catch_up(client: ApiClient, market: LiveState) -> None:
    """Read more alerts if a snapshot had no room for all: what still holds may be old.

    Of every pair the last ones; what holds of other subjects is looked for among the last of all.
    """
    if len(market.alarms.recent) < ALERTS_KEPT:
        return
    try:
        market.alarms.take(await client.alerts(ALERTS_OF_ALL))
        for pair in market.pairs or ():
            market.alarms.take(await client.alerts(ALERTS_OF_A_PAIR, pair))
    except (TransientError, BadMessageError) as error:
        log.warning("older alerts could not be read from the API", problem=str(error))
