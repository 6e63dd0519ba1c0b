"""ASGI server inside ``services.common.process``: one listener, no signal handlers, a short shutdown."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn

import structlog
import uvicorn

from services.common.errors import FatalError
from services.common.http.connection_limits import Connections, most_connections
from services.common.http.read_timeout import ImpatientProtocol
from services.common.http.unread_bodies import UnreadBodies

GRACE_S = 1
# A client that is slow to read must not hold seconds of old prices in the kernel, nor one that is gone a socket.
SEND_BUFFER_BYTES = 256 * 1024
UNACKNOWLEDGED_MS = 30_000

log = structlog.get_logger()


class _Server(uvicorn.Server):
    """uvicorn without its signals, and with a listener of ours, who lets in no more than there is room for."""

    def __init__(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        protocol: type[ImpatientProtocol],
        connections: Connections,
    ) -> None:
        super().__init__(config)
        self._listener = listener
        self._protocol = protocol
        self._connections = connections
        self._accepting: asyncio.Future[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        self._listener.setblocking(False)
        protocol = partial(
            self._protocol,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            connections=self._connections,
        )
        self._accepting = asyncio.ensure_future(
            self._connections.accept(self._listener, protocol, self.server_state.connections)
        )
        self._accepting.add_done_callback(self._stop)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
        await super().shutdown(sockets=[self._listener])

    def _stop(self, accepting: asyncio.Future[None]) -> None:
        self.should_exit = True
        if not accepting.cancelled():
            log.error("the listener accepts no more connections", exc_info=accepting.exception())

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # services.common.process has them


def listen(host: str, port: int, name: str) -> socket.socket:
    """Return a listening socket; FatalError names ``PAIRSTREAM_<name>_HOST`` and ``_PORT`` if it cannot be had."""
    try:
        socket.getaddrinfo(host, port)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except socket.gaierror as error:
        raise FatalError(
            f"PAIRSTREAM_{name}_HOST: expected an address of this machine, received {host!r}: {error.strerror}"
        ) from error
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise FatalError(
            f"PAIRSTREAM_{name}_PORT: expected a free port, received {port} on {host}: {reason}"
        ) from error
    # Accepted connections inherit all three. asyncio sets the first only on sockets made with a protocol number, which
    # this one is not, and without it the second half of each answer waits 40 ms for the first to be acknowledged.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    return listener


def address(listener: socket.socket) -> str:
    """Return the base URL of a listener."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


async def serve(
    application: Any,
    listener: socket.socket,
    protocol: type[ImpatientProtocol] = ImpatientProtocol,
    most: int | None = None,
    **options: Any,
) -> NoReturn:
    """Serve until cancelled, then stop within `GRACE_S`, even with open connections; `options` are uvicorn's.

    There are `most` connections at once, `most_connections()` unless told otherwise.
    """
    config = uvicorn.Config(
        UnreadBodies(application),
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # services.common.http.proxies reads them
        timeout_graceful_shutdown=GRACE_S,
        **options,
    )
    connections = Connections(most_connections() if most is None else most)
    server = _Server(config, listener, protocol, connections)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
    raise FatalError("the server stopped by itself")
