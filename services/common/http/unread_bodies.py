"""Rest of a request body that nobody reads: dropped before the connection closes, so that the response arrives.

A connection that is closed while bytes of the client wait unread is reset, and a reset takes with it what the client
has not read yet: it, or the proxy that sends for it, sees a broken connection in place of the refusal.
"""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Of one body: as much as the largest upload and more, for so long in all, and for so long of nothing (s).
MOST_BYTES = 256 * 2**20
LONGEST_S = 10.0
SILENCE_S = 2.0


class UnreadBodies:
    """Sends the response at once, and its end once the rest of the body was dropped or was too much to wait for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; what has no body, and WebSockets, pass."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
            await self._app(scope, receive, send)
            return
        # Who waits to be told to go on sends nothing of a body that is refused.
        comes = headers.get("expect", "").lower() != "100-continue"
        is_held = False

        async def receive_and_note() -> Message:
            nonlocal comes
            comes = True
            message = await receive()
            comes = message.get("more_body", False)
            return message

        async def send_but_the_end(message: Message) -> None:
            nonlocal is_held
            if comes and message["type"] == "http.response.body" and not message.get("more_body", False):
                is_held = True
                message = {**message, "more_body": True}
            await send(message)

        await self._app(scope, receive_and_note, send_but_the_end)
        if is_held:
            await _drop(receive)
            await send({"type": "http.response.body"})


async def _drop(receive: Receive) -> None:
    dropped = 0
    try:
        async with asyncio.timeout(LONGEST_S):
            while dropped < MOST_BYTES:
                async with asyncio.timeout(SILENCE_S):
                    message = await receive()
                if not message.get("more_body", False):
                    return
                dropped += len(message.get("body", b""))
    except TimeoutError:
        return
