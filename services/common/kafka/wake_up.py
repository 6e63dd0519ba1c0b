"""Wake-up signals between processes of one machine: producers wake the readers of what they have produced.

The embedded broker holds an empty fetch until its wait is over, whatever is produced meanwhile. So a reader there does
not leave the waiting to the broker: it asks for an answer at once, and puts off the asking until a producer wakes it.
Each reader is a socket in a directory, named after the topics it reads; a datagram to it wakes it, and names the
partitions that have something new. Only these are asked for: the embedded broker searches all that it keeps of each
partition that it is asked for. What nobody has announced is found by a look at all of them now and then: messages of a
producer that wakes nobody, or that died before it could.
"""

import asyncio
import contextlib
import secrets
import socket
import time
import zlib
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

# Interval of fetches of every partition, without a wake-up (s).
LOOK_S = 0.5
_LIST_S = 0.5
# A queue that holds so many words may have been full: Linux keeps eleven for a reader unless told otherwise.
_MANY = 5
_WORD_BYTES = 1 << 16

log = structlog.get_logger()


@lru_cache
def _mark(topic: str) -> str:
    """Return what stands for a topic in a socket's name, which must be short; two may share it and wake each other."""
    return f"{zlib.crc32(topic.encode()) & 0xFFF:03x}"


class Waker:
    """Producer's side of wake-ups: ``wake`` wakes the readers of partitions."""

    def __init__(self, directory: Path | None) -> None:
        """Wake nobody if there is no directory."""
        self._directory = directory
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if directory else None
        if self._socket is not None:
            self._socket.setblocking(False)
        self._readers: list[tuple[str, frozenset[str]]] = []
        self._listed_s = float("-inf")

    def wake(self, places: Collection[TopicPartition]) -> None:
        """Wake the readers of `places`; never waits. One that has not heard the last words yet needs no more."""
        if self._socket is None:
            return
        produced = frozenset(_mark(place.topic) for place in places)
        word = " ".join(f"{topic}/{number}" for topic, number in places).encode()
        for address, read in self._listed():
            if read.isdisjoint(produced):
                continue
            try:
                self._socket.sendto(word, address)
            except (ConnectionRefusedError, FileNotFoundError):
                # The reader was killed; its next run makes a socket of another name.
                self._listed_s = float("-inf")
                with contextlib.suppress(OSError):
                    Path(address).unlink()
            except OSError:
                pass

    def close(self) -> None:
        """Stop waking readers."""
        if self._socket is not None:
            self._socket.close()

    def _listed(self) -> list[tuple[str, frozenset[str]]]:
        now_s = time.monotonic()
        if self._directory is not None and now_s - self._listed_s > _LIST_S:
            self._listed_s = now_s
            try:
                self._readers = [
                    (str(path), frozenset(_marks(path.name.partition(".")[2])))
                    for path in self._directory.iterdir()
                ]
            except OSError:
                self._readers = []
        return self._readers


def _marks(text: str) -> Iterable[str]:
    return (text[place : place + 3] for place in range(0, len(text), 3))


class _Asked:
    """What a broker was asked for during an assignment: when, and from which offsets."""

    def __init__(self, assignment: Any) -> None:
        self.assignment = assignment
        self.offsets: dict[TopicPartition, int] = {}
        self.brought = False
        self.at_s = self.looked_s = float("-inf")

    def has_more(self, place: TopicPartition, offset: int) -> bool:
        """Tell whether there is more, as far as is known: an answer brings one batch of each partition.

        A question that brought nothing is not asked again at once, whatever the end of the partition is said to be:
        it may be that of a transaction that is still open.
        """
        return offset != self.assignment.state_value(place).highwater and (
            self.brought or self.offsets.get(place) != offset
        )


def _offsets(request: Any) -> dict[TopicPartition, int]:
    return {
        TopicPartition(topic, number): offset
        for topic, places in request.topics
        for number, offset, _ in places
    }


def _narrow(request: Any, places: Collection[TopicPartition]) -> None:
    """Leave only `places` in a request."""
    topics = [
        (topic, [one for one in some if TopicPartition(topic, one[0]) in places])
        for topic, some in request.topics
    ]
    request._topics = [(topic, some) for topic, some in topics if some]


class WakeUp:
    """The reader's side: decides when one started consumer of `topics` fetches, on the loop that runs.

    Whatever else changes what is to be fetched (a seek, a rebalance, a pause, messages taken) changes it at once: a
    fetch that is put off does not exist yet.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        directory: Path,
        topics: Iterable[str],
        short_s: Callable[[], float],
        look_s: float = LOOK_S,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`short_s` returns the least time from one fetch to the next, unless the first has not brought everything.

        `look_s` is the interval at which it fetches what nobody has announced.

        Where no socket can be made the reader only looks now and then, and says so in the log.
        """
        self._short_s = short_s
        self._look_s = look_s
        self._seconds = seconds
        self._news: set[TopicPartition] = set()
        """Announced partitions that were not asked for since."""
        self._asked: dict[Any, _Asked] = {}
        self._loop = asyncio.get_running_loop()
        self._path = directory / f"{secrets.token_hex(3)}.{''.join(sorted(map(_mark, topics)))}"
        self._socket: socket.socket | None = _bound(self._path)
        self._fetcher: Any = consumer._fetcher
        self._fetcher._fetch_max_wait_ms = 0
        self._fetch = self._fetcher._proc_fetch_request
        self._fetcher._proc_fetch_request = self._fetch_and_note
        self._plan = self._fetcher._get_actions_per_node
        self._fetcher._get_actions_per_node = self._plan_what_is_due

    def close(self) -> None:
        """Hear nothing any more."""
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None
            self._path.unlink(missing_ok=True)

    def _hear(self) -> None:
        """Make the fetcher plan its requests again; until it has, wake-ups are ignored."""
        assert self._socket is not None
        self._loop.remove_reader(self._socket)
        self._fetcher._notify(self._fetcher._wait_consume_future)

    def _hear_all(self, assignment: Any) -> None:
        """Take every wake-up that has come: a fetch that is sent from now on finds the messages it announced."""
        if self._socket is None:
            return
        words = 0
        with contextlib.suppress(BlockingIOError):
            while word := self._socket.recv(_WORD_BYTES):
                words += 1
                self._news.update(map(_place, word.decode().split()))
        if words >= _MANY:
            self._news.update(assignment.tps)

    def _plan_what_is_due(self, assignment: Any) -> Any:
        """Return what the fetcher plans, without the fetches that can wait, and until when they can."""
        requests, resets, timeout_s, is_stale, resumed = self._plan(assignment)
        if requests:
            self._hear_all(assignment)
        due, now_s = [], self._seconds()
        for node, request in requests:
            asked = self._asked.get(node)
            if asked is None or asked.assignment is not assignment:
                asked = self._asked[node] = _Asked(assignment)
            offsets = _offsets(request)
            news = self._news & offsets.keys()
            more = {place for place, offset in offsets.items() if asked.has_more(place, offset)}
            look_s = asked.looked_s + self._look_s - now_s
            wait_s = 0.0 if more else min(look_s, asked.at_s + self._short_s() - now_s if news else look_s)
            if wait_s > 0:
                timeout_s = min(timeout_s, wait_s)
                if self._socket is not None and not news:
                    self._loop.add_reader(self._socket, self._hear)
                continue
            if look_s > 0:
                offsets = {place: offsets[place] for place in news | more}
                _narrow(request, offsets)
            else:
                asked.looked_s = now_s
            asked.at_s = now_s
            asked.offsets |= offsets
            self._news -= offsets.keys()
            due.append((node, request))
        return due, resets, timeout_s, is_stale, resumed

    async def _fetch_and_note(self, assignment: Any, node: Any, request: Any) -> Any:
        asked = self._asked[node]
        asked.brought = await self._fetch(assignment, node, request)
        return asked.brought


def _place(word: str) -> TopicPartition:
    topic, _, number = word.rpartition("/")
    return TopicPartition(topic, int(number))


def _bound(path: Path) -> socket.socket | None:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    try:
        made.bind(str(path))
    except OSError as error:
        made.close()
        log.warning("producers cannot wake this reader, it polls instead", every_s=LOOK_S, reason=str(error))
        return None
    return made
