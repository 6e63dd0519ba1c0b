"""Back-pressure: topics that are not fetched while their reader, or the topic it writes to, is behind."""

import asyncio
from collections.abc import Callable
from typing import Any

from services.contracts.topics import ALERTS, LEG_TRADES, SIGNALS, TICKS, TIME_MARKS, Topic

# Bundles of a topic that wait for its agent, and batches of trades that wait for the broker.
_MOST_WAITING = 4
_MOST_IN_FLIGHT = 16


class BackPressure:
    """Looks at the agents' queues and at the room there is on the topics that they write to."""

    def __init__(self, has_room: Callable[[Topic], bool], in_flight: Callable[[], int]) -> None:
        """`in_flight` counts the batches of trades that the broker does not have yet."""
        self._has_room = has_room
        self._in_flight = in_flight
        self._queues: dict[str, asyncio.Queue[Any]] = {}

    def watch(self, topic: Topic, queue: "asyncio.Queue[Any]") -> None:
        """Take the queue of the agent that reads `topic`."""
        self._queues[topic.name] = queue

    def held(self) -> set[str]:
        """Return the names of the topics."""
        return self.blocked() | {
            name for name, queue in self._queues.items() if queue.qsize() > _MOST_WAITING
        }

    def blocked(self) -> set[str]:
        """Return the topics whose output topic is full: reading none of them is no stall."""
        blocked = set()
        if self._in_flight() > _MOST_IN_FLIGHT or not self._has_room(LEG_TRADES):
            blocked |= {TICKS.name, TIME_MARKS.name}
        if not (self._has_room(SIGNALS) and self._has_room(ALERTS)):
            blocked.add(LEG_TRADES.name)
        return blocked
