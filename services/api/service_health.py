"""Health of the services, judged by when the heartbeats of each process came. No I/O."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from msgspec import structs

from services.api.instances import Instance, Instances, Listening, Received
from services.api.serialization.rows import Row
from services.api.serialization.services import absent_row, instance_row, service_row
from services.common import clock
from services.contracts.messages import DeliveryLag, FeedName, Heartbeat

SERVICES = ("ingest", "stream_analytics", "alerting", "delivery", "sink", "research", "api")
# Limits on heartbeats, as anybody may write some: the length of a text, and the number of foreign services.
OTHERS_KEPT = 16
TEXT_KEPT = 500
ENTRIES_KEPT = 100


class ServiceHealth:
    """Last heartbeat of each process; its arrival time alone decides whether the process is alive.

    A service of ours is always there, any other one while it is heard. Where not everything has been read that came,
    nobody who is not heard is called dead: `listened` tells how much has been.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        """`seconds` is a monotonic clock."""
        self._seconds = seconds
        self._services: defaultdict[str, Instances] = defaultdict(Instances)
        self._began_s, self._heard_s = seconds(), -math.inf
        self._last_stamped: Received | None = None
        self.left_out = 0
        """Heartbeats of processes that are not listed, because there are too many."""

    @property
    def feed(self) -> FeedName | None:
        """Return what ingest says it reads, None until it has."""
        return None if (ingest := self._ingest) is None else ingest.beat.feed

    @property
    def feed_has_ended(self) -> bool:
        """Return whether ingest says that its feed has no more trades."""
        return (ingest := self._ingest) is not None and ingest.beat.state == "finished"

    @property
    def fed_since_us(self) -> int:
        """Return when the present ingest began, 0 before it was heard of."""
        return 0 if (ingest := self._ingest) is None else ingest.beat.started_us

    def fed_now_us(self) -> int:
        """Return what time it is by the clock that receipts are of: ingest's, or ours while it is not heard of."""
        age_s = None if (ingest := self._ingest) is None else ingest.age_s(self._ears())
        if ingest is None or age_s is None:
            return clock.now_us()
        return ingest.beat.at_us + ingest.beat.clock_behind_us + round(age_s * clock.SECOND)

    def delivery(self, symbol: str) -> DeliveryLag | None:
        """Return the delivery lag of `symbol`; None without trades in the last minute, or while ingest is silent."""
        ears = self._ears()
        found = (
            one.beat.delivery.get(symbol)
            for one in self._services["ingest"]
            if one.life(ears) == "alive" and one.beat.state != "stopping"
        )
        return next((lag for lag in found if lag is not None), None)

    def put(self, beat: Heartbeat, came: Received | None = None) -> None:
        """Take a heartbeat, the next one of its process; without `came` it came just now."""
        now_s = self._seconds()
        came = came or Received(now_s, now_s)
        if came.stamp_s is not None:
            self._last_stamped = came
        if beat.service not in SERVICES and not self._has_room(beat.service):
            self.left_out += 1
        else:
            self.left_out += self._services[beat.service].put(_bounded(beat), came)

    def listened(self, until_s: float) -> None:
        """Note that everything has been read that came before a second of the monotonic clock."""
        self._heard_s = max(self._heard_s, until_s)

    def services(self, own: Heartbeat, lost: Mapping[str, Mapping[str, int]] | None = None) -> list[Row]:
        """Return the health of every service that there should be, and of others that are heard.

        `own` is the heartbeat of this process, and `lost` are the messages, by service and topic, whose loss nobody has
        acknowledged.
        """
        ears = self._ears()
        self._services[own.service].put(own, Received(ears.now_s, ears.now_s), is_own=True)
        self._forget_gone(ears)
        rows = []
        for name in dict.fromkeys((*SERVICES, *sorted(self._services))):
            instances, unacknowledged = self._services[name], (lost or {}).get(name, {})
            told = [instance_row(one, ears) for one in instances]
            rows.append(
                service_row(name, told, unacknowledged)
                if told
                else absent_row(name, instances.ended, ears, unacknowledged)
            )
        return rows

    @property
    def _ingest(self) -> Instance | None:
        return self._services["ingest"].newest

    def _ears(self) -> Listening:
        return Listening(self._seconds(), self._began_s, self._heard_s, self._last_stamped)

    def _has_room(self, service: str) -> bool:
        if service not in self._services and len(self._services.keys() - {*SERVICES}) >= OTHERS_KEPT:
            self._forget_gone(self._ears())
            return len(self._services.keys() - {*SERVICES}) < OTHERS_KEPT
        return True

    def _forget_gone(self, ears: Listening) -> None:
        for name, instances in list(self._services.items()):
            instances.forget_gone(ears)
            if name not in SERVICES and not any(one.life(ears) == "alive" for one in instances):
                del self._services[name]


def _bounded(beat: Heartbeat) -> Heartbeat:
    """Return a heartbeat cut to the size of a genuine one."""
    detail = beat.detail and beat.detail[:TEXT_KEPT]
    return structs.replace(
        beat,
        version=beat.version[:TEXT_KEPT],
        detail=detail,
        counters=dict([*beat.counters.items()][:ENTRIES_KEPT]),
        lost=dict([*beat.lost.items()][:ENTRIES_KEPT]),
        delivery=beat.delivery if beat.service == "ingest" else {},
        trade_rates={},
    )
