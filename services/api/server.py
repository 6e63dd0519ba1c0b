"""HTTP server of the API."""

from contextlib import closing

import structlog

from services.api.app import create_app
from services.api.backend import Backend
from services.api.security.event_stream_timeout import EventsProtocol
from services.api.settings import ApiSettings
from services.common.http import serving
from services.store import database

MAX_INCOMING_BYTES = 64 * 1024

log = structlog.get_logger()


async def serve(settings: ApiSettings) -> None:
    """Serve until cancelled; FatalError if the port cannot be had, or the database's URL is none.

    The background work runs beside the server and not in the application's lifespan, because if it breaks,
    the process must end.
    """
    database.check_url(settings.database_url)
    with closing(serving.listen(settings.api_host, settings.api_port, "API")) as listener:
        backend = Backend(settings)
        log.info("listening", url=f"{serving.address(listener)}/docs")
        # The application cannot be started again: it ends with its listener.
        backend.tasks.require(
            "the server",
            lambda: serving.serve(
                create_app(backend),
                listener,
                EventsProtocol,
                lifespan="off",
                ws_max_size=MAX_INCOMING_BYTES,
                ws_per_message_deflate=False,
            ),
        )
        await backend.run()
