"""Network of the HTTP client: resolves a name, checks every address, and connects to one that was checked.

TLS is verified for the name. A name that resolves otherwise a moment later changes nothing: nobody asks again.
"""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore

from services.delivery.addresses import Network, require_allowed


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to allowed addresses alone."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        """`allowed` are networks that may be connected to besides public addresses."""
        self._allowed = allowed
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the library's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host that answers; RefusedAddressError before, if one is not allowed."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"the name {host} is not known: {error.strerror or error}") from error
        addresses = require_allowed(host, dict.fromkeys(str(one[4][0]) for one in found), self._allowed)
        problem: Exception | None = None
        for address in addresses:
            try:
                return await self._sockets.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        assert problem is not None
        raise problem

    async def sleep(self, seconds: float) -> None:
        """Sleep between attempts of the library."""
        await asyncio.sleep(seconds)
