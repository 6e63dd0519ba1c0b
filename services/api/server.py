"""Listen and serve."""

import socket
from contextlib import closing
from typing import Any

import structlog

from services.api.app import create_app
from services.api.backend import Backend
from services.api.door.slow_clients import ImpatientProtocol
from services.api.settings import ApiSettings
from services.common import database, serving

# A client that is slow to read must not hold seconds of old prices in the kernel, nor one that is gone a socket.
SEND_BUFFER_BYTES = 256 * 1024
UNACKNOWLEDGED_MS = 30_000
MAX_INCOMING_BYTES = 64 * 1024

log = structlog.get_logger()


async def serve(settings: ApiSettings) -> None:
    """Serve until cancelled; FatalError if the port cannot be had, or the database's URL is none.

    The background work runs beside the server and not in the application's lifespan, because if it breaks,
    the process must end.
    """
    database.check_url(settings.database_url)
    with closing(serving.listen(settings.api_host, settings.api_port, "API")) as listener:
        # Accepted connections inherit both.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        backend = Backend(settings)
        options: dict[str, Any] = {
            "http": ImpatientProtocol,
            "lifespan": "off",
            "ws_max_size": MAX_INCOMING_BYTES,
            "ws_per_message_deflate": False,
            "proxy_headers": bool(settings.api_proxies),
            "forwarded_allow_ips": list(settings.api_proxies),
        }
        log.info("listening", url=f"{serving.address(listener)}/docs")
        # It cannot be started again: it ends with its listener.
        backend.tasks.require("the server", lambda: serving.serve(create_app(backend), listener, **options))
        await backend.run()
