"""Acknowledge events in order, and only once nothing in memory depends on them."""

from collections import deque
from collections.abc import Callable
from typing import Protocol


class Acknowledged(Protocol):
    """What we need of a Faust event."""

    def ack(self) -> bool:
        """Let the offset be committed."""


class InOrder:
    """Hold the events of one partition until the seconds they belong to are closed and stored.

    Faust can commit past an event that is not done when others behind it are acknowledged first, so an event
    waits for all before it.
    """

    def __init__(self) -> None:
        self._held: deque[tuple[Acknowledged, Callable[[], bool]]] = deque()

    def hold(self, event: Acknowledged, is_done: Callable[[], bool]) -> None:
        """Keep `event` until `is_done`; acknowledge whatever is done from the front."""
        self._held.append((event, is_done))
        while self._held and self._held[0][1]():
            self._held.popleft()[0].ack()

    def __len__(self) -> int:
        return len(self._held)
