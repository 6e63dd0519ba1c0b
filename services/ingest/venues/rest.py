"""REST client of a venue, within its limits: all requests to one venue go through one `Rest`."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar

import httpx
import msgspec

from services.common.backoff import Backoff
from services.common.errors import BadMessageError, PairstreamError, TransientError, reason_of
from services.common.http import retry_after
from services.ingest.venues.request_budget import Budget, Spending

T = TypeVar("T")

_TIMEOUT_S = 5.0
# httpx limits each step: the connection, its encryption, every piece of an answer. This limits all of them together.
# No shorter, because a socket whose encryption is cancelled half-way stays open.
_STEPS = 3
# The largest answer we ask for, every symbol of a venue, has 2 or 3 MB.
_MAX_BYTES = 32 * 1024 * 1024
_BUSY = {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.IM_A_TEAPOT}
# A ban, the harder of the two, lasts between two minutes and three days.
_SHORTEST_BAN_S = 120.0
_LONGEST_BAN_S = 3 * 86_400.0


class VenueBusyError(TransientError):
    """The venue asks to be left alone for `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def retry_in_s(error: Exception, delays: Backoff) -> float:
    """Return how long to wait after `error`: as `delays` has it, but no shorter than the venue asks for."""
    asked_s = error.retry_after_s if isinstance(error, VenueBusyError) else 0.0
    return max(asked_s, delays.next_s())


class VenueRefusedError(TransientError):
    """The venue answers with an error, and `body` may say why."""

    def __init__(self, message: str, body: bytes) -> None:
        super().__init__(message)
        self.body = body


class GoneError(PairstreamError):
    """The venue no longer has the requested trades: do not retry."""


class Rest:
    """Requests to one venue, possible inside ``async with``."""

    def __init__(
        self,
        base_url: str,
        budget: Budget,
        timeout_s: float = _TIMEOUT_S,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`now_s` is a clock that never jumps."""
        self._base_url = base_url
        self._budget = budget
        self._spending = Spending(budget)
        self._timeout_s = timeout_s
        self._now_s = now_s
        self._sleep = sleep
        self._held_until_s = 0.0
        self._patience_s = math.inf
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(timeout=self._timeout_s)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._client, "it has been entered"
        await self._client.aclose()

    async def get(self, path: str, **params: str | int) -> bytes:
        """Return the body of an answer with status 200; waits while the budget is used up.

        VenueBusyError, without a request, as long as the venue wants to be left alone, or if the budget would take
        longer than anybody has patience; TransientError otherwise.
        """
        weight = self._budget.weights.get(path, 1)
        self._respect_hold()
        while wait_s := self._spending.wait_s(weight, self._now_s()):
            if wait_s > self._patience_s:
                raise VenueBusyError(
                    f"expected to ask {self._base_url}, which allows the next request in {wait_s:.0f} s",
                    wait_s,
                )
            await self._sleep(wait_s)
            self._respect_hold()
        self._spending.spend(weight, self._now_s())
        url = self._base_url + path
        answer, body = await self._send(url, params)
        self._read_budget(answer)
        if answer.status_code == httpx.codes.OK:
            return body
        status = f"{answer.status_code} {answer.reason_phrase}"
        message = f"expected HTTP 200 from {answer.url}, received {status}: {body[:200]!r}"
        if (hold_s := self._retry_after_s(answer)) is not None:
            raise self.hold(message, hold_s)
        raise VenueRefusedError(message, body)

    @contextmanager
    def hurried(self, patience_s: float) -> Iterator[None]:
        """Refuse requests meanwhile that the budget would hold up for longer."""
        self._patience_s = patience_s
        try:
            yield
        finally:
            self._patience_s = math.inf

    async def read(self, decoder: msgspec.json.Decoder[T], path: str, **params: str | int) -> T:
        """Return the decoded body; BadMessageError if it is not what the decoder expects, else as `get`."""
        body = await self.get(path, **params)
        try:
            return decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadMessageError(
                f"expected another answer from {self._base_url}{path}, received {body[:80]!r}: {error}"
            ) from error

    def hold(self, message: str, wait_s: float) -> VenueBusyError:
        """Send nothing for `wait_s` seconds, and return the error that says so."""
        wait_s = min(wait_s, _LONGEST_BAN_S)
        self._held_until_s = max(self._held_until_s, self._now_s() + wait_s)
        return VenueBusyError(message, wait_s)

    def _respect_hold(self) -> None:
        if (left_s := self._held_until_s - self._now_s()) > 0:
            raise VenueBusyError(
                f"expected to ask {self._base_url}, which wants to be left alone for {left_s:.0f} s", left_s
            )

    async def _send(self, url: str, params: dict[str, str | int]) -> tuple[httpx.Response, bytes]:
        assert self._client, "requests are sent inside async with"
        try:
            async with (
                asyncio.timeout(_STEPS * self._timeout_s),
                self._client.stream("GET", url, params=params) as answer,
            ):
                body = bytearray()
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > _MAX_BYTES:
                        raise TransientError(f"expected at most {_MAX_BYTES} bytes from {url}, received more")
                return answer, bytes(body)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise TransientError(
                f"expected an answer from {url} within {self._timeout_s:g} s, received none or a part"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = reason_of(error)
            raise TransientError(f"expected an answer from {url}, received none: {reason}") from error

    def _read_budget(self, answer: httpx.Response) -> None:
        used = answer.headers.get(self._budget.header or "", "")
        if not _is_number(used):
            return
        # Periods begin with the venue's minute, which its clock knows and ours may not.
        elapsed_s = 0.0
        if date := retry_after.date(answer.headers.get("Date", "")):
            elapsed_s = date.timestamp() % self._budget.period_s
        self._spending.correct(int(used), self._now_s() + self._budget.period_s - elapsed_s)

    def _retry_after_s(self, answer: httpx.Response) -> float | None:
        now = retry_after.date(answer.headers.get("Date", ""))
        asked_s = retry_after.seconds(answer.headers.get("Retry-After", ""), now)
        if asked_s is not None or answer.status_code not in _BUSY:
            return asked_s
        return _SHORTEST_BAN_S if answer.status_code == httpx.codes.IM_A_TEAPOT else self._budget.period_s


def _is_number(header: str) -> bool:
    return header.isascii() and header.isdigit() and len(header) < 12
