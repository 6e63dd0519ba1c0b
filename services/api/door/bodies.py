"""No more of a body than is allowed, and not for ever, whatever its route does with it."""

import asyncio
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive

SILENCE_S = 30.0


def bounded(connection: HTTPConnection, receive: Receive, most_bytes: int) -> Receive:
    """Return `receive`, which then raises HTTPException: 413 beyond `most_bytes`, 408 after `SILENCE_S` of nothing.

    A body that says itself that it is too large is not begun with.
    """
    declared = connection.headers.get("content-length", "")
    expected = int(declared) if declared.isdecimal() else 0
    received = 0
    complete = False

    async def receive_bounded() -> Message:
        nonlocal received, complete
        if complete:
            return await receive()
        _check(expected, most_bytes)
        try:
            async with asyncio.timeout(SILENCE_S):
                message = await receive()
        except TimeoutError:
            detail = f"expected more of the body within {SILENCE_S:g} s, received nothing"
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, detail) from None
        received += len(message.get("body", b""))
        _check(received, most_bytes)
        complete = not message.get("more_body", False)
        return message

    return receive_bounded


def _check(received: int, most_bytes: int) -> None:
    if received > most_bytes:
        detail = f"expected a body of at most {most_bytes} bytes, received more"
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
