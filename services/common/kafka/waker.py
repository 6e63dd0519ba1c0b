"""Waker, the producer's side of wake-ups: tells each reader of a directory what was produced for it."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from services.common.kafka.words import GOODBYE, News, mark, marks, packed

LATER = "later"
"""The end of the socket's name of a reader that need not know at once of what can wait."""
_LIST_S = 0.5
# After this time, or so much of it, what can wait is told with what comes next.
_WAITING_S = 0.25
_MOST_WAITING_BYTES = 1 << 15


class _Listener:
    """One reader, as a producer sees it."""

    def __init__(self, path: Path) -> None:
        _, text, *more = path.name.split(".")
        self.path = path
        self.read = frozenset(marks(text))
        self._can_wait = LATER in more
        self._waiting = bytearray()
        self._since_s = 0.0
        self._socket: socket.socket | None = None

    def tell(self, news: Sequence[News]) -> bool:
        """Tell it, without waiting; return False if it is no more.

        One that does not listen is cut off instead, and asks the broker for all that it may have missed.
        """
        now_s = time.monotonic()
        if not self._waiting:
            self._since_s = now_s
        self._waiting += packed(news)
        is_little = now_s - self._since_s < _WAITING_S and len(self._waiting) < _MOST_WAITING_BYTES
        if self._can_wait and is_little and all(one.can_wait for one in news):
            return True
        word, self._waiting = self._waiting, bytearray()
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._socket.setblocking(False)
                self._socket.connect(str(self.path))
            if self._socket.send(word) < len(word):
                self._cut_off()
        except (ConnectionRefusedError, FileNotFoundError):
            # It was killed; its next run makes a socket of another name.
            self._cut_off()
            with contextlib.suppress(OSError):
                self.path.unlink()
            return False
        except OSError:
            self._cut_off()
        return True

    def close(self) -> None:
        """Tell it the last, and that it is."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.send(self._waiting + GOODBYE)
            self._cut_off()

    def _cut_off(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Waker:
    """``wake`` tells the readers of partitions what was produced."""

    def __init__(self, directory: Path | None) -> None:
        """Tell nobody if there is no directory."""
        self._directory = directory
        self._listeners: dict[str, _Listener] = {}
        self._listed_s = float("-inf")
        self._news: list[News] = []

    def wake_soon(self, news: News) -> None:
        """Tell the readers of `news`, once for all that comes in this turn of the loop."""
        if not self._news:
            asyncio.get_running_loop().call_soon(self._wake_all)
        self._news.append(news)

    def _wake_all(self) -> None:
        news, self._news = self._news, []
        self.wake(news)

    def wake(self, news: Collection[News]) -> None:
        """Tell the readers of `news`; never waits."""
        if self._directory is None:
            return
        self._list(self._directory)
        produced = {mark(one.place.topic) for one in news}
        for name, listener in list(self._listeners.items()):
            if listener.read.isdisjoint(produced):
                continue
            if not listener.tell([one for one in news if mark(one.place.topic) in listener.read]):
                del self._listeners[name]

    def close(self) -> None:
        """Stop telling readers."""
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()

    def _list(self, directory: Path) -> None:
        now_s = time.monotonic()
        if now_s - self._listed_s <= _LIST_S:
            return
        self._listed_s = now_s
        try:
            found = {path.name: path for path in directory.iterdir()}
        except OSError:
            found = {}
        for name in self._listeners.keys() - found.keys():
            self._listeners.pop(name).close()
        for name in found.keys() - self._listeners.keys():
            self._listeners[name] = _Listener(found[name])
