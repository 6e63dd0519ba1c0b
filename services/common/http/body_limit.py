"""Limit on the size and the duration of a request body, whatever the route does with it."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from math import inf

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive

from services.common.http import retry_after

SILENCE_S = 30.0
# Beyond the silence that is allowed: who sends one byte now and then would take for ever, too.
LEAST_BYTES_PER_S = 1024


def bounded(
    connection: HTTPConnection,
    receive: Receive,
    most_bytes: float = inf,
    hold: Callable[[int], bool] = lambda _: True,
) -> Receive:
    """Return `receive`, which then raises HTTPException rather than pass on too much, or too slowly.

    413 beyond `most_bytes`, 429 if `hold` refuses what comes (see `Held`), 408 after `SILENCE_S` of nothing or of
    less than `LEAST_BYTES_PER_S`. A body that says itself that it is too large is not begun with.
    """
    declared = connection.headers.get("content-length", "")
    expected = int(declared) if declared.isdecimal() else 0
    received = held = 0
    waited_s = 0.0
    complete = False

    def admit(size: int) -> None:
        nonlocal held
        if size > most_bytes:
            detail = f"expected a body of at most {most_bytes} bytes, received more"
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        if size > held:
            if not hold(size - held):
                detail = (
                    "expected fewer bytes of one caller at once, received more: send one body after another"
                )
                raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, detail, retry_after.SOON)
            held = size

    async def receive_bounded() -> Message:
        nonlocal received, waited_s, complete
        if complete:
            return await receive()
        admit(expected)
        began_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(SILENCE_S, SILENCE_S + received / LEAST_BYTES_PER_S - waited_s)):
                message = await receive()
        except TimeoutError:
            detail = (
                f"expected more of the body within {SILENCE_S:g} s, and {LEAST_BYTES_PER_S} bytes a second; "
                f"received {received} bytes"
            )
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, detail) from None
        waited_s += asyncio.get_running_loop().time() - began_s
        received += len(message.get("body", b""))
        admit(received)
        complete = not message.get("more_body", False)
        return message

    return receive_bounded
