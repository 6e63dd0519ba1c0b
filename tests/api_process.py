"""API process under test, and rows in the store for it to read."""

import asyncio
import os
import signal
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx

from services.common import clock
from services.common.kafka import compacted
from services.common.settings import KafkaSettings
from services.contracts.listings import Listing
from services.contracts.messages import Alert, FeedName, Heartbeat, Signal, Tick
from services.contracts.topics import ALERTS, LISTINGS, SIGNALS, TICKS
from tests import builders
from tests.contract.store import write_all
from tests.forks import Forked
from tests.ports import free_port
from tests.waiting import wait_until

START_US = 1_767_225_600_000_000  # 2026-01-01
PAIR = "ETHUSDT-BTCUSDT"
NO_ROUTE = ("DELETE", "/v1/nothing")
"""A write that finds nothing."""


class ApiProcess:
    """A running API; `url` is its address."""

    def __init__(self, process: Forked, url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log
        self.http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(path, params=params or None)

    def data(self, path: str, **params: Any) -> list[dict[str, Any]]:
        response = self.get(path, **params)
        assert response.status_code == httpx.codes.OK, response.text
        return list(response.json()["data"])

    def wait_for(
        self, path: str, condition: Callable[[httpx.Response], bool], within_s: float = 30
    ) -> httpx.Response:
        """Return the first answer of which `condition` holds."""
        response: httpx.Response | None = None

        def holds() -> bool:
            nonlocal response
            try:
                response = self.http.get(path)
            except httpx.TransportError:
                assert self.process.poll() is None, self.log.read_text()
                return False
            return condition(response)

        wait_until(holds, f"{path}, last answer {response and response.text}", within_s)
        assert response is not None
        return response

    def stop(self) -> float:
        """Stop as the supervisor does; return the seconds that took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self.log.read_text()
        return time.monotonic() - began


@contextmanager
def running_api(
    broker: str, database_url: str, ready: bool = True, variables: Mapping[str, str] | None = None
) -> Iterator[ApiProcess]:
    """Start an API and yield it once it is ready, or at least answers; kill it afterwards."""
    port = free_port()
    environment = {
        **os.environ,
        "PAIRSTREAM_BROKERS": broker,
        "PAIRSTREAM_DATABASE_URL": database_url,
        "PAIRSTREAM_API_PORT": str(port),
        "PAIRSTREAM_FETCH_MAX_WAIT_MS": "25",
        "PAIRSTREAM_API_ANALYSIS_IDLE": "1h",  # nobody waits for what nobody asks
        **(variables or {}),
    }
    with tempfile.NamedTemporaryFile(prefix="api-", suffix=".log") as log:
        process = Forked("api", environment, Path(log.name))
        api = ApiProcess(process, f"http://127.0.0.1:{port}", Path(log.name))
        try:
            api.wait_for(
                "/readyz" if ready else "/healthz",
                lambda response: response.status_code == httpx.codes.OK,
                within_s=60,
            )
            yield api
        finally:
            api.http.close()
            process.kill()
            process.wait()


def list_symbols(broker: str, *symbols: str) -> None:
    """Publish that the feed has these symbols and collects them, as ingest does."""
    found = {symbol: Listing(symbol=symbol, venue="binance", state="live") for symbol in symbols}
    asyncio.run(compacted.publish(KafkaSettings(brokers=broker), LISTINGS, found))


def api_alone(**variables: str) -> AbstractContextManager[ApiProcess]:
    """Start an API whose broker and database are away."""
    nowhere = f"127.0.0.1:{free_port()}"
    return running_api(nowhere, f"postgresql://nobody@{nowhere}/nothing", ready=False, variables=variables)


def tick(
    number: int, symbol: str = "BTCUSDT", event_us: int | None = None, price: float | None = None
) -> Tick:
    return builders.tick(
        symbol=symbol,
        trade_id=number,
        event_us=START_US + number * 250_000 if event_us is None else event_us,
        received_us=START_US + number * 250_000 + 1,
        price=100 + number % 13 / 7 if price is None else price,
        size=0.1 + number % 3,
        buyer_is_maker=number % 2 == 0,
    )


def pair_signal(number: int, zscore: float | None = 1.5) -> Signal:
    return builders.signal(
        pair=PAIR,
        event_us=START_US + number * clock.SECOND,
        hedge_ratio=1 / 3,
        intercept=0.25,
        spread=0.5,
        zscore=zscore,
        samples=number,
        reason="=1+1, a formula" if number % 10 == 0 else None,
    )


def alert(number: int, message: str = "z-score above 2", pair: str = PAIR) -> Alert:
    return builders.alert(
        alert_id=f"alert-{number:06}",
        pair=pair,
        event_us=START_US + number // 3 * clock.SECOND,
        state="resolved" if number % 2 else "firing",
        message=message,
    )


def heartbeat(service: str, age_us: int = 0, feed: FeedName | None = None) -> Heartbeat:
    at_us = clock.now_us() - age_us
    return Heartbeat(
        service=service, at_us=at_us, started_us=at_us, state="running", version="0.1.0", feed=feed
    )


def store(url: str, messages: Iterable[Tick | Signal | Alert]) -> None:
    """Have the sink's writer store them, and the bars that follow from the ticks."""
    kinds: dict[str, list[Tick | Signal | Alert]] = {topic.name: [] for topic in (TICKS, ALERTS, SIGNALS)}
    for message in messages:
        kinds[f"{type(message).__name__.lower()}s"].append(message)
    for topic, batch in kinds.items():
        # A cluster of its own each time: nothing here has offsets that must go on from each other.
        asyncio.run(write_all(url, topic, [batch], cluster=uuid.uuid4().hex))
