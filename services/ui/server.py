"""Serve the dashboard: the API's stream in, the page out."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import structlog
import uvicorn

from services.common.errors import FatalError
from services.ui import hub
from services.ui.app import build
from services.ui.client import ApiClient
from services.ui.market import Market
from services.ui.settings import UiSettings
from services.ui.tracks import Tracks

GRACE_S = 1

log = structlog.get_logger()


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: ``services.common.process`` has them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: UiSettings) -> None:
    """Serve until cancelled; FatalError if the port cannot be had. The API need not be there yet."""
    listener = _listen(settings.ui_host, settings.ui_port)
    host, port = listener.getsockname()[:2]
    market = Market()
    async with ApiClient(settings.api_url) as client:
        app = build(market, Tracks(client), hub.now)
        config = uvicorn.Config(
            app, log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_S
        )
        server = _Server(config)
        log.info("serving", url=f"http://{host}:{port}", api=settings.api_url)
        feeding = [
            asyncio.create_task(hub.follow(client, market)),
            asyncio.create_task(hub.refresh(client, market)),
        ]
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await asyncio.wait([serving, *feeding], return_when=asyncio.FIRST_COMPLETED)
        finally:
            server.should_exit = True
            for task in feeding:
                task.cancel()
            results = await asyncio.gather(serving, *feeding, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        why = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise FatalError(
            f"expected to listen on {host}:{port} (PAIRSTREAM_UI_HOST, PAIRSTREAM_UI_PORT): {why}"
        ) from error
