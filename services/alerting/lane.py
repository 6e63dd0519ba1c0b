"""Lane: what is read goes through rules; what is told is stored with the states, and then sent.

Nothing is sent before it is stored, and nothing that is stored is forgotten before the broker has it: a crash anywhere
sends some alerts twice, under the same id and with the same bytes, and loses none.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import structlog
from aiokafka.errors import KafkaError
from msgspec import Struct

from services.alerting.settings import AlertingSettings
from services.alerting.states import Letter, States
from services.common import clock
from services.common.backoff import Backoff
from services.common.cancellation import checkpoint
from services.common.codec import encode
from services.common.errors import AwayError, TransientError, reason_of
from services.common.heartbeat import HeartbeatState
from services.common.kafka import clients
from services.common.kafka.alert_configs import Rules
from services.common.kafka.publisher import Publisher
from services.contracts.messages import Alert
from services.contracts.topics import ALERTS
from services.rules.alerts import alert_of
from services.rules.built_in import effective
from services.rules.engine import Engine, Name, Outcome
from services.store import database
from services.store.offsets import PartitionBatch

COUNTERS = (
    *("signals", "heartbeats", "tape_events", "radar_events"),
    *("corrections_too_late", "alerts", "bad_messages", "saves"),
)

log = structlog.get_logger()


class Lane(ABC):
    """Base of both lanes: one connection, one engine, and the order in which things are made safe."""

    name: ClassVar[str]

    def __init__(
        self, settings: AlertingSettings, rules: Rules, publisher: Publisher, pulse: HeartbeatState
    ) -> None:
        """`rules` are followed and `pulse` is beaten by others."""
        self.settings = settings
        self.engine = self.new_engine()
        self.read: dict[PartitionBatch, int] = {}
        """Where reading goes on, of every partition that is read."""
        self.counters = pulse.counters
        self.problem: str | None = None
        self._rules = rules
        self._rules_version = -1
        self._publisher = publisher
        self._saved_s = 0.0
        self._delivered: list[Letter] = []
        """Letters that the broker has, and the outbox too, until the next save."""

    def new_engine(self) -> Engine:
        """Return an engine that follows nothing yet."""
        return Engine(round(self.settings.correction_horizon_s * clock.SECOND))

    async def run(self) -> None:
        """Read and alert until cancelled; whatever a server does, begin again from what is stored."""
        backoff = Backoff(cap_s=2)
        while True:
            try:
                await self._rules.loaded.wait()
                await self._serve(backoff)
            except (TransientError, KafkaError) as error:
                delay = backoff.next_s()
                self.problem = error.told if isinstance(error, AwayError) else reason_of(error)
                log.warning("waiting", lane=self.name, error=reason_of(error), retry_in_s=round(delay, 2))
                await asyncio.sleep(delay)

    async def _serve(self, backoff: Backoff) -> None:
        async with database.connect(
            self.settings, f"pairstream-{self.name}", prepare_threshold=2
        ) as connection:
            states = States(connection, await clients.cluster_id(self.settings))
            await states.prepare()
            self.leave()
            while True:
                checkpoint()
                if not self.is_placed:
                    await self._place(states)
                    self.problem = None
                    backoff.reset()
                outcomes = self._follow_rules()
                alerts = [*map(alert_of, outcomes), *await self.step(states)]
                if self.is_placed:
                    await self._save(states, alerts)

    @property
    @abstractmethod
    def is_placed(self) -> bool:
        """Tell whether all that is read comes from where what is stored ends."""

    @abstractmethod
    def leave(self) -> None:
        """Forget the place: it is to be found again."""

    @abstractmethod
    async def place(self, states: States) -> list[Outcome]:
        """Load states and go to where they end; return what has ended meanwhile."""

    @abstractmethod
    async def step(self, states: States) -> list[Alert]:
        """Read what has come, wait for some if there is none, and return what is told of it."""

    def extra_states(self) -> dict[Name, Struct | None]:
        """Return what is stored besides the states of subjects."""
        return {}

    async def _place(self, states: States) -> None:
        self.engine = self.new_engine()
        self._follow_rules(is_new=True)
        self._delivered = []
        await self._send(await states.outbox())
        outcomes = await self.place(states)
        if outcomes:
            await self._save(states, [alert_of(one) for one in outcomes])

    def _follow_rules(self, is_new: bool = False) -> list[Outcome]:
        if self._rules.version == self._rules_version and not is_new:
            return []
        self._rules_version = self._rules.version
        return self.engine.configure(effective(self._rules.by_name))

    async def _save(self, states: States, alerts: Sequence[Alert]) -> None:
        """Store what has changed: at once if something is told, else now and then; then tell it."""
        now_s = asyncio.get_running_loop().time()
        if not alerts and now_s - self._saved_s < self.settings.alerting_save_interval_s:
            return
        self._saved_s = now_s
        changed: dict[Name, Struct | None] = {name: self.engine.saved(name) for name in self.engine.changed}
        told = [(alert.subject, encode(alert)) for alert in alerts]
        if not self.read and not changed and not told:
            return
        letters = await states.save(self.read, changed | self.extra_states(), told, self._delivered)
        self._delivered = []
        self.engine.changed.clear()
        self.counters["saves"] += 1
        self.counters["corrections_too_late"] += self.engine.too_late
        self.engine.too_late = 0
        for alert in alerts:
            log.info("alert", message=alert.message, state=alert.state, at=clock.to_iso(alert.event_us))
        await self._send(letters)
        await self.commit()

    async def commit(self) -> None:
        """Tell lag monitors how far it is, where there is somebody to tell."""
        return

    async def _send(self, letters: Sequence[Letter]) -> None:
        sent = [
            await self._publisher.send(
                ALERTS.name, key=letter.subject.encode(), value=letter.message, at_once=True
            )
            for letter in letters
        ]
        await asyncio.gather(*sent)
        self.counters["alerts"] += len(letters)
        self._delivered += letters
