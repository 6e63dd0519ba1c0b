"""Lane of the pairs: a member of the group that shares the partitions of ``signals``."""

import asyncio
import time
from collections.abc import Iterable, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from services.alerting.default_rule import ended
from services.alerting.lane import Lane
from services.alerting.settings import AlertingSettings
from services.alerting.states import States
from services.common import clock
from services.common.codec import decode
from services.common.errors import BadMessageError, TransientError
from services.common.heartbeat import HeartbeatState
from services.common.kafka import clients
from services.common.kafka.alert_configs import Rules
from services.common.kafka.consumer_watchdog import ConsumerWatchdog
from services.common.kafka.lag import Lag, ReadingLag
from services.common.kafka.losses import Losses
from services.common.kafka.pair_configs import PairConfigs
from services.common.kafka.publisher import Publisher, partition_of_key
from services.contracts.messages import Alert, Signal
from services.contracts.topics import SIGNALS
from services.rules.alerts import alert_of
from services.rules.engine import Outcome
from services.rules.observation import of_signal
from services.rules.subject import SavedSubject
from services.store.offsets import PartitionBatch

# A change of rules or pairs waits for it at most.
_IDLE_MS = 250
_ANSWER_S = 3.0
_STALLED_S = 10.0
# How a signal between two closes begins to differ; it is not decoded.
_OPEN = b'"closed":false'

log = structlog.get_logger()


class PairLane(Lane, ConsumerRebalanceListener):  # type: ignore[misc]
    """Takes closed signals, and their corrections, through the rules of pairs."""

    name = "alerting-pairs"

    def __init__(
        self,
        settings: AlertingSettings,
        rules: Rules,
        pairs: PairConfigs,
        publisher: Publisher,
        pulse: HeartbeatState,
        consumer: AIOKafkaConsumer,
    ) -> None:
        """`consumer` is started, a member of the group and not subscribed yet; `pairs` are followed by others."""
        super().__init__(settings, rules, publisher, pulse)
        self._pairs, self._pairs_version = pairs, -1
        self._known_pairs: set[str] = set()
        self._consumer = consumer
        self._is_placed = False
        self._losses = Losses(pulse.outrun)
        self._lag = ReadingLag[PartitionBatch](time.monotonic)
        self._watchdog: ConsumerWatchdog[PartitionBatch] = ConsumerWatchdog(_STALLED_S)
        consumer.subscribe([SIGNALS.name], listener=self)

    @property
    def is_placed(self) -> bool:
        """Tell whether positions are those of what is stored."""
        return self._is_placed

    @property
    def leads(self) -> bool:
        """Tell whether it has the first partition: of all members one has, and looks after the services, too."""
        return self._is_placed and PartitionBatch(SIGNALS.name, 0) in self.read

    def leave(self) -> None:
        """Forget the place."""
        self._is_placed = False

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Stop trusting the positions."""
        self._is_placed = False

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Ask to be placed."""
        self._is_placed = False

    async def place(self, states: States) -> list[Outcome]:
        """Load the states of the pairs of this process's partitions, and go to where they end."""
        await self._pairs.loaded.wait()
        self._is_placed = True
        stored = await states.offsets()
        assigned = self._consumer.assignment()
        earliest = await self._consumer.beginning_offsets(assigned)
        latest = await self._consumer.end_offsets(assigned)
        self.read = {}
        for place in assigned:
            partition, first = PartitionBatch(*place), earliest[place]
            offset = self._losses.resume(place, stored.get(partition, first), first, latest[place])
            self._consumer.seek(place, offset)
            self.read[partition] = offset
        outcomes: list[Outcome] = []
        for name, saved in (await states.load(["pair"], SavedSubject)).items():
            if self._is_ours(name[1]):
                outcomes += self.engine.restore(name, saved)
        self._pairs_version = -1
        self._known_pairs = {name for _, name in self.engine.subjects}
        return outcomes

    async def step(self, states: States) -> list[Alert]:
        """Take the signals that have come."""
        if not self.read:
            await asyncio.sleep(_IDLE_MS / 1000)
        alerts = await self._without_pairs(states)
        received = await self._consumer.getmany(timeout_ms=_IDLE_MS)
        for place, records in received.items():
            if not self._is_placed:
                return []
            partition = PartitionBatch(*place)
            if records[0].offset < self.read.get(partition, records[0].offset + 1):
                self.leave()
                return []
            await self._losses.passed(
                place, self.read[partition], records[0].offset, self._consumer.beginning_offsets
            )
            alerts += map(alert_of, self._take(records))
            self.read[partition] = records[-1].offset + 1
            self._lag.took(partition, clock.now_us() / clock.SECOND - records[-1].timestamp / 1000)
        return alerts

    async def commit(self) -> None:
        """Commit to the group: a hint for lag monitors."""
        try:
            await self._consumer.commit({TopicPartition(*one): offset for one, offset in self.read.items()})
        except KafkaError as error:
            log.info("the group did not take the offsets", error=repr(error))

    async def lag(self) -> Lag:
        """Return how much of the partitions is not read; TransientError if messages come and none is read."""
        if not self._is_placed or not self.read:
            return Lag()
        read = dict(self.read)
        try:
            async with asyncio.timeout(_ANSWER_S):
                found = await clients.ends(self._consumer, [TopicPartition(*one) for one in read])
        except (KafkaError, TimeoutError):
            self.problem = "the broker does not answer"
            return Lag()
        ends = {PartitionBatch(*place): end for place, end in found.items()}
        if self.problem is None and (complaint := self._watchdog.measure(time.monotonic(), read, ends)):
            raise TransientError(complaint)
        return self._lag.measure(read, ends)

    def _take(self, records: Sequence[ConsumerRecord]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for record in records:
            # The sink puts aside what cannot be read.
            if record.value is None or _OPEN in record.value:
                continue
            try:
                signal = decode(record.value, Signal)
            except BadMessageError:
                self.counters["bad_messages"] += 1
                continue
            if signal.closed:
                self.counters["signals"] += 1
                outcomes += self.engine.observe("pair", signal.pair, of_signal(signal))
        return outcomes

    async def _without_pairs(self, states: States) -> list[Alert]:
        """Return what ends because pairs were removed."""
        if self._pairs.version == self._pairs_version:
            return []
        self._pairs_version = self._pairs.version
        gone = self._known_pairs - self._pairs.by_name.keys()
        self._known_pairs = set(self._pairs.by_name)
        alerts = [
            alert_of(one)
            for name in sorted(gone)
            if self._is_ours(name)
            for one in self.engine.remove("pair", name, "the pair was removed")
        ]
        removed = [name for name in self._pairs.removed if self._is_ours(name)]
        return alerts + await ended(states, removed)

    def _is_ours(self, pair: str) -> bool:
        numbers = sorted(self._consumer.partitions_for_topic(SIGNALS.name) or ())
        return (
            bool(numbers)
            and PartitionBatch(SIGNALS.name, partition_of_key(pair.encode(), numbers)) in self.read
        )
