"""Readiness: every service healthy and the page there, while history may still be played."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from services.api.service_health import SERVICES, ServiceHealth
from services.common import clock
from services.common.errors import FatalError
from services.contracts.messages import Filling, Heartbeat, ServiceState
from services.local import readiness
from services.local.supervisor import Child, ServiceCommand


class Site:
    """An API and a page that answer what a test has set."""

    def __init__(self) -> None:
        self.health = ServiceHealth()
        self.page_status = 200
        self.asked = 0
        self.lost: dict[str, dict[str, int]] = {}
        self.pairs_asked = 0
        self.pairs: list[dict[str, Any]] = []
        for name in SERVICES:
            self.beat(name)

    def beat(
        self, service: str, state: ServiceState = "running", filling: Filling | None = None
    ) -> Heartbeat:
        """Have a service say how it is."""
        at_us = clock.now_us()
        beat = Heartbeat(
            service=service, at_us=at_us, started_us=0, state=state, version="1", filling=filling
        )
        self.health.put(beat)
        return beat

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of a GET."""
        if path == "/healthz":
            return self.page_status, {"status": "ok"}
        if path == "/v1/pairs":
            self.pairs_asked += 1
            return 200, {"data": self.pairs}
        self.asked += 1
        return 200, {"services": self.health.services(self.beat("api"), self.lost)}


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """Yield the base URL of a site."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = site.answer(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_it_is_ready_while_the_past_is_still_played() -> None:
    site = Site()
    site.beat("ingest", filling=Filling(0, 900))
    with serving(site) as url:
        asyncio.run(readiness.wait(url, url, []))
    assert site.asked == 1


def test_it_is_ready_though_nobody_has_acknowledged_what_was_lost_before() -> None:
    site = Site()
    site.lost = {"sink": {"ticks": 5}}
    with serving(site) as url:
        asyncio.run(readiness.wait(url, url, []))
    assert site.asked == 1


def test_it_waits_for_every_service_and_the_page() -> None:
    site = Site()
    site.beat("ingest", "starting")
    site.page_status = 503

    async def until_asked(times: int) -> None:
        async with asyncio.timeout(10):
            while site.asked < times:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def run(url: str) -> None:
        waiting = asyncio.create_task(readiness.wait(url, url, []))
        await until_asked(2)
        site.page_status = 200
        await until_asked(4)
        assert not waiting.done()
        site.beat("ingest", filling=Filling(1, 900))
        await asyncio.wait_for(waiting, 10)

    with serving(site) as url:
        asyncio.run(run(url))


def pair(name: str, quality: str | None, *, paused: bool = False) -> dict[str, Any]:
    last = None if quality is None else {"quality": quality, "reason": "BTCUSDT went quiet"}
    return {"pair": name, "paused": paused, "last_signal": last}


def test_it_waits_until_no_pair_says_what_an_earlier_run_said_last() -> None:
    site = Site()
    site.pairs = [pair("A-B", "stale"), pair("C-D", None), pair("E-F", "stale", paused=True)]

    async def run(url: str) -> dict[str, str]:
        waiting = asyncio.create_task(readiness.wait(url, url, []))
        async with asyncio.timeout(10):
            while site.pairs_asked < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert not waiting.done()
        site.pairs = [pair("A-B", "not_enough_data"), *site.pairs[1:]]
        return await asyncio.wait_for(waiting, 10)

    with serving(site) as url:
        assert asyncio.run(run(url)) == {}


def test_a_pair_that_stays_stale_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "STALE_S", 0.2)
    site = Site()
    site.pairs = [pair("A-B", "stale")]
    with serving(site) as url:
        assert asyncio.run(readiness.wait(url, url, [])) == {"A-B": "BTCUSDT went quiet"}


def test_what_is_missing_in_the_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "TIMEOUT_S", 0.3)
    site = Site()
    site.beat("ingest", "degraded")
    site.page_status = 503
    missing = pytest.raises(FatalError, match=r"not ready after 0\.3 s, still waiting for: ingest, ui")
    with serving(site) as url, missing:
        asyncio.run(readiness.wait(url, url, []))


def test_a_service_that_ends_again_and_again_is_named() -> None:
    site = Site()
    site.beat("sink", "starting")
    child = Child(ServiceCommand("sink", ["false"], {}), lambda *_: None)
    child.restarts, child.reason = 3, "ended with exit code 1: no database"
    message = "sink ended 3 times before it was healthy; at last it ended with exit code 1: no database"
    ended = pytest.raises(FatalError, match=message)
    with serving(site) as url, ended:
        asyncio.run(readiness.wait(url, url, [child]))
