"""Hearing, the reader's side of wake-ups: what producers have said, and whether that was all."""

import asyncio
import contextlib
import secrets
import selectors
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import structlog

from services.common.kafka.waker import LATER
from services.common.kafka.words import GOODBYE, News, mark, taken

_CALLERS = 16
_READ_BYTES = 1 << 18

log = structlog.get_logger()


class Hearing:
    """A socket in a directory, named after the topics of its reader, and the producers that are connected to it.

    What they say waits in their connections until it is wanted; one whose connection is full cuts it off.
    """

    def __init__(self, directory: Path, topics: Iterable[str], can_wait: bool) -> None:
        """With `can_wait` it need not know at once of what can wait; where no socket can be made nothing is heard."""
        self._loop = asyncio.get_running_loop()
        end = f".{LATER}" if can_wait else ""
        self._path = directory / f"{secrets.token_hex(3)}.{''.join(sorted(map(mark, topics)))}{end}"
        self._selector = selectors.DefaultSelector()
        self._door: socket.socket | None = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._door.setblocking(False)
        try:
            self._door.bind(str(self._path))
            self._door.listen(_CALLERS)
        except OSError as error:
            log.warning("producers cannot wake this reader, it polls instead", reason=str(error))
            self.close()
        else:
            self._selector.register(self._door, selectors.EVENT_READ)

    def close(self) -> None:
        """Hear nothing any more."""
        if self._door is None:
            return
        self._loop.remove_reader(self._selector.fileno())
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()
        self._door.close()
        self._door = None
        self._path.unlink(missing_ok=True)

    def call(self, once: Callable[[], None]) -> None:
        """Call `once` when something is said, one time."""
        if self._door is not None:
            self._loop.add_reader(self._selector.fileno(), self._hear, once)

    def _hear(self, once: Callable[[], None]) -> None:
        self._loop.remove_reader(self._selector.fileno())
        once()

    def listen(self) -> tuple[list[News], bool]:
        """Return what was said, and whether that was all: somebody may have been cut off, or killed."""
        news: list[News] = []
        was_all = True
        ready = self._selector.select(0) if self._door is not None else []
        callers = [(key.fileobj, key.data) for key, _ in ready if key.fileobj is not self._door]
        if len(callers) < len(ready):
            callers += self._admitted()
        for caller, heard in callers:
            is_there = self._hear_out(caller, heard)
            news += taken(heard)
            was_all &= is_there or heard == GOODBYE
        return news, was_all

    def _admitted(self) -> list[tuple[Any, bytearray]]:
        """Return the producers that have come."""
        assert self._door is not None
        callers: list[tuple[Any, bytearray]] = []
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._door.accept()
                caller.setblocking(False)
                callers.append((caller, bytearray()))
                self._selector.register(caller, selectors.EVENT_READ, callers[-1][1])
        return callers

    def _hear_out(self, caller: Any, heard: bytearray) -> bool:
        """Add to what was heard of a producer, and tell whether it is still there."""
        try:
            while said := caller.recv(_READ_BYTES):
                heard += said
        except BlockingIOError:
            return True
        except OSError:
            pass
        self._selector.unregister(caller)
        caller.close()
        return False
