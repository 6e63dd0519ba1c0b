"""Sender: takes deliveries that are due, has workers send them, and notes what became of each.

What is under way belongs to this process by a lease, so a crash between a send and its note sends again, under the
same id.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import structlog

from services.common.backoff import Backoff
from services.common.cancellation import checkpoint, end
from services.common.errors import AwayError, TransientError, reason_of
from services.common.heartbeat import HeartbeatState
from services.contracts.targets import Target
from services.delivery import schedule
from services.delivery.channels.answer import Answer
from services.delivery.channels.registry import Channels
from services.delivery.routing_store import errors
from services.delivery.settings import DeliverySettings
from services.store import database, deliveries
from services.store.database import Connection
from services.store.deliveries import Outcome, TakenDelivery
from services.store.targets import StoredTarget

COUNTERS = ("delivered", "failed", "dead", "disabled_targets")
_LOOK_EVERY_S = 1.0

log = structlog.get_logger()


class _Sent(NamedTuple):
    """A try that has ended, and is still to be noted."""

    target: Target
    taken: TakenDelivery
    answer: Answer
    took_ms: int


class Sender:
    """Sends while there are targets; without any it holds no connection."""

    def __init__(
        self,
        settings: DeliverySettings,
        pulse: HeartbeatState,
        targets: Callable[[], Mapping[str, StoredTarget]],
        channels: Channels | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`targets` are those of now."""
        self.problem: str | None = None
        self._settings = settings
        self._counters = pulse.counters
        self._targets = targets
        self._channels = channels or Channels(settings)
        self._jitter = jitter
        self._due: set[str] = set()
        self._news = asyncio.Event()
        self._sending: dict[asyncio.Task[None], str] = {}
        self._sent: list[_Sent] = []
        self._failing: set[str] = set()
        """Targets that have failed, here or by what is stored, and have taken nothing since."""
        self._looked_s = 0.0

    def send(self, target_ids: Collection[str]) -> None:
        """Look at once at what is to be sent to these targets."""
        self._due.update(target_ids)
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled; what was under way by then is sent again later."""
        backoff = Backoff(cap_s=2)
        try:
            while True:
                try:
                    await self._serve(backoff)
                except TransientError as error:
                    delay = backoff.next_s()
                    self.problem = error.told if isinstance(error, AwayError) else reason_of(error)
                    log.warning("waiting", error=reason_of(error), retry_in_s=round(delay, 2))
                    await asyncio.sleep(delay)
        finally:
            await end(*self._sending)
            await self._channels.close()

    async def _serve(self, backoff: Backoff) -> None:
        while not self._targets() and not self._sent:
            self.problem = None
            await self._wait()
        async with database.connect(
            self._settings, "pairstream-delivery-sender", prepare_threshold=2
        ) as connection:
            async with errors():
                # What a failed server forgets of this is sent again, under the same ids.
                await connection.execute("SET synchronous_commit = off")
            self._looked_s = 0.0
            while self._targets() or self._sent or self._sending:
                checkpoint()
                async with errors():
                    await self._note(connection)
                    await self._take(connection)
                self.problem = None
                backoff.reset()
                await self._wait()

    async def _wait(self) -> None:
        """Return when there is something to do, or after a second."""
        try:
            async with asyncio.timeout(_LOOK_EVERY_S):
                await self._news.wait()
        except TimeoutError:
            pass
        self._news.clear()

    async def _take(self, connection: Connection) -> None:
        """Take what is due, as far as workers are free; of one target a quarter of them at most."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now_s
            self._failing |= {name for name, one in self._targets().items() if one.is_failing}
            self._due |= {
                name for name, wait_s in (await deliveries.due_in_s(connection)).items() if wait_s <= 0
            }
        each = max(1, self._settings.delivery_workers // 4)
        under_way = Counter(self._sending.values())
        for name in sorted(self._due, key=lambda one: under_way[one]):
            if (stored := self._targets().get(name)) is None:
                self._due.discard(name)
                continue
            free = min(each - under_way[name], self._settings.delivery_workers - len(self._sending))
            if free <= 0:
                continue
            taken = await deliveries.take(connection, name, stored.target.per_minute or 1, free)
            if len(taken) < free:
                self._due.discard(name)
            for one in taken:
                task = asyncio.create_task(self._send(stored, one), name=f"delivery to {name}")
                self._sending[task] = name
                task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._due.add(self._sending.pop(task))
        self._news.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a delivery has failed in a way that nobody knows", exc_info=error)

    async def _send(self, stored: StoredTarget, taken: TakenDelivery) -> None:
        began_s = time.monotonic()
        limit_s = self._settings.delivery_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                answer = await self._channels.send(stored, taken)
        except TimeoutError:
            answer = Answer(f"expected an answer within {limit_s:g} s, received none")
        took_ms = round((time.monotonic() - began_s) * 1000)
        self._sent.append(_Sent(stored.target, taken, answer, took_ms))

    async def _note(self, connection: Connection) -> None:
        """Note what became of the tries that have ended; what cannot be noted stays for the next time."""
        sent = list(self._sent)
        tried = [(one.taken, outcome_of(one.taken, one.answer, one.took_ms, self._jitter())) for one in sent]
        noted = await deliveries.finish(connection, tried)
        well = {one.target.id for one in sent if one.answer.problem is None}
        for target in well & self._failing:
            await deliveries.note_success(connection, target)
            self._failing.discard(target)
        for one in sent:
            if one.answer.problem is not None:
                await self._note_failure(connection, one, one.answer.problem)
        for taken, outcome in tried:
            self._counters[outcome.state] += taken.delivery_id in noted
        del self._sent[: len(sent)]

    async def _note_failure(self, connection: Connection, sent: _Sent, problem: str) -> None:
        target, taken, answer = sent.target.id, sent.taken, sent.answer
        log.warning(
            "not delivered", target=target, delivery=taken.delivery_id, tries=taken.tries, reason=problem
        )
        # A test says nothing of how long a target has failed.
        if taken.kind == "test" and not answer.is_gone:
            return
        self._failing.add(target)
        failing_s = await deliveries.note_failure(connection, target, schedule.pause_s(answer.retry_after_s))
        reason = None
        if answer.is_gone:
            reason = "the receiver answered 410 Gone"
        elif failing_s >= self._settings.delivery_disable_after.total_seconds():
            reason = f"nothing was taken for {failing_s / 86_400:.1f} days: {problem}"
        if reason is not None and await deliveries.disable(connection, target, reason):
            self._counters["disabled_targets"] += 1
            log.error("a target is disabled", target=target, reason=reason)


def outcome_of(taken: TakenDelivery, answer: Answer, took_ms: int, jitter: float) -> Outcome:
    """Return what becomes of a delivery after a try; a test is tried once."""
    if answer.problem is None:
        return Outcome("delivered", None, answer.status, took_ms)
    wait_s = None
    if taken.kind != "test" and not answer.is_gone:
        wait_s = schedule.next_s(taken.tries, answer.retry_after_s, jitter)
    return Outcome("dead" if wait_s is None else "failed", answer.problem, answer.status, took_ms, wait_s)
