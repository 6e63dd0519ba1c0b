"""Service of research: workers beside a heartbeat; starts again after an outage."""

from functools import partial
from typing import NoReturn

import structlog

from services.common.cancellation import pause
from services.common.heartbeat import HeartbeatState
from services.common.kafka import clients
from services.common.metrics import HeartbeatMetrics, published
from services.common.supervision import Supervisor
from services.research import radars
from services.research.settings import ResearchSettings
from services.research.worker import COUNTERS, JobStore, Worker
from services.store import jobs, schema
from services.store.database_watchdog import DatabaseWatch

_FORGET_EVERY_S = 60.0

log = structlog.get_logger()


async def serve(settings: ResearchSettings) -> None:
    """Do jobs until cancelled; wait for a broker first."""
    pulse = HeartbeatState("research")
    pulse.declare(*COUNTERS, *radars.COUNTERS)
    with published(settings, pulse, HeartbeatMetrics(pulse).registry):
        await schema.require_unless_away(settings, "pairstream-research")
        await clients.wait_for_broker(settings)
        async with clients.producer(settings) as producer:
            tasks = Supervisor(pulse.counters)
            tasks.keep("the heartbeat", lambda: pulse.beat(producer.send))
            tasks.keep(
                "the watch over the database", DatabaseWatch(settings, "pairstream-research-watch").keep
            )
            tasks.keep("the deletion of old jobs", lambda: _forget(settings, pulse))
            tasks.keep("the radars", lambda: radars.ask(settings, pulse))
            tasks.keep("the events of radars", lambda: radars.tell(settings, pulse, producer.send_and_wait))
            for number in range(settings.research_workers):
                worker = Worker(settings, pulse, f"{pulse.instance}/{number}")
                tasks.keep(f"worker {number + 1}", worker.run)
            await tasks.run()


async def _forget(settings: ResearchSettings, pulse: HeartbeatState) -> NoReturn:
    store = JobStore(settings, pulse)
    while True:
        forgotten = await store.call(partial(jobs.forget, keep=settings.research_keep_jobs))
        if forgotten:
            log.info("deleted old jobs", jobs=forgotten)
        await store.close()
        await pause(_FORGET_EVERY_S)
