"""Ask the venue which symbols it trades."""

import asyncio
import difflib
from collections.abc import Iterable, Mapping

import httpx
import msgspec

from services.common.errors import FatalError, TransientError

_ROUTE = "/fapi/v1/exchangeInfo"
_TRADING = "TRADING"


class _Symbol(msgspec.Struct):
    symbol: str
    status: str


class _ExchangeInfo(msgspec.Struct):
    symbols: list[_Symbol]


class VenueBusyError(TransientError):
    """The venue asks to be left alone for `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


async def check_symbols(rest_url: str, symbols: Iterable[str], timeout_s: float) -> None:
    """Return if the venue trades every symbol; FatalError names those it does not.

    TransientError, with the reason, if the venue does not answer within `timeout_s`.
    """
    url = rest_url + _ROUTE
    try:
        async with asyncio.timeout(timeout_s), httpx.AsyncClient(timeout=timeout_s) as client:
            answer = await client.get(url)
    except TimeoutError as error:
        raise TransientError(
            f"expected an answer from {url} within {timeout_s:g} s, received none"
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise TransientError(f"expected an answer from {url}, received none: {reason}") from error
    if answer.status_code != httpx.codes.OK:
        raise _refused(url, answer)
    try:
        listing = msgspec.json.decode(answer.content, type=_ExchangeInfo)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TransientError(
            f"expected symbols from {url}, received {answer.content[:80]!r}: {error}"
        ) from error
    _require({entry.symbol: entry.status for entry in listing.symbols}, symbols)


def _require(statuses: Mapping[str, str], symbols: Iterable[str]) -> None:
    for symbol in symbols:
        status = statuses.get(symbol)
        if status == _TRADING:
            continue
        if status is not None:
            raise FatalError(
                f"PAIRSTREAM_SYMBOLS: expected symbols that trade, received {symbol}, which is {status}"
            )
        near = difflib.get_close_matches(symbol, [name for name in statuses if statuses[name] == _TRADING], 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise FatalError(
            f"PAIRSTREAM_SYMBOLS: expected symbols that Binance USD-M futures trades, received {symbol}{hint}"
        )


def _refused(url: str, answer: httpx.Response) -> TransientError:
    message = f"expected HTTP 200 from {url}, received {answer.status_code} {answer.reason_phrase}"
    wait = answer.headers.get("Retry-After", "")
    return (
        VenueBusyError(message, float(wait)) if wait.isascii() and wait.isdigit() else TransientError(message)
    )
