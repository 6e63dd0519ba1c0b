"""Probe of a broker's address: a broker, another server, or none."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from services.common.errors import FatalError
from services.common.kafka import probe
from services.common.kafka.probe import require_kafka
from services.common.settings import KafkaSettings
from tests.ports import free_port

TLS_ALERT = bytes.fromhex("15030300020246")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "ANSWER_S", 0.1)


@contextlib.asynccontextmanager
async def listener(first: bytes | None, after: bytes = b"\x14") -> AsyncIterator[str]:
    """Yield the address of who answers `first`, None is silence, once it has read `after`, and hangs up."""

    answered: list[asyncio.Event] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answered.append(asyncio.Event())
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(after)
            if first is None:
                await reader.read()
            else:
                writer.write(first)
        writer.close()
        await writer.wait_closed()
        answered[-1].set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"
        for one in answered:
            await one.wait()


def look(first: bytes | None, after: bytes = b"\x14", **more: str) -> None:
    async def run() -> None:
        async with listener(first, after) as address:
            await require_kafka(KafkaSettings(brokers=address, **more))

    asyncio.run(run())


@pytest.mark.parametrize("first", [b"HTTP/1.1 400 Bad Request\r\n", TLS_ALERT, b"220 mail\r\n", b"\0"])
def test_something_else_is_refused_with_what_it_says(first: bytes) -> None:
    with pytest.raises(FatalError, match=r"PAIRSTREAM_BROKERS: expected a Kafka broker at 127.* received b'"):
        look(first)


def test_whoever_waits_for_the_end_of_a_line_gets_one() -> None:
    with pytest.raises(FatalError, match="received b'<!DOCTYP'"):
        look(b"<!DOCTYPE html>", after=b"\r\n")


@pytest.mark.parametrize("first", [None, b""])
def test_whoever_is_silent_or_hangs_up_may_be_a_broker_yet(first: bytes | None) -> None:
    look(first)


def test_nobody_is_away() -> None:
    asyncio.run(require_kafka(KafkaSettings(brokers=f"127.0.0.1:{free_port()}")))


def test_behind_tls_nobody_is_asked() -> None:
    look(b"HTTP/1.1 400 Bad Request\r\n", kafka_security="SSL")
