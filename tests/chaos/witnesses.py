"""Witnesses of a chaos run: clients of the streams and a reader of the topics."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx
from confluent_kafka import Consumer, TopicPartition
from pairstream_client import Client, ProblemError

from services.common.codec import decode
from services.contracts.messages import Alert, Signal
from services.contracts.topics import ALERTS, SIGNALS
from tests.brokers.kafka import PARTITIONS

_ASK_S = 0.5


class StreamClient(threading.Thread):
    """One that reads a stream as its documentation says: after a snapshot it asks for what it may have missed."""

    def __init__(self, url: str, pairs: list[str], start_us: int) -> None:
        super().__init__(daemon=True)
        self.closes: dict[tuple[str, int], tuple[int, Any]] = {}
        """The revision and z-score that were told last, by pair and second."""
        self.alerts: set[str] = set()
        self.told_s = time.monotonic()
        self.error: Exception | None = None
        self._url = url
        self._pairs = pairs
        self._start_us = start_us

    def run(self) -> None:
        """Read until the end of the process; what goes wrong is kept in ``error``."""
        try:
            with Client(self._url, timeout_s=10) as client:
                self._follow(client)
        except Exception as error:
            self.error = error

    def _follow(self, client: Client) -> None:
        while True:
            with suppress(OSError):  # not there yet
                for message in client.stream(topics=["signals", "alerts"]):
                    self._take(message.get("signals", ()), message.get("alerts", ()))
                    if message["type"] == "snapshot":
                        self._catch_up(client)
            time.sleep(_ASK_S)

    def _catch_up(self, client: Client) -> None:
        for pair in self._pairs:
            known = [at for name, at in self.closes if name == pair]
            # Seconds that were told may be corrected later.
            start = max(known, default=self._start_us) - 40_000_000
            self._take(self._asked(lambda: client.signals(pair, start=start)), ())  # noqa: B023
        self._take((), self._asked(lambda: client.alerts(start=self._start_us)))

    def _asked(self, ask: Any) -> Any:
        while True:
            try:
                return ask()
            except (httpx.HTTPError, ProblemError):
                time.sleep(_ASK_S)

    def _take(self, signals: Any, alerts: Any) -> None:
        for signal in signals:
            if signal.get("closed", True):
                key = signal["pair"], signal["event_us"]
                told = signal.get("revision", 0), signal["zscore"]
                if key not in self.closes or self.closes[key][0] <= told[0]:
                    self.closes[key] = told
                    self.told_s = time.monotonic()
        self.alerts.update(alert["alert_id"] for alert in alerts)


class TopicReader(threading.Thread):
    """Reads signals and alerts as a program does that follows the topics."""

    def __init__(self, servers: str) -> None:
        super().__init__(daemon=True)
        self.closes: dict[tuple[str, int], Signal] = {}
        """The highest revision of each second."""
        self.alerts: dict[str, Alert] = {}
        self.doubled: list[tuple[Signal, Signal]] = []
        """Two of one revision that say different things."""
        self.told_s = time.monotonic()
        self._consumer = Consumer(
            {"bootstrap.servers": servers, "group.id": "witness", "enable.auto.commit": False, "log_level": 0}
        )
        topics = (SIGNALS.name, ALERTS.name)
        self._consumer.assign([TopicPartition(name, n, 0) for name in topics for n in range(PARTITIONS)])

    def run(self) -> None:
        """Read until the end of the process."""
        while True:
            for message in self._consumer.consume(1_000, timeout=0.2):
                if message.error() is not None:
                    continue
                value = message.value() or b""
                if message.topic() == ALERTS.name:
                    alert = decode(value, Alert)
                    self.alerts[alert.alert_id] = alert
                elif (signal := decode(value, Signal)).closed:
                    self._take(signal)

    def _take(self, signal: Signal) -> None:
        key = signal.pair, signal.event_us
        known = self.closes.get(key)
        if known is None or known.revision < signal.revision:
            self.closes[key] = signal
            self.told_s = time.monotonic()
        elif known.revision == signal.revision and known != signal:
            self.doubled.append((known, signal))


def differences(
    name: str, told: Mapping[tuple[str, int], tuple[int, Any]], expected: Mapping[tuple[str, int], Signal]
) -> list[str]:
    """Return what is wrong with the closed seconds that somebody was told, a line for each kind."""
    missing = [key for key in expected if key not in told]
    wrong = [key for key in expected if key in told and told[key][1] != expected[key].zscore]
    false = [key for key in told if key not in expected]
    return [
        f"{name}: {len(keys)} seconds {what}, the first {min(keys)}"
        for what, keys in (("missing", missing), ("wrong", wrong), ("that there are not", false))
        if keys
    ]
