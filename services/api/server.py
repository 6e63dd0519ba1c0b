"""Listen and serve: uvicorn inside a process that has its own signal handling."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import structlog
import uvicorn

from services.api.app import create_app
from services.api.backend import Backend
from services.api.settings import ApiSettings
from services.common.errors import FatalError

# A client that is slow to read must not hold seconds of old prices in the kernel, nor one that is gone a socket.
SEND_BUFFER_BYTES = 256 * 1024
UNACKNOWLEDGED_MS = 30_000
MAX_INCOMING_BYTES = 64 * 1024
GRACE_S = 1

log = structlog.get_logger()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # services.common.process has them


async def serve(settings: ApiSettings) -> None:
    """Serve until cancelled; then stop within two seconds, whoever is still connected.

    The background work runs beside the server and not in the application's lifespan, because if it breaks,
    the process must end.
    """
    with closing(_listen(settings.api_host, settings.api_port)) as listener:
        backend = Backend(settings)
        server = _Server(
            uvicorn.Config(
                create_app(backend),
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                ws_max_size=MAX_INCOMING_BYTES,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        host, port = listener.getsockname()[:2]
        log.info("listening", url=f"http://{f'[{host}]' if ':' in host else host}:{port}/docs")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(backend.run())
            tasks.create_task(_until_cancelled(server, listener))


async def _until_cancelled(server: uvicorn.Server, listener: socket.socket) -> None:
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise FatalError(
            f"PAIRSTREAM_API_HOST: expected an address of this machine, received {host!r}: {error.strerror}"
        ) from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit both.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise FatalError(
            f"PAIRSTREAM_API_PORT: expected a free port, received {port} on {host}: {error.strerror}"
        ) from error
    return listener
