"""Notifications of acknowledged and snoozed alerts, through the database to every process of the API."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import psycopg
import structlog
from psycopg import sql

from services.common.backoff import Backoff
from services.common.errors import TransientError
from services.common.settings import DatabaseSettings
from services.store import database

_CHANNEL = "pairstream_alert_handling"
_LISTEN = sql.SQL("LISTEN {}").format(sql.Identifier(_CHANNEL))

log = structlog.get_logger()


async def notify(connection: database.Connection, alert_id: str) -> None:
    """Notify all API processes of an action on an alert, once the transaction of `connection` is committed."""
    await connection.execute("SELECT pg_notify(%s, %s)", [_CHANNEL, alert_id])


async def follow(
    settings: DatabaseSettings, missed: Callable[[], Awaitable[None]], told: Callable[[str], Awaitable[None]]
) -> NoReturn:
    """Call `missed` when listening begins, and again after the database was away, then `told` with each id."""
    backoff = Backoff(cap_s=2)
    while True:
        try:
            async with database.connect(settings, "pairstream-api-alerts") as connection:
                await connection.execute(_LISTEN)
                await missed()
                backoff.reset()
                async for notification in connection.notifies():
                    await told(notification.payload)
        except (TransientError, psycopg.OperationalError) as error:
            log.info(
                "actions on alerts from other API processes do not arrive, connecting again", error=str(error)
            )
        await asyncio.sleep(backoff.next_s())
