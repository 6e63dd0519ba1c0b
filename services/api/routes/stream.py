"""``WS /v1/stream``: the present, and then what is new, at each client's own pace."""

import asyncio
import time
from contextlib import suppress

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.datastructures import QueryParams

from services.api.backend import Backend
from services.api.problems import ProblemError
from services.api.queries import BackendDependency
from services.api.subscription import TOPICS, LaggingError, Subscription
from services.common.errors import TransientError
from services.common.pairs import parse_symbol

INTERVAL_S = 0.1
POLICY_VIOLATION = 1008
TRY_AGAIN_LATER = 1013
# A close frame holds 123 bytes of text.
_REASON_BYTES = 123

router = APIRouter()


@router.websocket("/v1/stream")
async def stream(socket: WebSocket, backend: BackendDependency) -> None:
    """Send a snapshot, then updates; a wrong request is closed with a reason, as browsers show no other answer."""
    await socket.accept()
    with suppress(WebSocketDisconnect):
        try:
            subscription = await _subscribe(socket.query_params, backend)
        except (ValueError, ProblemError) as error:
            await _close(socket, POLICY_VIOLATION, str(error))
        except TransientError as error:
            await _close(socket, TRY_AGAIN_LATER, str(error))
        else:
            await backend.warm()
            await _serve(socket, subscription, backend)


async def _serve(socket: WebSocket, subscription: Subscription, backend: Backend) -> None:
    sending = asyncio.ensure_future(_send(socket, subscription, backend))
    leaving = asyncio.ensure_future(_until_gone(socket))
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending


async def _send(socket: WebSocket, subscription: Subscription, backend: Backend) -> None:
    await socket.send_text(subscription.snapshot().decode())
    while True:
        try:
            update = subscription.update()
        except LaggingError as error:
            return await _close(socket, TRY_AGAIN_LATER, str(error))
        if update is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(subscription.status_due_s()):
                    await backend.tail.news()
        else:
            await socket.send_text(update.decode())
            await asyncio.sleep(INTERVAL_S)


async def _until_gone(socket: WebSocket) -> None:
    """Read and ignore whatever the client says, which is how we see it leave."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _subscribe(params: QueryParams, backend: Backend) -> Subscription:
    asked: dict[str, list[str]] = {"topics": [], "symbols": [], "pairs": []}
    for name, text in params.multi_items():
        if name not in asked:
            raise ValueError(f"expected the parameters {', '.join(asked)}, received {name!r}")
        asked[name] += [part.strip() for part in text.split(",") if part.strip()]
    for topic in asked["topics"]:
        if topic not in TOPICS:
            raise ValueError(f"expected topics among {', '.join(TOPICS)}, received {topic!r}")
    topics = [topic for topic in TOPICS if topic in asked["topics"]] or TOPICS
    symbols = [parse_symbol(text) for text in asked["symbols"]]
    for symbol in symbols:
        await backend.require_symbol(symbol)
    pairs = [str(backend.require_pair(text)) for text in asked["pairs"]]
    return Subscription(backend, frozenset(topics), frozenset(symbols), frozenset(pairs), time.monotonic)


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    await socket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))
