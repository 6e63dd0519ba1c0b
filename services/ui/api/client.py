"""Client of the API: HTTP and one WebSocket."""

import time
from collections.abc import AsyncIterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from services.common.errors import BadMessageError, TransientError, reason_of
from services.common.http import identity
from services.contracts.messages import Signal
from services.ui.api.decoding import decode
from services.ui.api.types import Ack, Bar, HandledAlert, Listing, Snapshot, SymbolStats, Update, WatchedPair

TOPICS = "ticks,signals,alerts,status"
# Update intervals of the stream: while a page is open, and while none is.
INTERVAL_MS = 100
UNWATCHED_INTERVAL_MS = 1_000
TIMEOUT_S = 5.0
# An export of many rows, or the analysis of a long range.
DOWNLOAD_TIMEOUT_S = 60.0
# A snapshot holds one tick per symbol, one signal per pair and 50 alerts: far below this.
MAX_MESSAGE_BYTES = 16 * 2**20

T = TypeVar("T")
StreamMessage = Snapshot | Update
# A type checker knows no type of a union.
_ANY_MESSAGE: Any = StreamMessage | Ack

asking_for: ContextVar[str | None] = ContextVar("asking_for", default=None)
"""Address of the visitor for whom the dashboard asks, or ``unknown``; None for this machine."""


signed_in: ContextVar[identity.Person | None] = ContextVar("signed_in", default=None)
"""Visitor who has logged in and for whom the dashboard asks; None if it asks for itself, or knows no logins."""


class ApiRefusedError(TransientError):
    """The API has answered, but not with data (4xx); `detail` is what its problem document says."""

    def __init__(self, text: str, detail: str) -> None:
        super().__init__(text)
        self.detail = detail


class ApiClient:
    """Reads the API; TransientError when it does not answer, BadMessageError when the answer has another shape."""

    def __init__(
        self,
        api_url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        key: str | None = None,
        identity_key: str | None = None,
    ) -> None:
        self.url = api_url
        self._identity_key = identity_key
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._stream_url = f"ws{api_url.removeprefix('http')}/v1/stream?topics={TOPICS}"
        self._interval_ms = UNWATCHED_INTERVAL_MS
        self._socket: ClientConnection | None = None
        self._http = httpx.AsyncClient(
            base_url=api_url,
            timeout=TIMEOUT_S,
            trust_env=False,
            transport=transport,
            headers=self._headers,
        )

    async def __aenter__(self) -> "ApiClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def bars(
        self, symbol: str, interval: str, limit: int, before_us: int | None = None
    ) -> tuple[Bar, ...]:
        """Return the newest `limit` bars, or of those that start before `before_us`, oldest first."""
        end = {} if before_us is None else {"end": before_us}
        return await self._get("/v1/bars", Bar, symbol=symbol, interval=interval, limit=limit, **end)

    async def signals(self, pair: str, limit: int, before_us: int | None = None) -> tuple[Signal, ...]:
        """Return the newest `limit` signals, or of those before `before_us`, oldest first."""
        end = {} if before_us is None else {"end": before_us}
        return await self._get(f"/v1/pairs/{pair}/signals", Signal, limit=limit, **end)

    async def pairs(self) -> tuple[WatchedPair, ...]:
        """Return the pairs being watched."""
        return await self._get("/v1/pairs", WatchedPair)

    async def symbols(self) -> tuple[SymbolStats, ...]:
        """Return every symbol's last day."""
        return await self._get("/v1/symbols", SymbolStats)

    async def stream(self) -> AsyncIterator[StreamMessage]:
        """Yield the stream's messages until it ends; TransientError when it breaks."""
        try:
            async with connect(
                f"{self._stream_url}&interval_ms={self._interval_ms}",
                additional_headers=self._headers,
                proxy=None,
                open_timeout=TIMEOUT_S,
                close_timeout=0.5,
                ping_interval=5,
                ping_timeout=5,
                max_size=MAX_MESSAGE_BYTES,
            ) as self._socket:
                async for raw in self._socket:
                    message: StreamMessage | Ack = _decode(raw, _ANY_MESSAGE, self._stream_url)
                    # What answers a change of pace says nothing new.
                    match message:
                        case Update() | Snapshot(scope="all"):
                            yield message
        except (OSError, TimeoutError, WebSocketException) as error:
            raise TransientError(f"expected the stream at {self._stream_url}: {reason_of(error)}") from error
        finally:
            self._socket = None

    async def pace(self, is_watched: bool) -> None:
        """Set the update interval of the stream: that of open pages, or, without one, a slower one."""
        interval_ms = INTERVAL_MS if is_watched else UNWATCHED_INTERVAL_MS
        if interval_ms == self._interval_ms:
            return
        self._interval_ms = interval_ms
        if self._socket is not None:
            with suppress(ConnectionClosed):
                await self._socket.send(
                    msgspec.json.encode({"op": "set", "interval_ms": interval_ms}).decode()
                )

    async def open(self, path: str, query: str) -> httpx.Response:
        """Return any answer before its content has come; it must be closed."""
        url = httpx.URL(path, query=query.encode())
        request = self._http.build_request("GET", url, timeout=DOWNLOAD_TIMEOUT_S)
        return await self._answer(self._forwarded(request), stream=True)

    async def send(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """Ask with `method`; `sent` is what httpx takes (``json``, ``params``, ``content``). 4xx are answers, too.

        TransientError when there is no answer, or the API says that it cannot answer now (5xx).
        """
        response = await self._answer(self._forwarded(self._http.build_request(method, path, **sent)))
        if response.is_server_error:
            raise TransientError(
                f"{path}: expected an answer, received status {response.status_code}{problem(response)}"
            )
        return response

    async def alerts(self, limit: int, pair: str | None = None) -> tuple[HandledAlert, ...]:
        """Return the newest `limit` alerts, of a pair or of all, newest first."""
        of = {} if pair is None else {"pair": pair}
        return await self._get("/v1/alerts", HandledAlert, **of, limit=limit)

    async def _get(self, path: str, kind: type[T], **params: Any) -> tuple[T, ...]:
        return (await self.read(path, Listing[kind], **params)).data  # type: ignore[valid-type]

    async def read(self, path: str, kind: type[T], /, **params: Any) -> T:
        """Return the whole answer to a question; RefusedError if there is none (4xx)."""
        response = await self._answer(self._http.build_request("GET", path, params=params))
        if response.is_error:
            said = problem(response)
            text = f"{path}: expected data, received status {response.status_code}{said}"
            if response.is_client_error:
                raise ApiRefusedError(text, said.removeprefix(": "))
            raise TransientError(text)
        return _decode(response.content, kind, path)

    async def _answer(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        try:
            return await self._http.send(request, stream=stream)
        except httpx.HTTPError as error:
            raise TransientError(
                f"expected an answer from {self._http.base_url}: {reason_of(error)}"
            ) from error

    def _forwarded(self, request: httpx.Request) -> httpx.Request:
        """Return a request that says for whom it is: where from, as a proxy's does, and signed who, if that is known.

        A person has their own role and not that of the dashboard's key, which is left out.
        """
        if (visitor := asking_for.get()) is not None:
            request.headers["X-Forwarded-For"] = visitor
        if self._identity_key is not None and (person := signed_in.get()) is not None:
            request.headers.pop("Authorization", None)
            path, _, query = request.url.raw_path.partition(b"?")
            target = identity.target(path, query)
            request.headers[identity.HEADER] = identity.sign(
                person, request.method, target, self._identity_key, time.time()
            )
        return request


def segment(name: str) -> str:
    """Return a name as one part of a path, whatever it holds.

    >>> segment("ETHUSDT-BTCUSDT"), segment("../pairs?x"), segment("..")
    ('ETHUSDT-BTCUSDT', '..%2Fpairs%3Fx', '%2E%2E')
    """
    quoted = quote(name, safe="")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")


def _decode(raw: bytes | str, kind: type[T], source: str) -> T:
    try:
        return decode(raw, kind)
    except msgspec.DecodeError as error:
        raise BadMessageError(f"{source}: expected a {kind!r}, received {raw[:80]!r}: {error}") from error


def problem(response: httpx.Response) -> str:
    """Return what a problem document says, after a colon; empty if it is none."""
    try:
        return f": {response.json()['detail']}"
    except (ValueError, KeyError, TypeError):
        return ""
