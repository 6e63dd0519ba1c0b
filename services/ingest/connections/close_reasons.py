"""Reasons why a connection failed or ended, and how long the venue wants no new one."""

import socket
import ssl
from http import HTTPStatus

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from services.common import clock
from services.common.errors import reason_of
from services.common.http import retry_after

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
    given = error.response.headers.get("Retry-After", "")
    asked_s = retry_after.seconds(given, clock.to_datetime(now_us))
    if asked_s is not None:
        return min(asked_s, _MOST_S)
    return _BUSY_S if error.response.status_code in _BUSY else 0.0


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
            return reason_of(error)
