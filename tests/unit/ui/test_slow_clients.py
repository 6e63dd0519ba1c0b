"""Browsers that do not finish a request, on real sockets."""

import asyncio
from contextlib import suppress

import pytest

from services.common.http import body_limit, read_timeout
from services.ui.server import serve
from services.ui.settings import UiSettings
from tests.ports import free_port

HEAD = "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n"
SLOW = {
    "nothing": b"",
    "half a head": HEAD.format("/").encode(),
    "half a callback": HEAD.format("/_dash-update-component").encode() + b"\r\n{",
    "half an upload": HEAD.format("/send/v1/datasets").encode() + b"\r\n{",
    "half a preview": HEAD.format("/send/v1/datasets/preview").encode() + b"\r\n{",
}


def test_whoever_does_not_go_on_is_given_up_however_little_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_timeout, "HEAD_S", 1.0)
    monkeypatch.setattr(body_limit, "SILENCE_S", 1.0)
    port = free_port()

    async def ask(begun: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        answer = asyncio.create_task(reader.readline())
        while begun and not answer.done():
            writer.write(b" ")
            await asyncio.wait([answer], timeout=0.3)
        writer.close()
        try:
            return await answer
        except ConnectionError:
            return b""

    async def run() -> dict[str, bytes]:
        serving = asyncio.create_task(serve(UiSettings(ui_port=port, api_url="http://127.0.0.1:1")))
        async with asyncio.timeout(30):
            while True:
                with suppress(ConnectionError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.wait([serving], timeout=0.05)
            answers = await asyncio.gather(*map(ask, SLOW.values()))
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        return dict(zip(SLOW, answers, strict=True))

    answered = {what: answer[9:12] for what, answer in asyncio.run(run()).items()}
    # The API is away, which may be known before the body has come.
    passed_on = {answered.pop(what) for what in ("half an upload", "half a preview")}
    assert answered == {"nothing": b"", "half a head": b"", "half a callback": b"408"}
    assert passed_on <= {b"408", b"502"}
