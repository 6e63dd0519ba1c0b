"""Service health: judged by the state and the age of the last heartbeat, whatever a wall clock says."""

import pytest
from msgspec import structs

from services.api.instances import INSTANCES_KEPT
from services.api.service_health import OTHERS_KEPT, SERVICES, ServiceHealth
from services.common import clock
from services.contracts.messages import DeliveryLag, Filling, ServiceState
from tests.unit.api.listener import Listener, beat

HOUR_US = 3_600_000_000


@pytest.mark.parametrize(
    ("state", "healthy"),
    [("running", True), ("finished", True), ("starting", False), ("degraded", False), ("stopping", False)],
)
def test_a_service_is_healthy_while_it_runs_and_says_so(
    listener: Listener, state: ServiceState, healthy: bool
) -> None:
    listener.health.put(beat("sink", state))
    listener.passes(4.9)
    row = listener.row()
    assert (row["state"], row["healthy"], row["age_s"]) == (state, healthy, pytest.approx(4.9))


def test_a_service_that_is_silent_is_named_and_what_it_said_last(listener: Listener) -> None:
    listener.health.put(structs.replace(beat("sink", "degraded"), detail="the database is gone"))
    listener.passes(6)
    row = listener.row()
    assert (row["state"], row["healthy"], row["age_s"], row["detail"]) == (
        "silent",
        False,
        6,
        "the database is gone",
    )
    assert row["instances"][0]["said"] == "degraded"


def test_a_clock_that_is_ahead_hides_no_service_that_is_dead_and_one_that_steps_kills_none(
    listener: Listener,
) -> None:
    listener.health.put(beat("sink", at_us=HOUR_US * 1000))
    listener.health.put(beat("sink", "degraded", at_us=HOUR_US))
    assert listener.row()["state"] == "degraded"
    listener.passes(6)
    assert listener.row()["state"] == "silent"
    listener.health.put(beat("sink"))
    assert (listener.row()["state"], listener.row()["age_s"]) == ("running", 0)


@pytest.mark.parametrize(("at_us", "behind_us"), [(HOUR_US, 0), (HOUR_US, 60_000_000), (9 * HOUR_US, -5)])
def test_the_time_of_receipts_is_that_of_ingest_whatever_the_wall_clock_says(
    listener: Listener, at_us: int, behind_us: int
) -> None:
    listener.health.put(structs.replace(beat("ingest", at_us=at_us), clock_behind_us=behind_us))
    listener.passes(3)
    assert listener.health.fed_now_us() == at_us + behind_us + 3_000_000


def test_without_a_word_of_ingest_the_time_of_receipts_is_ours(listener: Listener) -> None:
    before_us = clock.now_us()
    assert before_us <= listener.health.fed_now_us() <= clock.now_us()
    listener.backlog(beat("ingest", at_us=HOUR_US))
    assert listener.health.fed_now_us() >= before_us


def test_nothing_is_claimed_of_a_service_before_everything_was_heard() -> None:
    listener = Listener()
    listener.health = ServiceHealth(lambda: listener.now_s)
    listener.backlog(beat("sink"))
    for _ in range(20):
        listener.passes(1, heard=False)
        assert {(row["state"], row["healthy"]) for row in listener.health.services(beat("api"))} == {
            ("catching up", None),
            ("running", True),  # the API itself
        }
    listener.passes(0)
    assert listener.row()["state"] == "silent"
    assert listener.row("ingest")["state"] == "unknown"


def test_nothing_is_claimed_while_the_broker_is_away(listener: Listener) -> None:
    listener.health.put(beat("sink"))
    listener.passes(1)
    listener.passes(60, heard=False)
    assert (listener.row()["state"], listener.row()["healthy"]) == ("catching up", None)
    assert listener.row("ingest")["state"] == "catching up"


def test_an_old_heartbeat_that_is_read_now_is_no_news(listener: Listener) -> None:
    listener.backlog(beat("sink"))
    assert (listener.row()["state"], listener.row()["age_s"]) == ("catching up", None)
    listener.passes(5)
    assert (listener.row()["state"], listener.row()["age_s"]) == ("silent", None)


def test_how_old_it_is_the_brokers_own_stamps_tell(listener: Listener) -> None:
    listener.backlog(beat("sink"), 50_000)
    listener.backlog(beat("ingest"), 51_560)
    listener.passes(5)
    assert listener.row()["age_s"] == pytest.approx(1565)


def test_a_step_of_the_brokers_clock_makes_no_age_negative(listener: Listener) -> None:
    listener.backlog(beat("sink"), 50_000)
    listener.backlog(beat("ingest"), 46_400)
    listener.passes(5)
    assert listener.row()["age_s"] == 5


def test_instances_are_listed_and_added_up(listener: Listener) -> None:
    first = structs.replace(
        beat("sink", instance="a"),
        counters={"ticks": 3, "late": 1},
        lag_messages=2,
        lag_seconds=0.5,
        lost={"ticks": 4},
    )
    second = structs.replace(
        beat("sink", "degraded", instance="b"),
        counters={"ticks": 5},
        lag_messages=7,
        lag_seconds=0.25,
        detail="slow",
        version="2",
    )
    listener.health.put(first)
    listener.passes(1)
    listener.health.put(second)
    row = listener.row()
    assert listener.instances() == {"a": "running", "b": "degraded"}
    assert (row["state"], row["healthy"], row["lag_messages"], row["lag_seconds"]) == (
        "degraded",
        False,
        9,
        0.5,
    )
    assert (row["counters"], row["lost"]) == ({"ticks": 8, "late": 1}, {"ticks": 4})
    assert row["detail"] == "slow; 2 versions run: 1, 2"


def test_heartbeats_without_an_instance_are_of_one(listener: Listener) -> None:
    listener.health.put(beat("sink", at_us=5))
    listener.health.put(beat("sink", "degraded", at_us=4))
    assert listener.instances() == {None: "degraded"}


def test_what_was_lost_and_nobody_has_acknowledged_degrades_a_service(listener: Listener) -> None:
    listener.health.put(beat("sink"))
    row = listener.row(lost={"sink": {"ticks": 1200, "alerts": 34}})
    assert (row["state"], row["healthy"], row["unacknowledged"]) == (
        "degraded",
        False,
        {"ticks": 1200, "alerts": 34},
    )
    assert row["detail"] == "1234 messages lost, which nobody has acknowledged"
    assert row["instances"][0]["healthy"] is True
    listener.passes(6)
    assert listener.row(lost={"sink": {"ticks": 1}})["state"] == "silent"
    assert (
        listener.row(lost={})["unacknowledged"],
        listener.row("ingest", {"ingest": {"a": 1}})["state"],
    ) == (
        {},
        "unknown",
    )


def test_of_thousands_of_services_and_processes_some_are_listed_and_all_others_counted(
    listener: Listener,
) -> None:
    listener.health.put(beat("sink", instance="ours"))
    for number in range(3000):
        listener.health.put(beat(f"foreign-{number}"))
        listener.health.put(beat("sink", instance=f"{number}"))
    rows = listener.health.services(beat("api"))
    assert len(rows) == len(SERVICES) + OTHERS_KEPT
    assert len(listener.instances()) == INSTANCES_KEPT
    assert "ours" in listener.instances()
    assert listener.health.left_out == 3000 - OTHERS_KEPT + 3001 - INSTANCES_KEPT
    listener.passes(7)
    assert len(listener.health.services(beat("api"))) == len(SERVICES), "nobody expects them"
    listener.health.put(beat("sink", instance="new"))
    assert "new" in listener.instances()


def test_who_is_asked_is_always_listed(listener: Listener) -> None:
    for number in range(100):
        listener.health.put(beat("api", instance=f"{number}"))
    own = beat("api", instance="own")
    rows = {one["service"]: one for one in listener.health.services(own)}
    assert "own" in {one["instance"] for one in rows["api"]["instances"]}
    assert len(rows["api"]["instances"]) == INSTANCES_KEPT


def test_of_one_heartbeat_no_more_is_kept_than_ours_have(listener: Listener) -> None:
    many = {f"counter-{number}": number for number in range(10_000)}
    delivery = {"S": DeliveryLag(1, 1, 1)}
    huge = structs.replace(beat("sink"), detail="x" * 10**6, counters=many, lost=many, delivery=delivery)
    listener.health.put(structs.replace(huge, version="v" * 10**6))
    assert len(repr(listener.row())) < 20_000


def test_what_is_filled_and_what_was_lost_is_told_of_each_service(listener: Listener) -> None:
    listener.health.put(structs.replace(beat("ingest"), filling=Filling(340.5, 900.0)))
    listener.health.put(structs.replace(beat("sink"), lost={"ticks": 1234}))
    rows = listener.health.services(beat("api"))
    assert [(one["filling"], one["lost"]) for one in rows] == [
        ({"done_s": 340.5, "total_s": 900.0}, {}),
        (None, {}),
        (None, {}),
        (None, {}),
        (None, {"ticks": 1234}),
        (None, {}),
        (None, {}),
    ]


def test_the_delivery_lag_is_that_of_an_ingest_that_is_heard(listener: Listener) -> None:
    health = listener.health
    assert health.delivery("BYUSDT") is None
    health.put(structs.replace(beat("ingest"), delivery={"BYUSDT": DeliveryLag(5_100, 5_000, 6_012)}))
    assert health.delivery("BYUSDT") == DeliveryLag(5_100, 5_000, 6_012)
    assert health.delivery("BTCUSDT") is None
    listener.passes(6)
    assert health.delivery("BYUSDT") is None


def test_the_heartbeat_that_came_last_counts_and_ingest_names_the_feed(listener: Listener) -> None:
    assert (listener.health.feed, listener.health.fed_since_us) == (None, 0)
    listener.health.put(beat("ingest", feed="live", at_us=2))
    listener.health.put(beat("ingest", feed="replay", at_us=1))
    listener.health.put(beat("sink", feed=None))
    assert listener.health.feed == "replay"
