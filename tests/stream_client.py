"""Client of ``/v1/stream``, and messages for it on the topics."""

import json
import socket
from contextlib import suppress
from typing import Annotated, Any

import msgspec
from pydantic import Field, TypeAdapter
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from services.api.models.stream import Ack, Pong, Snapshot, StreamError, Update
from services.common.codec import encode
from services.contracts.topics import Topic
from tests.api_process import ApiProcess
from tests.broker import produce

_MESSAGES: TypeAdapter[object] = TypeAdapter(
    Annotated[Snapshot | Update | Ack | Pong | StreamError, Field(discriminator="type")]
)


def publish(broker: str, topic: Topic, *messages: msgspec.Struct, partition: int = 2) -> None:
    key = b"test" if "compact" in topic.cleanup else None  # which such a topic wants
    produce(broker, topic.name, [(encode(message), partition) for message in messages], key)


def open_stream(api: ApiProcess, query: str = "", **options: Any) -> ClientConnection:
    url = f"ws{api.url.removeprefix('http')}/v1/stream{query}"
    stream: ClientConnection = connect(url, proxy=None, max_size=None, **options)
    return stream


def open_status_stream(api: ApiProcess, **options: Any) -> ClientConnection:
    """Open a stream of what every API has to tell."""
    return open_stream(api, "?topics=status", **options)


def receive(stream: ClientConnection) -> dict[str, Any]:
    """Return the next message, which is one that the contract knows."""
    text = stream.recv(timeout=30)
    _MESSAGES.validate_json(text)
    return dict(json.loads(text))


def receive_until(stream: ClientConnection, topic: str) -> list[dict[str, Any]]:
    """Return the first news of `topic`."""
    while True:
        if news := receive(stream).get(topic):
            return list(news)


def read_to_the_end(stream: ClientConnection) -> int | None:
    """Read until the stream is closed and return the code."""
    with suppress(ConnectionClosed):
        while True:
            stream.recv(timeout=30)
    return stream.close_code


def say(stream: ClientConnection, **command: Any) -> None:
    """Send a command."""
    stream.send(json.dumps(command))


def answer(stream: ClientConnection) -> dict[str, Any]:
    """Return the next message that is an answer to a command."""
    while (message := receive(stream))["type"] in ("snapshot", "update"):
        pass
    return message


def open_silent_stream(api: ApiProcess, topic: str) -> socket.socket:
    """Open a stream of which nothing will ever be read."""
    silent = socket.socket()
    silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    silent.connect(("127.0.0.1", int(api.url.rpartition(":")[2])))
    headers = (
        f"GET /v1/stream?topics={topic} HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
    )
    key = ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
    silent.sendall("\r\n".join((*headers, *key, "", "")).encode())
    return silent
