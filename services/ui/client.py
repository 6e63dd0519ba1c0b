"""The boundary to the API: HTTP and one WebSocket."""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from services.common.errors import BadMessageError, TransientError
from services.common.messages import Signal
from services.ui.answers import Bar, Listing, StreamMessage, SymbolStats, WatchedPair

TOPICS = "ticks,signals,alerts,status"
# Pages are brought up to date less often than that.
INTERVAL_MS = 100
TIMEOUT_S = 5.0
# A snapshot holds one tick per symbol, one signal per pair and 50 alerts: far below this.
MAX_MESSAGE_BYTES = 16 * 2**20

T = TypeVar("T")


class ApiClient:
    """Reads the API; TransientError when it does not answer, BadMessageError when the answer has another shape."""

    def __init__(
        self, api_url: str, transport: httpx.AsyncBaseTransport | None = None, key: str | None = None
    ) -> None:
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._stream_url = (
            f"ws{api_url.removeprefix('http')}/v1/stream?topics={TOPICS}&interval_ms={INTERVAL_MS}"
        )
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

    async def bars(self, symbol: str, interval: str, limit: int) -> tuple[Bar, ...]:
        """Return the newest `limit` bars, oldest first."""
        return await self._get("/v1/bars", Bar, symbol=symbol, interval=interval, limit=limit)

    async def signals(self, pair: str, limit: int) -> tuple[Signal, ...]:
        """Return the newest `limit` signals, oldest first."""
        return await self._get(f"/v1/pairs/{pair}/signals", Signal, limit=limit)

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
                self._stream_url,
                additional_headers=self._headers,
                proxy=None,
                open_timeout=TIMEOUT_S,
                close_timeout=0.5,
                ping_interval=5,
                ping_timeout=5,
                max_size=MAX_MESSAGE_BYTES,
            ) as socket:
                async for raw in socket:
                    yield _decode(raw, StreamMessage, self._stream_url)
        except (OSError, TimeoutError, WebSocketException) as error:
            raise TransientError(f"expected the stream at {self._stream_url}: {_said(error)}") from error

    async def _get(self, path: str, kind: type[T], **params: Any) -> tuple[T, ...]:
        try:
            response = await self._http.get(path, params=params)
        except httpx.HTTPError as error:
            raise TransientError(f"expected an answer from {self._http.base_url}: {_said(error)}") from error
        if response.is_error:
            raise TransientError(
                f"{path}: expected data, received status {response.status_code}{_problem(response)}"
            )
        return _decode(response.content, Listing[kind], path).data  # type: ignore[valid-type]


def _decode(raw: bytes | str, kind: type[T], source: str) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError as error:
        raise BadMessageError(f"{source}: expected a {kind!r}, received {raw[:80]!r}: {error}") from error


def _problem(response: httpx.Response) -> str:
    try:
        return f": {response.json()['detail']}"
    except (ValueError, KeyError, TypeError):
        return ""


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
