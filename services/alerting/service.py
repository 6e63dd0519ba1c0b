"""Service of alerting: its tasks, and its health."""

from collections.abc import Mapping

import structlog

from services.alerting.health_lane import TOPICS, HealthLane
from services.alerting.lane import COUNTERS, Lane
from services.alerting.pair_lane import PairLane
from services.alerting.settings import AlertingSettings
from services.common.cancellation import TaskGroup, pause
from services.common.heartbeat import INTERVAL_S, HeartbeatState
from services.common.kafka import clients
from services.common.kafka.alert_configs import Rules, Silences
from services.common.kafka.compacted import CompactedTopic, T
from services.common.kafka.dead_letters import DeadLetters
from services.common.kafka.pair_configs import PairConfigs
from services.common.kafka.publisher import Publisher, publisher
from services.common.metrics import HeartbeatMetrics, published
from services.common.supervision import Supervisor
from services.contracts.topics import ALERTING_GROUP, SIGNALS
from services.store import alert_configs, schema
from services.store.alert_configs import Table
from services.store.database import Connection
from services.store.mirror import mirror

# A killed member holds its partitions this long, the shortest time that brokers accept by default.
_SESSION_TIMEOUT_MS = 6_000
# Interval of fetches of signals without a wake-up (s): stream_analytics wakes.
_UNANNOUNCED_S = 2.0

log = structlog.get_logger()


async def serve(settings: AlertingSettings) -> None:
    """Watch and alert until cancelled; wait for a broker first."""
    pulse = HeartbeatState("alerting")
    pulse.declare(*COUNTERS, "dead_letters", "dead_letters_not_kept")
    with published(settings, pulse, HeartbeatMetrics(pulse).registry):
        await schema.require_unless_away(settings, "pairstream-alerting")
        await clients.wait_for_broker(settings)
        async with publisher(settings) as out:
            await _Service(settings, out, pulse).run()


class _Service:
    """The tasks of one process, and what they share."""

    def __init__(self, settings: AlertingSettings, out: Publisher, pulse: HeartbeatState) -> None:
        self._settings, self._out, self._pulse = settings, out, pulse
        letters = DeadLetters(out.send, pulse.service, pulse.counters)
        self._rules = Rules(letters.put_all, pulse.outrun)
        self._silences = Silences(letters.put_all, pulse.outrun)
        self._pairs = PairConfigs(outrun=pulse.outrun)

    async def run(self) -> None:
        settings, pulse = self._settings, self._pulse
        tasks = Supervisor(pulse.counters)
        tasks.keep("the heartbeat", lambda: pulse.beat(self._out.send))
        tasks.require("the publisher", self._out.run)
        tasks.keep("the reader of the rules", lambda: self._rules.follow(settings))
        tasks.keep("the reader of the silences", lambda: self._silences.follow(settings))
        tasks.keep("the reader of the pairs", lambda: self._pairs.follow(settings))
        tasks.keep("the mirror of the rules", lambda: _mirror(settings, "rules", self._rules))
        tasks.keep("the mirror of the silences", lambda: _mirror(settings, "silences", self._silences))
        tasks.keep("the lanes", self._alert)
        await tasks.run()

    async def _alert(self) -> None:
        """Read and alert until that fails in a way in which other consumers may help."""
        settings, pulse = self._settings, self._pulse
        try:
            async with (
                clients.consumer(
                    settings,
                    later=[SIGNALS.name],
                    look_s=_UNANNOUNCED_S,
                    # Signals between closes are passed over.
                    can_wait=True,
                    group_id=ALERTING_GROUP,
                    session_timeout_ms=_SESSION_TIMEOUT_MS,
                ) as signals,
                clients.consumer(settings, *TOPICS) as health,
                TaskGroup() as tasks,
            ):
                pairs = PairLane(settings, self._rules, self._pairs, self._out, pulse, signals)
                others = HealthLane(settings, self._rules, self._out, pulse, health, lambda: pairs.leads)
                tasks.create_task(pairs.run())
                tasks.create_task(others.run())
                tasks.create_task(self._judge(pairs, others))
        finally:
            pulse.state, pulse.detail = "degraded", "begins to read anew"

    async def _judge(self, pairs: PairLane, *others: Lane) -> None:
        """Say every second how far behind the service is, and what is wrong with it."""
        pulse = self._pulse
        while True:
            pulse.lag_messages, pulse.lag_seconds = await pairs.lag()
            problems = [lane.problem for lane in (pairs, *others) if lane.problem is not None]
            if problems or pairs.is_placed:
                pulse.state = "degraded" if problems else "running"
                pulse.detail = "; ".join(dict.fromkeys(problems)) or None
            await pause(INTERVAL_S)


async def _mirror(settings: AlertingSettings, table: Table, followed: CompactedTopic[T]) -> None:
    async def write(connection: Connection, values: Mapping[str, T]) -> None:
        await alert_configs.mirror(connection, table, values, followed.removed)

    await mirror(settings, "alerting", followed, write)
