"""Reasons why a connection failed, and the delay that the venue wants."""

import socket
import ssl

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from services.common.clock import SECOND
from services.ingest.connections.close_reasons import ERRORS, reason, retry_after_s

NOW = 1_800_000_000 * SECOND  # Fri, 15 Jan 2027 08:00:00 GMT
URL = "wss://example.org/market/stream?streams=btcusdt@aggTrade"


def refused(status: int, phrase: str = "", **headers: str) -> InvalidStatus:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return InvalidStatus(Response(status, phrase, Headers(given)))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refused(403, "Forbidden"), "HTTP 403 Forbidden"),
        (refused(503), "HTTP 503"),
        (socket.gaierror(-2, "Name or service not known"), "no address (DNS): Name or service not known"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "an error of TLS: "),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (TimeoutError("timed out during opening handshake"), "timed out during opening handshake"),
        (TimeoutError(), "no answer in time"),
        (ConnectionClosedError(Close(1008, "policy"), None), "its end: received 1008"),
        (ConnectionClosedError(None, Close(1011, "keepalive ping timeout")), "keepalive ping timeout"),
        (ConnectionResetError(), "ConnectionResetError"),
    ],
)
def test_the_reason_names_the_address_and_what_came(error: Exception, words: str) -> None:
    assert isinstance(error, ERRORS)
    text = reason(URL, error)
    assert text.startswith("expected a connection to wss://example.org/market/stream, received ")
    assert words in text


def test_a_certificate_that_is_not_trusted_is_said_to_be_just_that() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    assert "a certificate that cannot be trusted (TLS): self-signed certificate" in reason(URL, error)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (refused(429, Retry_After="77"), 77),
        (refused(418, Retry_After="300"), 300),
        (refused(503, Retry_After="5"), 5),
        (refused(429, Retry_After="Fri, 15 Jan 2027 08:01:30 GMT"), 90),
        (refused(429, Retry_After="Fri, 15 Jan 2027 07:00:00 GMT"), 0),
        (refused(429, Retry_After="soon"), 60),
        (refused(429, Retry_After="²"), 60),
        (refused(418), 60),
        (refused(429, Retry_After="9" * 400), 3 * 86_400),
        (refused(500), 0),
        (OSError(), 0),
    ],
)
def test_the_venues_wish_to_be_left_alone(error: Exception, seconds: float) -> None:
    assert retry_after_s(error, NOW) == seconds
