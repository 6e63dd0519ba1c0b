"""Lane of the tape, the services and the radars: one process of all reads every partition of their topics."""

from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer
from msgspec import Struct

from services.alerting.lane import Lane
from services.alerting.settings import AlertingSettings
from services.alerting.states import States
from services.common.cancellation import pause
from services.common.codec import decode
from services.common.errors import BadMessageError, TransientError
from services.common.heartbeat import HeartbeatState
from services.common.kafka.alert_configs import Rules
from services.common.kafka.losses import Losses
from services.common.kafka.publisher import Publisher
from services.contracts.messages import Alert, Heartbeat, RadarEvent, TapeEvent
from services.contracts.topics import HEARTBEATS, RADAR, TAPE_EVENTS
from services.rules.alerts import alert_of
from services.rules.board import Board
from services.rules.engine import Name, Outcome
from services.rules.subject import SavedSubject
from services.store.offsets import PartitionBatch

_IDLE_MS = 250
TOPICS = (HEARTBEATS, TAPE_EVENTS, RADAR)
_BOARD: Name = ("board", "board")  # type: ignore[assignment]  # no subject: what they are made of


class HealthLane(Lane):
    """Takes what heartbeats and events say of each second through the rules of symbols, services and radars' pairs."""

    name = "alerting-health"

    def __init__(
        self,
        settings: AlertingSettings,
        rules: Rules,
        publisher: Publisher,
        pulse: HeartbeatState,
        consumer: AIOKafkaConsumer,
        leads: Callable[[], bool],
    ) -> None:
        """`consumer` is started and of no group; `leads` tells whether it is this process that reads."""
        super().__init__(settings, rules, publisher, pulse)
        self._consumer = consumer
        self._leads = leads
        self._board = Board()
        self._is_placed = False
        self._losses = Losses(pulse.outrun)
        consumer.pause(*consumer.assignment())

    @property
    def is_placed(self) -> bool:
        """Tell whether positions are those of what is stored."""
        return self._is_placed and self._leads()

    def leave(self) -> None:
        """Forget the place, and fetch nothing until it is found again."""
        self._is_placed = False
        self._consumer.pause(*self._consumer.assignment())

    async def place(self, states: States) -> list[Outcome]:
        """Wait to be the one that reads; then load states, and go to where they end.

        At first that is the end, but of `radar` the begin: what has been confirmed may hold for days.
        """
        self.leave()
        while not self._leads():
            await pause(_IDLE_MS / 1000)
        places = self._consumer.assignment()
        if {place.topic for place in places} != {topic.name for topic in TOPICS}:
            raise TransientError(f"expected the topics {', '.join(topic.name for topic in TOPICS)}")
        stored = await states.offsets()
        earliest = await self._consumer.beginning_offsets(places)
        latest = await self._consumer.end_offsets(places)
        self.read = {}
        for place in places:
            partition = PartitionBatch(*place)
            first = earliest if place.topic == RADAR.name else latest
            following = stored.get(partition, first[place])
            offset = self._losses.resume(place, following, earliest[place], latest[place])
            self._consumer.seek(place, offset)
            self.read[partition] = offset
        self._consumer.resume(*self._consumer.paused())
        boards = await states.load(["board"], Board)
        self._board = boards.get(_BOARD, Board())
        outcomes: list[Outcome] = []
        for name, saved in (await states.load(["symbol", "service", "radar"], SavedSubject)).items():
            outcomes += self.engine.restore(name, saved)
        self._is_placed = True
        return outcomes

    async def step(self, states: States) -> list[Alert]:
        """Take what has come, in the order of its times, and then each second that has passed."""
        received = await self._consumer.getmany(timeout_ms=_IDLE_MS)
        records: list[Any] = []
        for place, some in received.items():
            partition = PartitionBatch(*place)
            if partition not in self.read:
                continue
            await self._losses.passed(
                place, self.read[partition], some[0].offset, self._consumer.beginning_offsets
            )
            self.read[partition] = some[-1].offset + 1
            records += some
        outcomes: list[Outcome] = []
        for record in sorted(records, key=lambda one: one.timestamp):
            if record.value is not None:
                self._take(record)
            for kind, name, seen in self._board.observations():
                outcomes += self.engine.observe(kind, name, seen)
        for kind, name in self._board.gone():
            outcomes += self.engine.remove(kind, name, "it is no more")
        return [alert_of(one) for one in outcomes]

    def extra_states(self) -> dict[Name, Struct | None]:
        """Return the board."""
        return {_BOARD: self._board}

    def _take(self, record: Any) -> None:
        # The sink and the API put aside or pass over what cannot be read.
        came_us = record.timestamp * 1000
        try:
            if record.topic == HEARTBEATS.name:
                self.counters["heartbeats"] += 1
                self._board.beat(decode(record.value, Heartbeat), came_us)
            elif record.topic == RADAR.name:
                self.counters["radar_events"] += 1
                self._board.radar_event(decode(record.value, RadarEvent), came_us)
            else:
                self.counters["tape_events"] += 1
                self._board.event(decode(record.value, TapeEvent), came_us)
        except (BadMessageError, ValueError):
            self.counters["bad_messages"] += 1
