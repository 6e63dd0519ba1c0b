"""``WS /v1/stream``: a snapshot, then updates at each client's own pace."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

import msgspec
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams
from starlette.status import WS_1008_POLICY_VIOLATION, WS_1013_TRY_AGAIN_LATER

from services.api import problems
from services.api.backend import Backend
from services.api.parameters import BackendDependency
from services.api.problems import ProblemError
from services.api.security.event_stream_timeout import SLOW_S
from services.api.serialization.rows import Row, encode, row
from services.api.stream.composer import TOPICS, Filter, LaggingError, StreamMessage
from services.api.stream.subscription import LISTS, Command, StreamQuery, Subscription
from services.common import clock
from services.common.cancellation import TaskGroup
from services.common.errors import TransientError
from services.common.http.rate_limits import Rate, RateLimiter
from services.contracts.symbol_forms import read_pair, read_symbol

COMMANDS = Rate(20, 4)
ERRORS = Rate(10, 100)
# A close frame holds 123 bytes of text.
_REASON_BYTES = 123

M = TypeVar("M", bound=BaseModel)
Q = TypeVar("Q", StreamQuery, Command)

router = APIRouter()


class _EndedError(Exception):
    """The stream ends, and why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@router.websocket("/v1/stream")
async def stream(socket: WebSocket, backend: BackendDependency) -> None:
    """Send a snapshot, then updates; a wrong request is closed with a reason, as browsers show no other answer."""
    await socket.accept()
    with suppress(WebSocketDisconnect):
        try:
            subscription = await subscribe(_query(socket.query_params), backend)
        except ProblemError as error:
            await _close(socket, WS_1008_POLICY_VIOLATION, str(error))
        except TransientError as error:
            await _close(socket, WS_1013_TRY_AGAIN_LATER, str(error))
        else:
            await _Client(socket, subscription, backend).serve()


async def subscribe(query: StreamQuery, backend: Backend) -> Subscription:
    """Return the subscription of a client; ProblemError if it names an unknown symbol or pair."""
    named = await _named(query, backend)
    await backend.warm()
    return Subscription(backend.composer, named)


async def quiet(subscription: Subscription, backend: Backend) -> None:
    """Return when there may be news."""
    with suppress(TimeoutError):
        async with asyncio.timeout(subscription.patience_s()):
            await backend.topic_reader.news()


class _Client:
    """One socket: news one way, commands and their answers the other."""

    def __init__(self, socket: WebSocket, subscription: Subscription, backend: Backend) -> None:
        self._socket = socket
        self._subscription = subscription
        self._backend = backend
        self._limiter = RateLimiter()
        # What is composed must arrive in that order.
        self._sending = asyncio.Lock()
        self._sending_since_s: float | None = None

    async def serve(self) -> None:
        """Serve until the client leaves or has to go."""
        try:
            async with TaskGroup() as tasks:
                tasks.create_task(self._tell())
                tasks.create_task(self._listen())
                tasks.create_task(self._watch())
        except* _EndedError as group:
            error = group.exceptions[0]
            assert isinstance(error, _EndedError)
            await _close(self._socket, error.code, str(error))
        except* WebSocketDisconnect:
            pass

    async def _tell(self) -> NoReturn:
        async with self._sending:
            await self._send(self._subscription.first())
        while True:
            await asyncio.sleep(self._subscription.due_s())
            async with self._sending:
                try:
                    said = self._subscription.update()
                except LaggingError as error:
                    raise _EndedError(WS_1013_TRY_AGAIN_LATER, str(error)) from None
                await self._send(said)
            if said.text is None:
                await quiet(self._subscription, self._backend)

    async def _listen(self) -> NoReturn:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message["code"])
            async with self._sending:
                for answer in await self._answers(message.get("text")):
                    await self._send(answer)

    async def _answers(self, text: str | None) -> list[StreamMessage | Row]:
        """Run the client's commands; answer wrong ones with an error, close the stream after too many."""
        request_id: Any = None
        try:
            if self._is_too_many("commands", COMMANDS):
                raise ProblemError(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    "Too many commands",
                    f"expected at most {1 / COMMANDS.every_s:g} commands a second",
                )
            received = _object(text)
            request_id = received.get("request_id")
            command = _parse(Command, received)
            return await self._do(command)
        except (ProblemError, TransientError) as error:
            if self._is_too_many("errors", ERRORS):
                raise _EndedError(
                    WS_1008_POLICY_VIOLATION, f"too many errors, the last one: {error}"
                ) from error
            title, members = (
                (error.title, error.members) if isinstance(error, ProblemError) else ("Unavailable", {})
            )
            said = {"title": title, "detail": str(error), **members}
            return [{"type": "error", "request_id": request_id, **said}]

    def _is_too_many(self, what: str, rate: Rate) -> bool:
        return self._limiter.take(what, rate, self._backend.composer.seconds()).wait_s > 0

    async def _do(self, command: Command) -> list[StreamMessage | Row]:
        head = {"request_id": command.request_id}
        if command.op == "ping":
            return [{"type": "pong", **head, **row([("now_us", clock.now_us())])}]
        subscription = self._subscription
        if command.op == "unsubscribe":
            command = _read(command, subscription.wanted)
        else:
            command = await _named(command, self._backend)
        try:
            added = subscription.change(command)
        except ValueError as error:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid request", str(error)) from None
        wanted = subscription.wanted
        ack = {
            "type": "ack",
            **head,
            "op": command.op,
            "topics": [topic for topic in TOPICS if topic in wanted.topics],
            "symbols": sorted(wanted.symbols),
            "pairs": sorted(wanted.pairs),
            "interval_ms": subscription.interval_ms,
        }
        return [ack, added]

    async def _send(self, message: StreamMessage | Row) -> None:
        text = message.text if isinstance(message, StreamMessage) else encode(message).decode()
        if text is not None:
            self._sending_since_s = self._backend.composer.seconds()
            await self._socket.send_text(text)
            self._sending_since_s = None

    async def _watch(self) -> NoReturn:
        """End the stream of who does not read; a timer for each message would cost as much as composing it."""
        while True:
            since_s = self._sending_since_s
            taken_s = 0.0 if since_s is None else self._backend.composer.seconds() - since_s
            await asyncio.sleep(SLOW_S - taken_s)
            if since_s is not None and self._sending_since_s == since_s:
                raise _EndedError(
                    WS_1013_TRY_AGAIN_LATER, f"expected a message to be read within {SLOW_S:g} s"
                )


def _parse(kind: type[M], received: Any) -> M:
    """Return what was received as a model; ProblemError says what is wrong with it."""
    try:
        return kind.model_validate(received)
    except ValidationError as error:
        raise problems.invalid({**one, "loc": ("message", *one["loc"])} for one in error.errors()) from None


async def _named(asked: Q, backend: Backend) -> Q:
    """Return what was asked with the names that are known; ProblemError names those there are for one that is not."""
    symbols = asked.symbols and [await backend.require_symbol(symbol) for symbol in asked.symbols]
    pairs = asked.pairs and [str(backend.require_pair(pair)) for pair in asked.pairs]
    return asked.model_copy(update={"symbols": symbols, "pairs": pairs})


def _read(command: Command, wanted: Filter) -> Command:
    """Return a command with the names of what is `wanted`."""
    symbols = command.symbols and [read_symbol(symbol, wanted.symbols) for symbol in command.symbols]
    pairs = command.pairs and [read_pair(pair, wanted.pairs) for pair in command.pairs]
    return command.model_copy(update={"symbols": symbols, "pairs": pairs})


def _query(params: QueryParams) -> StreamQuery:
    given = {name: params.getlist(name) for name in params}
    return _parse(
        StreamQuery,
        {name: texts if name in LISTS else texts[-1] for name, texts in given.items()},
    )


def _object(text: str | None) -> dict[str, Any]:
    try:
        received = msgspec.json.decode(text or b"", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "Invalid request",
            f'expected a text that is a JSON object such as {{"op": "ping"}}, received {(text or "bytes")[:80]!r}',
        ) from None
    return received


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    """Close; who does not read has as long to read why as it had to read a message, and is then given up."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SLOW_S):
            await socket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))
