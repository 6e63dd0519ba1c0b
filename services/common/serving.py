"""Serve an ASGI application inside ``services.common.process``: one listener, no signal handlers, a short farewell."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import uvicorn

from services.common.errors import FatalError

GRACE_S = 1


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # services.common.process has them


def listen(host: str, port: int, name: str) -> socket.socket:
    """Return a listening socket; FatalError names ``PAIRSTREAM_<name>_HOST`` and ``_PORT`` if it cannot be had."""
    try:
        socket.getaddrinfo(host, port)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=128)
    except socket.gaierror as error:
        raise FatalError(
            f"PAIRSTREAM_{name}_HOST: expected an address of this machine, received {host!r}: {error.strerror}"
        ) from error
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise FatalError(
            f"PAIRSTREAM_{name}_PORT: expected a free port, received {port} on {host}: {reason}"
        ) from error
    # Accepted connections inherit it. asyncio sets it only on sockets made with a protocol number, which this
    # one is not, and without it the second half of each answer waits 40 ms for the first to be acknowledged.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address(listener: socket.socket) -> str:
    """Return the base URL of a listener."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


async def serve(application: Any, listener: socket.socket, **options: Any) -> NoReturn:
    """Serve until cancelled, then stop within `GRACE_S`, whoever is still connected; `options` are uvicorn's."""
    config = uvicorn.Config(
        application,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        **options,
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
    raise FatalError("the server stopped by itself")
