"""Reasons why a connection failed or ended, and how long the venue wants no new one."""

import email.utils
import socket
import ssl
from http import HTTPStatus

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from services.common import clock

# Errors of opening or reading a socket.
ERRORS = (OSError, TimeoutError, WebSocketException)
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.IM_A_TEAPOT)
# The venue says busy, but not for how long.
_BUSY_S = 60.0
# The longest ban that venues document is three days.
_MOST_S = 3 * 86_400.0


def reason(url: str, error: Exception) -> str:
    """Return in words what was expected of `url` and what was received."""
    return f"expected a connection to {url.partition('?')[0]}, received {_words(error)}"


def retry_after_s(error: Exception, now_us: int) -> float:
    """Return for how many seconds the venue wants no connection, 0 if it did not ask for that."""
    if not isinstance(error, InvalidStatus):
        return 0.0
    given = error.response.headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit():
        return min(float(given), _MOST_S)
    if date := _date_us(given):
        return min(max((date - now_us) / clock.SECOND, 0.0), _MOST_S)
    return _BUSY_S if error.response.status_code in _BUSY else 0.0


def _date_us(text: str) -> int | None:
    try:
        return clock.from_datetime(email.utils.parsedate_to_datetime(text))
    except ValueError:
        return None


def _words(error: Exception) -> str:
    match error:
        case ConnectionClosed():
            return f"its end: {error}"
        case InvalidStatus():
            response = error.response
            return f"HTTP {response.status_code} {response.reason_phrase}".strip()
        case socket.gaierror():
            return f"no address (DNS): {error.strerror}"
        case ssl.SSLCertVerificationError():
            return f"a certificate that cannot be trusted (TLS): {error.verify_message}"
        case ssl.SSLError():
            return f"an error of TLS: {error}"
        case TimeoutError():
            return str(error) or "no answer in time"
        case _:
            return str(error) or type(error).__name__
