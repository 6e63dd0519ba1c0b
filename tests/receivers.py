"""Receivers of webhooks: one that takes messages, and others that fail, hang, redirect, are busy or gone."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from standardwebhooks import Webhook

SECRET = "whsec_" + "a" * 32
OTHER_SECRET = "whsec_" + "b" * 32
PUBLIC_HOST = "receiver.test"


class Received(NamedTuple):
    """A request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Return what names the delivery."""
        return self.headers["webhook-id"]

    @property
    def alert_ids(self) -> list[str]:
        """Return the alerts that it tells of."""
        return [one["alert_id"] for one in json.loads(self.body)["data"]["alerts"]]

    def verify(self, secret: str = SECRET) -> Any:
        """Return the content; WebhookVerificationError unless it was signed with a secret."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """A server whose answer follows from the path: ``/ok``, or `answers` of another one."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self._lock = threading.Lock()
        self.received: list[Received] = []
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {
            "/ok": (200, {}, b""),
            "/fail": (500, {}, b"out of\norder"),
            "/gone": (410, {}, b""),
            "/busy": (429, {"Retry-After": "3600"}, b""),
            "/redirect": (302, {"Location": "/ok"}, b""),
        }
        self.released = threading.Event()
        """Set to let what hangs go on."""

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """Return an address of this server."""
        return f"http://{host}:{self._server.server_port}{path}"

    @property
    def port(self) -> int:
        """Return its port."""
        return int(self._server.server_port)

    def take(self, received: Received) -> tuple[int, dict[str, str], bytes]:
        """Note a request, and return the answer to it."""
        with self._lock:
            self.received.append(received)
        if received.path == "/hang":
            self.released.wait(60)
        return self.answers.get(received.path, (404, {}, b""))

    def ids(self, path: str = "/ok") -> Counter[str]:
        """Return how often each delivery came."""
        with self._lock:
            return Counter(one.id for one in self.received if one.path == path)

    def alerts(self, path: str = "/ok") -> list[str]:
        """Return the alerts that an idempotent receiver has accepted: of each delivery the first."""
        with self._lock:
            accepted = {one.id: one for one in reversed(self.received) if one.path == path}
        return [name for one in accepted.values() for name in one.alert_ids]


@contextmanager
def receiver(tls: Any = None) -> Iterator[Receiver]:
    """Run a receiver until the block ends; `tls` is the context of a server that speaks TLS."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:
                # Whoever sent it was killed meanwhile: nothing has come.
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, fields, text = found.take(Received(self.path, headers, body))
            self.send_response(status)
            for name, value in {**fields, "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Write nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of clients that have gone."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    found = Receiver(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
