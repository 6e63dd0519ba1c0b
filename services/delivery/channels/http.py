"""Channel of webhooks: signed as Standard Webhooks says, or as Slack takes them; no redirect is followed."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus

import httpcore
from standardwebhooks import Webhook

from services.common.errors import reason_of
from services.common.heartbeat import VERSION
from services.common.http import retry_after
from services.delivery.addresses import Network, RefusedAddressError
from services.delivery.channels.answer import Answer
from services.delivery.channels.network import CheckedNetwork

# Of what a receiver answers so much is read, and of that so much told.
_READ_BYTES = 4_096
_TOLD_CHARACTERS = 200
_KEPT_S = 15.0
_WAITING = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)


class HttpChannel:
    """Posts messages; its connections are kept for a moment, as several messages often follow each other."""

    def __init__(
        self, allowed: Sequence[Network], connections: int, context: ssl.SSLContext | None = None
    ) -> None:
        """`allowed` are networks besides the public ones, `context` says whose certificates are trusted."""
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context or ssl.create_default_context(),
            max_connections=connections,
            keepalive_expiry=_KEPT_S,
            network_backend=CheckedNetwork(allowed),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def post(self, url: str, body: bytes, headers: dict[str, str] | None = None) -> Answer:
        """Post a body and return what came of it; no error of the network is raised."""
        sent = {
            "Content-Type": "application/json",
            "User-Agent": f"pairstream/{VERSION}",
            **(headers or {}),
        }
        try:
            async with self._pool.stream("POST", url, headers=list(sent.items()), content=body) as response:
                return await _answer(response)
        except RefusedAddressError as error:
            return Answer(str(error))
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            return Answer(f"expected an answer by HTTP, received {reason_of(error)}"[:_TOLD_CHARACTERS])


def signed(delivery_id: str, body: bytes, at: datetime, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers of Standard Webhooks; several secrets sign while one takes the place of another."""
    text = body.decode()
    signatures = [Webhook(secret).sign(delivery_id, at, text) for secret in secrets]
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def _answer(response: httpcore.Response) -> Answer:
    status = response.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Answer(None, status)
    fields = {name.lower(): value.decode("latin-1") for name, value in response.headers}
    text = ""
    async for part in response.aiter_stream():
        text += part.decode(errors="replace")
        if len(text) > _READ_BYTES:
            break
    told = " ".join("".join(one if one.isprintable() else " " for one in text).split())[:_TOLD_CHARACTERS]
    problem = f"expected a status of 2xx, received {status}{_phrase(status)}" + (f": {told}" if told else "")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        problem = f"expected a status of 2xx, received {status}{_phrase(status)}: redirects are not followed"
    wait_s = None
    if status in _WAITING:
        wait_s = retry_after.seconds(fields.get(b"retry-after", ""), datetime.now(UTC))
    return Answer(problem, status, wait_s, is_gone=status == HTTPStatus.GONE)


def _phrase(status: int) -> str:
    return f" {HTTPStatus(status).phrase}" if status in HTTPStatus._value2member_map_ else ""
