"""Refusals of requests whose body is still on its way, on real sockets."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from services.common.http import serving, unread_bodies

BODY = b"x" * 2**22
REFUSAL = b"not you"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse without reading; a path with a number reads so many messages of the body before."""
    for _ in range(int(scope["path"][1:] or 0)):
        await receive()
    length = (b"content-length", str(len(REFUSAL)).encode())
    await send({"type": "http.response.start", "status": 403, "headers": [length]})
    await send({"type": "http.response.body", "body": REFUSAL})


def head(*headers: str, path: str = "/") -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: here", *headers, "", ""]).encode()


def talk(conversation: Talk) -> None:
    async def run() -> None:
        with serving.listen("127.0.0.1", 0, "API") as listener:
            serve = asyncio.ensure_future(serving.serve(refuse, listener, lifespan="off"))
            try:
                async with asyncio.timeout(30):
                    reader, writer = await asyncio.open_connection(*listener.getsockname())
                    await conversation(reader, writer)
                    writer.close()
            finally:
                serve.cancel()
                with suppress(asyncio.CancelledError):
                    await serve

    asyncio.run(run())


async def answer(reader: asyncio.StreamReader) -> bytes:
    status, _, _ = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
    assert await reader.readexactly(len(REFUSAL)) == REFUSAL
    return status


@pytest.mark.parametrize("path", ["/", "/1"])
def test_the_answer_comes_at_once_and_stays_readable_while_the_body_is_sent(path: str) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head(f"Content-Length: {len(BODY)}", "Connection: close", path=path) + BODY[:100])
        assert b" 403 " in await answer(reader)
        writer.write(BODY[100:])
        await writer.drain()
        # No reset: the end comes after all of it was taken.
        assert await reader.read() == b""

    talk(conversation)


def test_the_connection_serves_the_next_request() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write(head("Transfer-Encoding: chunked"))
            assert b" 403 " in await answer(reader)
            writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))

    talk(conversation)


@pytest.mark.parametrize(
    ("limit", "value"), [("SILENCE_S", 0.01), ("LONGEST_S", 0.01), ("MOST_BYTES", len(BODY) // 2)]
)
def test_nobody_is_waited_for_without_limit(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: float
) -> None:
    monkeypatch.setattr(unread_bodies, "SILENCE_S", 3600.0)
    monkeypatch.setattr(unread_bodies, "LONGEST_S", 3600.0)
    monkeypatch.setattr(unread_bodies, limit, value)

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head(f"Content-Length: {2 * len(BODY)}", "Connection: close"))
        assert b" 403 " in await answer(reader)
        with suppress(ConnectionError):
            if limit == "MOST_BYTES":
                writer.write(BODY)
            assert await reader.read() == b""

    talk(conversation)


@pytest.mark.parametrize("headers", [(), ("Content-Length: 4", "Expect: 100-continue")])
def test_nothing_is_waited_for_where_nothing_comes(
    monkeypatch: pytest.MonkeyPatch, headers: tuple[str, ...]
) -> None:
    monkeypatch.setattr(unread_bodies, "SILENCE_S", 3600.0)
    monkeypatch.setattr(unread_bodies, "LONGEST_S", 3600.0)

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head(*headers, "Connection: close"))
        assert b" 403 " in await answer(reader)
        assert await reader.read() == b""

    talk(conversation)
