"""Wake-up signals between processes of one machine: producers wake the readers of what they have produced.

The embedded broker holds an empty fetch until its wait is over, whatever is produced meanwhile. So a reader there does
not leave the waiting to the broker: it waits itself until a producer wakes it, and then fetches without a wait. Each
reader is a socket in a directory, named after the topics it reads; a datagram to it wakes it. Messages of producers
that wake nobody are found by a look now and then, and by frequent looks for a while once one has been found so.
"""

import asyncio
import contextlib
import itertools
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

# How often to look when nobody says anything, and for how long often after something came unannounced.
IDLE_S = 0.1
UNANNOUNCED_S = 1.0
_LIST_S = 0.5

_numbers = itertools.count()


class Waker:
    """The producer's side: ``wake`` whoever reads some topics."""

    def __init__(self, directory: Path | None) -> None:
        """Without a directory there is nobody to wake."""
        self._directory = directory
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if directory else None
        if self._socket is not None:
            self._socket.setblocking(False)
        self._readers: list[tuple[str, frozenset[str]]] = []
        self._listed_s = float("-inf")

    def wake(self, topics: Iterable[str]) -> None:
        """Wake the readers of `topics`; never waits. One that is awake already needs no second word."""
        if self._socket is None:
            return
        produced = frozenset(topics)
        for address, read in self._listed():
            if read.isdisjoint(produced):
                continue
            try:
                self._socket.sendto(b"1", address)
            except (ConnectionRefusedError, FileNotFoundError):
                # It was killed; the next one makes a socket of its own.
                Path(address).unlink(missing_ok=True)
                self._listed_s = float("-inf")
            except OSError:
                pass

    def close(self) -> None:
        """Wake nobody any more."""
        if self._socket is not None:
            self._socket.close()

    def _listed(self) -> list[tuple[str, frozenset[str]]]:
        now_s = time.monotonic()
        if self._directory is not None and now_s - self._listed_s > _LIST_S:
            self._listed_s = now_s
            with contextlib.suppress(OSError):
                self._readers = [
                    (entry.path, frozenset(entry.name.partition(".")[2].split("+")))
                    for entry in os.scandir(self._directory)
                ]
        return self._readers


class WakeUp:
    """The reader's side: gates the fetches of one started consumer of `topics`, on the loop that runs."""

    def __init__(
        self, consumer: AIOKafkaConsumer, directory: Path, topics: Iterable[str], short_s: float
    ) -> None:
        """`short_s` is the wait between two looks while unannounced messages come."""
        self._fetcher: Any = consumer._fetcher
        self._short_s = short_s
        self._woken = asyncio.Event()
        self._often_until_s = 0.0
        name = f"{os.getpid()}-{next(_numbers)}.{'+'.join(sorted(topics))}"
        self._path = directory / name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(self._path))
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._hear)
        self._fetch = self._fetcher._proc_fetch_request
        self._fetcher._proc_fetch_request = self._wait_and_fetch
        self._fetcher._fetch_max_wait_ms = 0

    def close(self) -> None:
        """Hear nothing any more."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def wake(self) -> None:
        """End the wait: what is to be fetched has changed."""
        self._woken.set()

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(1):
                self._woken.set()

    async def _wait_and_fetch(self, assignment: Any, node_id: Any, request: Any) -> Any:
        try:
            was_said = await self._wait(assignment, request)
        except asyncio.CancelledError:
            return False
        self._woken.clear()
        found = await self._fetch(assignment, node_id, request)
        if found and not was_said:
            self._often_until_s = time.monotonic() + UNANNOUNCED_S
        return found

    async def _wait(self, assignment: Any, request: Any) -> bool:
        """Return when it is time to fetch, and whether there is said to be something."""
        if self._woken.is_set() or _is_more(assignment, request):
            return True
        often = time.monotonic() < self._often_until_s
        try:
            async with asyncio.timeout(self._short_s if often else IDLE_S):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True


def _is_more(assignment: Any, request: Any) -> bool:
    """Tell whether the last answer has not brought everything: of each partition it brings one batch."""
    return any(
        offset != assignment.state_value(TopicPartition(topic, partition)).highwater
        for topic, partitions in request.topics
        for partition, offset, _ in partitions
    )
