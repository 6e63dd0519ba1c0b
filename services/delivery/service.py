"""Service of delivery: a router and a sender beside a heartbeat."""

from services.common.cancellation import TaskGroup, pause
from services.common.heartbeat import INTERVAL_S, HeartbeatState
from services.common.kafka import clients
from services.common.metrics import HeartbeatMetrics, published
from services.common.supervision import Supervisor
from services.contracts.topics import ALERTS, DELIVERY_GROUP
from services.delivery import sender
from services.delivery.disabled_targets import Send
from services.delivery.router import Router
from services.delivery.sender import Sender
from services.delivery.settings import DeliverySettings
from services.store import schema
from services.store.database_watchdog import DatabaseWatch

COUNTERS = ("alerts", "bad_messages", "deliveries", "skipped", *sender.COUNTERS)


async def serve(settings: DeliverySettings) -> None:
    """Deliver until cancelled; wait for a broker first."""
    pulse = HeartbeatState("delivery")
    pulse.declare(*COUNTERS)
    with published(settings, pulse, HeartbeatMetrics(pulse).registry):
        await schema.require_unless_away(settings, "pairstream-delivery")
        await clients.wait_for_broker(settings)
        async with clients.producer(settings) as producer:
            tasks = Supervisor(pulse.counters)
            tasks.keep("the heartbeat", lambda: pulse.beat(producer.send))
            tasks.keep(
                "the watch over the database", DatabaseWatch(settings, "pairstream-delivery-watch").keep
            )
            tasks.keep("the delivery", lambda: _deliver(settings, pulse, producer.send_and_wait))
            await tasks.run()


async def _deliver(settings: DeliverySettings, pulse: HeartbeatState, send: Send) -> None:
    """Deliver until that fails in a way in which another consumer may help."""
    try:
        async with (
            clients.consumer(settings, later=[ALERTS.name], group_id=DELIVERY_GROUP) as consumer,
            TaskGroup() as tasks,
        ):
            await clients.assign_all(consumer, ALERTS)
            router = Router(settings, pulse, consumer, lambda names: sending.send(names), send)
            sending = Sender(settings, pulse, lambda: router.targets)
            tasks.create_task(router.run())
            tasks.create_task(sending.run())
            tasks.create_task(_judge(pulse, router, sending))
    finally:
        pulse.state, pulse.detail = "degraded", "begins to read anew"


async def _judge(pulse: HeartbeatState, router: Router, sending: Sender) -> None:
    """Say every second how far behind the service is, and what is wrong with it."""
    while True:
        pulse.lag_messages, pulse.lag_seconds = await router.lag()
        problems = [one for one in (router.problem, sending.problem) if one is not None]
        pulse.state = "degraded" if problems else "running"
        pulse.detail = "; ".join(dict.fromkeys(problems)) or None
        await pause(INTERVAL_S)
