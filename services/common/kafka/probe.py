"""Probe that tells a Kafka broker from any other server: a client would wait there in silence."""

import asyncio
from contextlib import suppress

import structlog

from services.common.errors import FatalError
from services.common.settings import KafkaSettings

ANSWER_S = 2.0
_ID = b"pair"
# ApiVersions, which every broker answers, also before a login: length, key, version, the id it answers with, who asks.
_QUESTION = b"\x00\x00\x00\x14\x00\x12\x00\x00" + _ID + b"\x00\x0apairstream"
# A server that waits for the end of a line answers now.
_NUDGE = b"\r\n\r\n"

log = structlog.get_logger()


async def require_kafka(settings: KafkaSettings) -> None:
    """FatalError if another server than Kafka answers; one that is away or silent may still become a broker.

    Behind TLS the handshake tells them apart.
    """
    if "SSL" in settings.kafka_security:
        return
    for address in settings.brokers.split(","):
        host, _, port = address.rpartition(":")
        answer = await _answer(host.strip("[]"), int(port))
        if answer is None:
            log.warning("no broker answers yet", at=address, waited_s=2 * ANSWER_S)
        elif answer and answer[4:8] != _ID:
            raise FatalError(
                f"PAIRSTREAM_BROKERS: expected a Kafka broker at {address} ({settings.kafka_security}), received "
                f"{answer!r}: something else answers there; correct the address or PAIRSTREAM_KAFKA_SECURITY"
            )


async def _answer(host: str, port: int) -> bytes | None:
    """Return the first bytes of the answer, none if the connection ends before, None if nothing comes."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return b""
    try:
        for words in (_QUESTION, _NUDGE):
            writer.write(words)
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_S):
                    return await reader.readexactly(8)
    except asyncio.IncompleteReadError as error:
        return error.partial
    except OSError:
        return b""
    finally:
        writer.close()
    return None
