"""Encoded slashes of an address: `BTC%2FUSDT:USDT` is one part of a path, not two."""

from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

_ENCODED = "%2F"


class EncodedSlashes:
    """Leaves a slash that came encoded as it came: servers decode it, and then no route fits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its path decoded but for slashes."""
        raw = scope.get("raw_path", b"").decode("ascii", "replace").replace(_ENCODED.lower(), _ENCODED)
        if _ENCODED in raw:
            path = _ENCODED.join(map(unquote, raw.split(_ENCODED)))
            # Some servers put what is before the application into one of them alone.
            if scope["path"].replace("/", _ENCODED) == path.replace("/", _ENCODED):
                scope = {**scope, "path": path}
        await self._app(scope, receive, send)


def with_slashes(part: object) -> object:
    """Return a part of a path with its slashes.

    >>> with_slashes("BTC%2FUSDT:USDT")
    'BTC/USDT:USDT'
    """
    return part.replace(_ENCODED, "/") if isinstance(part, str) else part
