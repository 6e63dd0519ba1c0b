"""Log lines that strangers can cause: bounded, and the rest counted."""

import asyncio
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
import structlog

from services.common import logs
from services.common.cancellation import end
from services.common.http import serving

LINE = "Invalid HTTP request received."


@contextmanager
def configured() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    logs.configure("test", log_format="json")
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.configure(**before)


def test_of_malformed_requests_the_first_ten_are_logged_and_then_how_many_there_were(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.common.logs._Sample._SAID_EVERY_S", 0.2)
    said: list[str] = []

    def more() -> int:
        said.extend(json.loads(line)["event"] for line in capsys.readouterr().err.splitlines())
        return sum(int(line.partition(" ")[0]) for line in said if "more lines" in line)

    async def ask(listener: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
        writer.write(b"\x16\x03\x01 this is no request\r\n\r\n")
        assert b"400" in await reader.readline()
        writer.close()

    async def scene() -> None:
        with closing(serving.listen("127.0.0.1", 0, "TEST")) as listener:
            server = asyncio.create_task(serving.serve(None, listener, lifespan="off"))
            for _ in range(35):
                await ask(listener)
            async with asyncio.timeout(10):
                while more() < 25:
                    await ask_nothing()
            await end(server)

    async def ask_nothing() -> None:
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)

    with configured():
        asyncio.run(scene())
    assert said.count(LINE) == 10
    assert more() == 25
    assert all(
        line.endswith(f"more lines of the HTTP server, such as: {LINE}") for line in said if line != LINE
    )


def test_after_a_quiet_minute_there_are_ten_lines_again() -> None:
    sample = logs._Sample()

    def passes(at_s: float) -> bool:
        record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, LINE, (), None)
        record.created = at_s
        return bool(sample.filter(record))

    async def scene() -> list[bool]:
        return [passes(at_s) for at_s in (*range(12), 72.5, 73)]

    assert asyncio.run(scene()) == [True] * 10 + [False] * 2 + [True] * 2
    other = logging.LogRecord("services.api", logging.WARNING, "", 0, LINE, (), None)
    assert all(sample.filter(other) for _ in range(50))
