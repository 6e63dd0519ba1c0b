"""Listen and serve."""

import asyncio
from contextlib import closing

import structlog

from services.api.app import create_app
from services.api.backend import Backend
from services.api.door.slow_clients import EventsProtocol
from services.api.settings import ApiSettings
from services.common import serving

MAX_INCOMING_BYTES = 64 * 1024

log = structlog.get_logger()


async def serve(settings: ApiSettings) -> None:
    """Serve until cancelled; FatalError if the port cannot be had.

    The background work runs beside the server and not in the application's lifespan, because if it breaks,
    the process must end.
    """
    with closing(serving.listen(settings.api_host, settings.api_port, "API")) as listener:
        backend = Backend(settings)
        log.info("listening", url=f"{serving.address(listener)}/docs")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(backend.run())
            tasks.create_task(
                serving.serve(
                    create_app(backend),
                    listener,
                    EventsProtocol,
                    lifespan="off",
                    ws_max_size=MAX_INCOMING_BYTES,
                    ws_per_message_deflate=False,
                )
            )
