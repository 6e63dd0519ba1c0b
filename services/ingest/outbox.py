"""Hand messages to the broker without waiting for each one, and yet lose none."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import structlog
from aiokafka.errors import KafkaError, KafkaTimeoutError

from services.common.backoff import Backoff
from services.common.errors import FatalError
from services.common.lag import Lag

log = structlog.get_logger()

Send = Callable[..., Awaitable[asyncio.Future[Any]]]


class _Sent(NamedTuple):
    at_s: float
    delivery: asyncio.Future[Any]
    topic: str
    message: dict[str, Any]


class Outbox:
    """Sends through a producer, watches the deliveries, and sends again what the broker did not take.

    A broker that is away for longer than the producer's patience costs time and, for what was on its way
    then, order; never a message. At most `limit` deliveries are outstanding.
    """

    def __init__(
        self,
        send: Send,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        limit: int = 20_000,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`send` is an AIOKafkaProducer's ``send``, `seconds` a monotonic clock."""
        self._seconds = seconds
        self._send = send
        self._sleep = sleep
        self._limit = limit
        self._sent: deque[_Sent] = deque()

    async def send(self, topic: str, **message: Any) -> None:
        """Enqueue a message; waits only while too much is outstanding or the broker is away."""
        await self._collect(leave=self._limit)
        await self._enqueue(topic, message)

    def lag(self) -> Lag:
        """Return how many messages the broker has not taken yet, and since when the oldest waits."""
        waiting = [
            sent.at_s
            for sent in self._sent
            if not sent.delivery.done() or sent.delivery.exception() is not None
        ]
        return Lag(len(waiting), self._seconds() - waiting[0] if waiting else 0.0)

    async def flush(self) -> None:
        """Return when everything has been delivered."""
        await self._collect(leave=0)

    async def _collect(self, leave: int) -> None:
        """Settle deliveries from the oldest on: those that are done, and as many more as exceed `leave`."""
        while self._sent and (len(self._sent) > leave or self._sent[0].delivery.done()):
            sent = self._sent.popleft()
            try:
                await sent.delivery
            except KafkaError as error:
                _require_retriable(error)
                log.warning("not delivered, sending again", topic=sent.topic, reason=_words(error))
                await self._enqueue(sent.topic, sent.message)

    async def _enqueue(self, topic: str, message: dict[str, Any]) -> None:
        delays: Backoff | None = None
        while True:
            try:
                delivery = await self._send(topic, **message)
            except KafkaError as error:
                _require_retriable(error)
                log.warning("the broker takes nothing, trying again", topic=topic, reason=_words(error))
                delays = delays or Backoff()
                await self._sleep(delays.next_s())
            else:
                self._sent.append(_Sent(self._seconds(), delivery, topic, message))
                return


def _require_retriable(error: KafkaError) -> None:
    # aiokafka does not count its own timeout as worth another try.
    if not (error.retriable or isinstance(error, KafkaTimeoutError)):
        raise FatalError(f"expected the broker to take a message, received {_words(error)}") from error


def _words(error: KafkaError) -> str:
    return str(error) or type(error).__name__
