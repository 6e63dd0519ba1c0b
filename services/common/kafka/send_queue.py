"""Send queue: the batches of each partition, in order, and for how long each is filled."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from aiokafka import TopicPartition

LINGER_S = 0.0
_BUSY_LINGER_S = 0.02
_BUSY_MESSAGES_S = 200
_LOOK_S = 0.1


class SendBatch:
    """Messages that go in one piece."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.append = builder.append
        self.size = 0
        self.can_wait = True
        """True if no reader need know of it at once."""
        loop = asyncio.get_running_loop()
        self.begun_s = loop.time()
        self.delivered: asyncio.Future[None] = loop.create_future()


class SendQueue:
    """Send queue of one topic: full or due batches, and the senders that wait for room."""

    def __init__(self) -> None:
        self.bytes = 0
        self.shrunk = asyncio.Event()


class PartitionQueue:
    """One partition: the batch being filled, those that wait, and who sends them."""

    def __init__(self, place: TopicPartition, topic_queue: SendQueue) -> None:
        self.place = place
        self.topic_queue = topic_queue
        self.open: SendBatch | None = None
        self.closed: deque[SendBatch] = deque()
        self.is_due = False
        self.sending: asyncio.Task[None] | None = None

    def batches(self) -> list[SendBatch]:
        """Return what the broker does not have yet, the oldest first."""
        return [*self.closed, *([self.open] if self.open else [])]

    def close(self) -> None:
        """Close the open batch, if there is one, to further messages."""
        if self.open is not None:
            self.open.builder.close()
            self.open.size = self.open.builder.size()
            self.topic_queue.bytes += self.open.size
            self.closed.append(self.open)
        self.open, self.is_due = None, False


class Linger:
    """Linger time of a message: a moment, and longer while many messages come.

    Then batches cost the broker and every reader more than messages do.
    """

    def __init__(self, time: Callable[[], float]) -> None:
        """`time` is a monotonic clock, in seconds."""
        self.seconds = LINGER_S
        self._time = time
        self._messages, self._since_s = 0, time()

    def sent(self, messages: int) -> None:
        """Note messages that were sent."""
        self._messages += messages
        now_s = self._time()
        if (passed_s := now_s - self._since_s) > _LOOK_S:
            self.seconds = _BUSY_LINGER_S if self._messages > _BUSY_MESSAGES_S * passed_s else LINGER_S
            self._messages, self._since_s = 0, now_s
