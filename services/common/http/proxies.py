"""Caller of a request behind trusted reverse proxies; a forwarded request never counts as local."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.http.rate_limits import identity, is_loopback, parsed

Network = IPv4Network | IPv6Network

_SCOPE_KEY = "pairstream.forwarded"
_TRUSTED_KEY = "pairstream.trusted"
_FOR = "x-forwarded-for"
# Headers of a forwarded request, or of one that pretends to be.
_FORWARDED = re.compile(
    r"forwarded|via|x-forwarded(-.*)?|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip"
)
# Some proxies add the port of the caller, and then brackets around an address of IPv6.
_HOP = re.compile(r"\[(?P<bracketed>[^\]]*)\](?::\d{1,5})?|(?P<four>[0-9.]+):\d{1,5}|(?P<bare>.*)")
_SCHEMES = ("http", "https")


class Proxies:
    """Notes who sends a request: the other end of the socket, or the caller that a `trusted` proxy names.

    Of a request through such a proxy the scope's ``client`` becomes the last address in X-Forwarded-For that is not
    itself trusted, and stays the proxy's own where there is none or it cannot be read. No other header counts: who
    comes through a proxy that sets X-Forwarded-For can send all of them.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request after its caller is noted."""
        if scope["type"] != "lifespan":
            self._note(scope)
        await self._app(scope, receive, send)

    def _note(self, scope: Scope) -> None:
        connection = HTTPConnection(scope)
        is_trusted = _is_in(peer(connection), self._trusted)
        scope[_SCOPE_KEY] = is_trusted or any(map(_FORWARDED.fullmatch, connection.headers))
        scope[_TRUSTED_KEY] = is_trusted
        if not is_trusted:
            return
        if (address := caller(connection.headers.getlist(_FOR), self._trusted)) is not None:
            scope["client"] = (address, 0)
        scheme = connection.headers.get("x-forwarded-proto", "").strip()
        if scheme in _SCHEMES:
            scope["scheme"] = scheme.replace("http", "ws") if scope["type"] == "websocket" else scheme


def caller(forwarded: Sequence[str], trusted: Sequence[Network]) -> str | None:
    """Return the address for which proxies asked that are all `trusted`, by the values of X-Forwarded-For.

    Each proxy appends the address it was asked from, so what stands before the last one that is not trusted may be
    anybody's invention. None if that last one is no address, or if there is none.

    >>> from ipaddress import ip_network
    >>> [caller([text], [ip_network("10.0.0.0/8")]) for text in ("127.0.0.1, 192.0.2.7, 10.1.1.1", "unix:", "")]
    ['192.0.2.7', None, None]
    """
    found = None
    for hop in reversed(",".join(forwarded).split(",")):
        match = _HOP.fullmatch(hop.strip())
        address = parsed(match["bracketed"] or match["four"] or match["bare"]) if match else None
        if address is None:
            return None
        found = str(address)
        if not _is_in(found, trusted):
            break
    return found


def peer(connection: HTTPConnection) -> str:
    """Return the address of the other end of the socket, or what a trusted proxy says that it was."""
    return "" if connection.client is None else connection.client.host


def is_forwarded(connection: HTTPConnection) -> bool:
    """Tell whether a request is forwarded, or may be."""
    return bool(connection.scope[_SCOPE_KEY])


def is_through_trusted(connection: HTTPConnection) -> bool:
    """Tell whether a trusted proxy sends a request."""
    return bool(connection.scope[_TRUSTED_KEY])


def is_local(connection: HTTPConnection) -> bool:
    """Return whether a process of this machine asks for itself."""
    return is_loopback(peer(connection)) and not is_forwarded(connection)


def counted_as(connection: HTTPConnection) -> str:
    """Return what a caller without a key is counted as; a proxy of this machine is not this machine."""
    address = peer(connection)
    behind = "behind " if is_loopback(address) and is_forwarded(connection) else ""
    return behind + identity(address)


def _is_in(host: str, networks: Sequence[Network]) -> bool:
    address = parsed(host)
    return address is not None and any(address in network for network in networks)
