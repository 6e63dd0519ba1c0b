"""Service of research: workers beside a heartbeat; starts again after an outage."""

from functools import partial
from typing import NoReturn

import structlog

from services.common.cancellation import pause
from services.common.errors import AwayError, FatalError, RefusedError, TransientError
from services.common.heartbeat import HeartbeatState
from services.common.kafka import clients
from services.common.metrics import HeartbeatMetrics, published
from services.common.supervision import Supervisor
from services.research import radars
from services.research.settings import ResearchSettings
from services.research.worker import COUNTERS, JobStore, Worker
from services.store import database, jobs, schema
from services.store.database_watchdog import DatabaseWatch

_FORGET_EVERY_S = 60.0
_ASK_AGAIN_S = 0.5

log = structlog.get_logger()


async def serve(settings: ResearchSettings) -> None:
    """Do jobs until cancelled; wait for a broker first."""
    pulse = HeartbeatState("research")
    pulse.declare(*COUNTERS, *radars.COUNTERS)
    with published(settings, pulse, HeartbeatMetrics(pulse).registry):
        await _require_store(settings)
        await clients.wait_for_broker(settings)
        async with clients.producer(settings) as producer:
            tasks = Supervisor(pulse.counters)
            tasks.keep("the heartbeat", lambda: pulse.beat(producer.send))
            tasks.keep("the watch over the database", lambda: _watch(settings))
            tasks.keep("the deletion of old jobs", lambda: _forget(settings, pulse))
            tasks.keep("the radars", lambda: radars.ask(settings, pulse))
            tasks.keep("the events of radars", lambda: radars.tell(settings, pulse, producer.send_and_wait))
            for number in range(settings.research_workers):
                worker = Worker(settings, pulse, f"{pulse.instance}/{number}")
                tasks.keep(f"worker {number + 1}", worker.run)
            await tasks.run()


async def _require_store(settings: ResearchSettings) -> None:
    """FatalError if the database lets nobody in or has another schema; one that is away is waited for by workers."""
    try:
        async with database.connect(settings, "pairstream-research") as connection:
            await schema.require(connection)
    except RefusedError as error:
        raise FatalError(str(error)) from error
    except TransientError:
        log.info("no database yet")


async def _watch(settings: ResearchSettings) -> NoReturn:
    watch = DatabaseWatch(settings, "pairstream-research-watch")
    while True:
        try:
            await watch.run()
        except AwayError as error:
            log.warning("the database does not answer", error=str(error))
        await pause(_ASK_AGAIN_S)


async def _forget(settings: ResearchSettings, pulse: HeartbeatState) -> NoReturn:
    store = JobStore(settings, pulse)
    while True:
        forgotten = await store.call(partial(jobs.forget, keep=settings.research_keep_jobs))
        if forgotten:
            log.info("deleted old jobs", jobs=forgotten)
        await store.close()
        await pause(_FORGET_EVERY_S)
