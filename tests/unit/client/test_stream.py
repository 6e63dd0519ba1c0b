"""Stream of the client: goes on while the API starts again, and ends where it is refused."""

import json
import socket
import threading
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import pairstream_client
import pytest
from pairstream_client import Client
from websockets.exceptions import InvalidStatus
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairstream_client, "RECONNECT_S", 0.0)


class Api:
    """An API that refuses connections, and sends on each stream the id after which it was to go on."""

    def __init__(self, *refusals: HTTPStatus | None) -> None:
        """`refusals` are the answers to the connections after the first one; None drops one without an answer."""
        self._refusals = iter(refusals)
        self._connections = 0

    def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        self._connections += 1
        if self._connections == 1:
            return None
        for refusal in self._refusals:
            if refusal is None:
                connection.socket.shutdown(socket.SHUT_RDWR)
                return None
            return connection.respond(refusal, "not now")
        return None

    def stream(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        asked = parse_qs(urlsplit(connection.request.path).query)
        connection.send(json.dumps({"id": str(self._connections), "after": asked.get("last_event_id")}))


def streamed(server: Server) -> Iterator[dict[str, object]]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host, port = server.socket.getsockname()
    return Client(f"http://{host}:{port}").stream()


@pytest.mark.parametrize(
    "away", [HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS, None]
)
def test_a_stream_goes_on_after_what_it_has_once_the_api_is_back(away: int | None) -> None:
    status = None if away is None else HTTPStatus(away)
    api = Api(status, status)
    with serve(api.stream, "127.0.0.1", 0, process_request=api.answer) as server:
        stream = streamed(server)
        assert next(stream) == {"id": "1", "after": None}
        assert next(stream) == {"id": "4", "after": ["1"]}


@pytest.mark.parametrize("refusal", [HTTPStatus.UNAUTHORIZED, HTTPStatus.UNPROCESSABLE_ENTITY])
def test_a_stream_that_is_refused_ends(refusal: HTTPStatus) -> None:
    api = Api(refusal)
    with serve(api.stream, "127.0.0.1", 0, process_request=api.answer) as server:
        stream = streamed(server)
        next(stream)
        with pytest.raises(InvalidStatus):
            next(stream)
