"""Actors of a chaos run: processes and networks that can be killed, ended, paused, cut off and resumed."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import psycopg

from services.local.embedded_database import EmbeddedDatabase
from tests.brokers.kafka import Broker
from tests.soak.proxy import Proxy
from tests.waiting import wait_until


class Service:
    """One process of a service, started again and again with the same environment."""

    def __init__(self, name: str, environment: Mapping[str, str], directory: Path, number: int) -> None:
        self.name = f"{name} {number}"
        self.log = directory / f"{name}-{number}.log"
        self._module = f"services.{name}"
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; what it says is added to its log."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module], env=self._environment, stdout=log, stderr=log
            )

    def end(self, signum: signal.Signals) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(signum)
            self._process.wait(30)

    def send(self, signum: signal.Signals) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(signum)

    def ensure(self) -> bool:
        """Start it again, as a supervisor does, if it has ended by itself; tell whether it had."""
        if has_ended := self._process is not None and self._process.poll() is not None:
            self.start()
        return has_ended


class Kafka:
    """The broker."""

    name = "broker"

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def start(self) -> None:
        """Start it with the storage it had, and return when it listens."""
        self._broker.start()
        wait_until(self._broker.listens, "the broker listens", within_s=60)

    def end(self, signum: signal.Signals) -> None:
        """End it."""
        (self._broker.kill if signum == signal.SIGKILL else self._broker.stop)()

    def send(self, signum: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self._broker.pid, signum)


class Database:
    """The PostgreSQL."""

    name = "database"

    def __init__(self, server: EmbeddedDatabase, log: Path) -> None:
        self._server = server
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return self._server.url("postgres")

    def start(self) -> None:
        """Start it, or start it again, and return when it answers."""
        command = self._server.child.command

        def answers() -> bool:
            # What its predecessor has left in memory goes only when the last of its processes has noticed.
            if self._process is None or self._process.poll() is not None:
                with self._log.open("ab") as log:
                    self._process = subprocess.Popen(
                        [*command.arguments, "--fsync=off"],
                        user=command.user,
                        env=command.environment,
                        stdout=log,
                        stderr=log,
                    )
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                return False
            return True

        wait_until(answers, f"the database answers, see {self._log}", within_s=60)

    def end(self, signum: signal.Signals) -> None:
        """End it: a SIGTERM would wait for its clients."""
        if self._process is not None:
            self._process.send_signal(signum if signum == signal.SIGKILL else signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def send(self, signum: signal.Signals) -> None:
        """Send a signal to the server and to those who serve its clients."""
        assert self._process is not None
        server = psutil.Process(self._process.pid)
        for one in (server, *server.children(recursive=True)):
            one.send_signal(signum)


class Network:
    """The way of the services to the broker, a proxy on a loop of its own."""

    name = "network"

    def __init__(self, broker: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._proxy = Proxy(broker)
        self._ending = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._listen(),))
        self._thread.start()
        self._ready.wait(10)

    @property
    def address(self) -> str:
        """Where services find the broker."""
        return self._proxy.address

    def reset(self, seconds: float) -> None:
        """Cut every connection, and refuse new ones for a while."""
        asyncio.run_coroutine_threadsafe(self._proxy.be_away(seconds), self._loop).result()

    def close(self) -> None:
        """Pass nothing any more."""
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    async def _listen(self) -> None:
        async with self._proxy.listening():
            self._ready.set()
            await self._ending.wait()


Actor = Service | Kafka | Database
Act = Callable[[], None]
