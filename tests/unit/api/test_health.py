"""Who is healthy: whoever runs or has finished, and was heard of a moment ago."""

import pytest
from msgspec import structs

from services.api.health import Health
from services.api.models.status import ServiceHealth
from services.common.clock import SECOND
from services.common.messages import DeliveryLag, FeedName, Filling, Heartbeat, ServiceState

NOW_US = 1_767_225_600_000_000


def beat(
    service: str, age_us: int = 0, state: ServiceState = "running", feed: FeedName | None = None
) -> Heartbeat:
    return Heartbeat(
        service=service, at_us=NOW_US - age_us, started_us=0, state=state, version="1", feed=feed
    )


@pytest.mark.parametrize(
    ("state", "age_us", "healthy"),
    [
        ("running", 0, True),
        ("finished", 4_999_999, True),
        ("running", 5 * SECOND, False),
        ("running", -SECOND, True),
        ("starting", 0, False),
        ("degraded", 0, False),
        ("stopping", 0, False),
    ],
)
def test_a_service_is_healthy_while_it_runs_and_says_so(
    state: ServiceState, age_us: int, healthy: bool
) -> None:
    health = Health()
    health.put(beat("sink", age_us, state))
    (sink,) = [one for one in health.services(beat("api")) if one["service"] == "sink"]
    assert (sink["state"], sink["healthy"], sink["age_s"]) == (state, healthy, max(0, age_us) / SECOND)


def test_a_service_that_is_silent_is_named() -> None:
    services = Health().services(beat("api"))
    assert [(one["service"], one["state"], one["healthy"]) for one in services] == [
        ("ingest", "unknown", False),
        ("stream_analytics", "unknown", False),
        ("sink", "unknown", False),
        ("api", "running", True),
    ]


def test_what_is_filled_and_what_was_lost_is_told_of_each_service() -> None:
    health = Health()
    health.put(structs.replace(beat("ingest"), filling=Filling(340.5, 900.0)))
    health.put(structs.replace(beat("sink"), lost={"ticks": 1234}))
    rows = health.services(beat("api"))
    assert [(one["filling"], one["lost"]) for one in rows] == [
        ({"done_s": 340.5, "total_s": 900.0}, {}),
        (None, {}),
        (None, {"ticks": 1234}),
        (None, {}),
    ]
    for one in rows:
        ServiceHealth.model_validate(one)


def test_the_delivery_lag_is_that_of_an_ingest_that_is_heard() -> None:
    health = Health()
    assert health.delivery("BYUSDT", NOW_US) is None
    health.put(structs.replace(beat("ingest"), delivery={"BYUSDT": DeliveryLag(5_100, 5_000, 6_012)}))
    assert health.delivery("BYUSDT", NOW_US) == DeliveryLag(5_100, 5_000, 6_012)
    assert health.delivery("BTCUSDT", NOW_US) is None
    assert health.delivery("BYUSDT", NOW_US + 5 * SECOND) is None


def test_the_newest_heartbeat_counts_and_ingest_names_the_feed() -> None:
    health = Health()
    health.put(beat("ingest", 1, feed="replay"))
    health.put(beat("ingest", 2, feed="live"))
    assert health.feed == "replay"
    health.put(beat("sink", feed=None))
    assert health.feed == "replay"


def test_the_feed_has_no_name_before_ingest_was_heard() -> None:
    assert Health().feed is None
