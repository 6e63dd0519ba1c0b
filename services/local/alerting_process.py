"""Process of alerting and delivery together: on one machine they share the memory of their libraries."""

from services.alerting import service as alerting
from services.alerting.settings import AlertingSettings
from services.common import process
from services.common.cancellation import TaskGroup
from services.common.settings import load
from services.delivery import service as delivery
from services.delivery.settings import DeliverySettings


def main() -> None:
    """Alert and deliver until SIGTERM or SIGINT; each has its own heartbeat, connections and offsets."""
    settings = process.start("alerting", AlertingSettings)
    process.run("alerting", lambda: _serve(settings, load(DeliverySettings)))


async def _serve(alerts: AlertingSettings, deliveries: DeliverySettings) -> None:
    async with TaskGroup() as tasks:
        tasks.create_task(alerting.serve(alerts))
        tasks.create_task(delivery.serve(deliveries))


if __name__ == "__main__":
    main()
