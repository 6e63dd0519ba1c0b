"""Service health whose clock a test moves."""

import math
from typing import Any

from services.api.instances import Received
from services.api.models.status import ServiceHealth
from services.api.service_health import ServiceHealth as Health
from services.contracts.messages import FeedName, Heartbeat, ServiceState


class Listener:
    """A health whose clock a test moves, and which has heard everything unless the test says otherwise."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.health = Health(lambda: self.now_s)
        self.health.listened(self.now_s)

    def passes(self, seconds: float, heard: bool = True) -> None:
        self.now_s += seconds
        if heard:
            self.health.listened(self.now_s)

    def row(self, service: str = "sink", lost: dict[str, dict[str, int]] | None = None) -> dict[str, Any]:
        rows = self.health.services(beat("api"), lost)
        for one in rows:
            ServiceHealth.model_validate(one)
        return next((one for one in rows if one["service"] == service), {})

    def instances(self, service: str = "sink") -> dict[str | None, str]:
        return {one["instance"]: one["state"] for one in self.row(service)["instances"]}

    def backlog(self, one: Heartbeat, stamp_s: float | None = None) -> None:
        """Take a heartbeat of which nobody can tell when it came, but by the broker's clock."""
        self.health.put(one, Received(-math.inf, self.now_s, stamp_s))


def beat(
    service: str,
    state: ServiceState = "running",
    instance: str | None = None,
    feed: FeedName | None = None,
    at_us: int = 0,
) -> Heartbeat:
    return Heartbeat(
        service=service, at_us=at_us, started_us=0, state=state, version="1", feed=feed, instance=instance
    )
