"""Heartbeats as the benchmark reads them."""

import pytest

from benchmarks.market_speed.heartbeats import SERVICES, Heartbeats
from services.common import clock
from services.common.clock import SECOND
from services.common.codec import encode
from services.contracts.messages import Filling, Heartbeat


def beat(service: str, at_us: int, **fields: object) -> Heartbeat:
    """Return a heartbeat of a service that is well."""
    told = {"service": service, "at_us": at_us, "started_us": 1, "state": "running", "version": "1", **fields}
    return Heartbeat(**told)  # type: ignore[arg-type]


def heard(*heartbeats: Heartbeat) -> Heartbeats:
    """Return what a listener has heard."""
    found = Heartbeats()
    for one in heartbeats:
        found.take("heartbeats", encode(one), 0)
    return found


def well(**fields: object) -> list[Heartbeat]:
    """Return the heartbeats of this moment, ingest's with `fields`."""
    now_us = clock.now_us()
    return [beat(name, now_us, **(fields if name == "ingest" else {})) for name in SERVICES]


def test_a_pipeline_that_is_well_has_settled() -> None:
    assert heard(*well()).unsettled() is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"state": "starting"}, "ingest is starting"),
        ({"filling": Filling(12, 60)}, "history: 12 of 60 s played"),
        ({"lag_messages": 1_200, "lag_seconds": 1.5}, "ingest lags 1,200 messages, 1.5 s"),
        ({"at_us": 1}, "ingest is not heard of"),
    ],
)
def test_what_has_not_settled_is_named(fields: dict[str, object], reason: str) -> None:
    now_us = clock.now_us()
    heartbeats = [beat(name, now_us) for name in SERVICES if name != "ingest"]
    ingest = beat(**{"service": "ingest", "at_us": now_us, **fields})  # type: ignore[arg-type]
    assert heard(*heartbeats, ingest).unsettled() == reason


def test_a_service_that_was_never_heard_of_has_not_settled() -> None:
    assert heard(*well()[1:]).unsettled() == "ingest is not heard of"


@pytest.mark.parametrize(("growth", "is_flat"), [(0.0, True), (0.01, True), (0.05, False), (-0.05, True)])
def test_a_lag_that_grows_by_a_second_in_the_window_is_not_flat(growth: float, is_flat: bool) -> None:
    heartbeats = heard(
        *(beat("sink", n * SECOND, lag_messages=n, lag_seconds=1 + growth * n) for n in range(61))
    )
    lag = heartbeats.lags(0, 60 * SECOND)["sink"]
    assert lag["is_flat"] is is_flat
    assert lag["seconds"]["slope_per_s"] == pytest.approx(growth, abs=1e-5)
    assert lag["messages"] == {"first": 0, "last": 60, "max": 60, "slope_per_s": pytest.approx(1)}


def test_lags_outside_the_window_do_not_count() -> None:
    heartbeats = heard(*(beat("sink", n * SECOND, lag_seconds=100.0 if n < 10 else 0.0) for n in range(61)))
    assert heartbeats.lags(10 * SECOND, 60 * SECOND)["sink"]["seconds"]["max"] == 0


def test_what_was_counted_in_a_window_follows_the_heartbeats_in_it() -> None:
    heartbeats = heard(*(beat("ingest", n * SECOND, counters={"ticks": 1_000 * n}) for n in range(100)))
    assert heartbeats.counted("ingest", "ticks", 20 * SECOND + 400_000, 80 * SECOND + 900_000) == 60_500
    assert heartbeats.counted("sink", "ticks", 0, 99 * SECOND) == 0


@pytest.mark.parametrize(
    ("read", "lag", "unread"), [(10_000, 0, 0), (7_900, 100, 0), (7_000, 0, 1_000), (4_000, 3_000, 1_000)]
)
def test_ticks_that_are_neither_read_nor_waiting_are_counted(read: int, lag: int, unread: int) -> None:
    ingest = [beat("ingest", n * SECOND, counters={"ticks": 1_000 * n}) for n in range(11)]
    worker = beat("stream_analytics", 10 * SECOND, counters={"ticks": read}, lag_messages=lag)
    assert heard(*ingest, worker).unread() == unread
    assert heard(*ingest).unread() == 0


def test_losses_and_restarts_are_told() -> None:
    heartbeats = heard(
        *(beat("api", 1), beat("api", 2)),
        beat("sink", 1, lost={"ticks": 3}),
        beat("sink", 2, started_us=2, lost={"ticks": 5}),
    )
    assert heartbeats.lost() == {"sink": {"ticks": 5}}
    assert heartbeats.restarted() == ["sink"]
