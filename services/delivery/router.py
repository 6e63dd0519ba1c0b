"""Router: reads every alert, and makes deliveries of what is due; one process of all routes, the others wait.

Nothing is sent before it is stored with the offsets it came of, so a crash repeats no decision and loses none.
"""

import asyncio
import time
from collections.abc import Callable, Collection

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from services.common import clock
from services.common.backoff import Backoff
from services.common.cancellation import checkpoint, pause
from services.common.codec import decode
from services.common.errors import AwayError, BadMessageError, TransientError, reason_of
from services.common.heartbeat import HeartbeatState
from services.common.kafka import clients
from services.common.kafka.lag import Lag, ReadingLag
from services.common.kafka.losses import Losses
from services.contracts.messages import Alert
from services.delivery.desk import Desk
from services.delivery.disabled_targets import Send
from services.delivery.routing_store import RoutingStore
from services.delivery.settings import DeliverySettings
from services.rules.built_in import effective
from services.rules.routing import TAKEN_KEPT, key_of
from services.store import database
from services.store.offsets import PartitionBatch
from services.store.targets import StoredTarget

_IDLE_MS = 250
_LOOK_EVERY_S = 1.0
_RULES_EVERY_S = 5.0
_ANSWER_S = 3.0

log = structlog.get_logger()


class Router:
    """Routes while it leads; `targets` are those of a second ago, whether it leads or not."""

    def __init__(
        self,
        settings: DeliverySettings,
        pulse: HeartbeatState,
        consumer: AIOKafkaConsumer,
        made: Callable[[Collection[str]], None],
        send: Send,
    ) -> None:
        """`consumer` has every partition assigned; `made` is told to which targets there is something to be sent.

        `send` publishes alerts of delivery's own, and returns once the broker has them.
        """
        self.targets: dict[str, StoredTarget] = {}
        self.problem: str | None = None
        self.is_placed = False
        self._settings = settings
        self._counters = pulse.counters
        self._consumer = consumer
        self._made = made
        self._send = send
        self._desk = Desk()
        self._read: dict[PartitionBatch, int] = {}
        self._unsaved = False
        self._looked_s = self._rules_s = self._saved_s = 0.0
        self._losses = Losses(pulse.outrun)
        self._lag = ReadingLag[PartitionBatch](time.monotonic)

    async def run(self) -> None:
        """Route until cancelled; whatever a server does, begin again from what is stored."""
        backoff = Backoff(cap_s=2)
        while True:
            try:
                await self._serve(backoff)
            except (TransientError, KafkaError) as error:
                delay = backoff.next_s()
                self.problem = error.told if isinstance(error, AwayError) else reason_of(error)
                log.warning("waiting", error=reason_of(error), retry_in_s=round(delay, 2))
                await asyncio.sleep(delay)

    async def lag(self) -> Lag:
        """Return how much of the partitions is not read, nothing while another process reads."""
        if not self.is_placed:
            return Lag()
        read = dict(self._read)
        try:
            async with asyncio.timeout(_ANSWER_S):
                found = await clients.ends(self._consumer, [TopicPartition(*one) for one in read])
        except (KafkaError, TimeoutError):
            self.problem = "the broker does not answer"
            return Lag()
        return self._lag.measure(read, {PartitionBatch(*place): end for place, end in found.items()})

    async def _serve(self, backoff: Backoff) -> None:
        self.is_placed = False
        self._consumer.pause(*self._consumer.assignment())
        async with database.connect(self._settings, "pairstream-delivery", prepare_threshold=2) as connection:
            store = RoutingStore(connection, await clients.cluster_id(self._settings))
            await store.prepare()
            while not await store.lead():
                self.targets = await store.targets()
                self.problem = None
                await pause(_LOOK_EVERY_S)
            await self._place(store)
            self.problem = None
            backoff.reset()
            while True:
                checkpoint()
                await self._step(store)

    async def _place(self, store: RoutingStore) -> None:
        """Go to where what is stored ends; a topic that was never read is read from its beginning."""
        self._desk, self._unsaved = Desk(), False
        self._looked_s = self._rules_s = 0.0
        stored = await store.offsets()
        places = self._consumer.assignment()
        earliest = await self._consumer.beginning_offsets(places)
        latest = await self._consumer.end_offsets(places)
        self._read = {}
        for place in places:
            partition, first = PartitionBatch(*place), earliest[place]
            offset = self._losses.resume(place, stored.get(partition, first), first, latest[place])
            self._consumer.seek(place, offset)
            self._read[partition] = offset
        self._consumer.resume(*self._consumer.paused())
        self.is_placed = True

    async def _step(self, store: RoutingStore) -> None:
        """Take what has come, and make deliveries of what is due; once a second look at all that is open."""
        received = await self._consumer.getmany(timeout_ms=_IDLE_MS)
        is_time = time.monotonic() - self._looked_s >= _LOOK_EVERY_S
        if is_time:
            await self._refresh(store)
        now_us = clock.now_us()
        keys: set[str] = set()
        for place, records in received.items():
            partition = PartitionBatch(*place)
            await self._losses.passed(
                place, self._read[partition], records[0].offset, self._consumer.beginning_offsets
            )
            for record in records:
                if (alert := self._alert(record)) is not None:
                    self._desk.take(alert, now_us)
                    keys.add(key_of(alert))
            self._read[partition] = records[-1].offset + 1
            self._unsaved = True
            self._lag.took(partition, now_us / clock.SECOND - records[-1].timestamp / 1000)
        self._desk.look(now_us, None if is_time else keys)
        await self._save(store)

    async def _refresh(self, store: RoutingStore) -> None:
        """Look at targets, and if there are some at rules, at silences, and at what people did about alerts."""
        self._looked_s = time.monotonic()
        found = await store.targets()
        takers = {name for name, one in found.items() if one.takes}
        for name in self._desk.ids - takers:
            self._desk.remove(name)
        for name in takers:
            is_new = name not in self._desk.ids
            incidents = await store.incidents(name) if is_new else {}
            taken = await store.known_alerts(name, TAKEN_KEPT) if is_new else {}
            self._desk.put(found[name].target, incidents, taken)
        self.targets = found
        await store.tell_disabled(self._send)
        if not takers:
            return
        if self._looked_s - self._rules_s >= _RULES_EVERY_S:
            self._rules_s = self._looked_s
            self._desk.rules = effective(await store.rules())
        self._desk.silences = await store.silences()
        if repeated := self._desk.repeated():
            self._desk.handle(await store.handled(repeated))

    async def _save(self, store: RoutingStore) -> None:
        """Store at once what is told or has changed, now and then how far it is read; then have it sent."""
        changed, told = self._desk.taken()
        now_s = time.monotonic()
        is_due = self._unsaved and now_s - self._saved_s >= _LOOK_EVERY_S
        if not changed and not told and not is_due:
            return
        self._saved_s, self._unsaved = now_s, False
        await store.save(self._read, changed, told)
        self._counters["deliveries"] += sum(one.reason is None for one in told)
        self._counters["skipped"] += sum(one.reason is not None for one in told)
        if told:
            self._made({one.target_id for one in told if one.reason is None})
        try:
            await self._consumer.commit({TopicPartition(*one): offset for one, offset in self._read.items()})
        except KafkaError as error:
            log.info("the group did not take the offsets", error=repr(error))

    def _alert(self, record: ConsumerRecord) -> Alert | None:
        """Return the alert of a message; the sink puts aside what cannot be read."""
        if record.value is None:
            return None
        self._counters["alerts"] += 1
        try:
            return decode(record.value, Alert)
        except BadMessageError:
            self._counters["bad_messages"] += 1
            return None
