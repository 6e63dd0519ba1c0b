"""Instances of a service, as processes come, go, die and are replaced."""

import math
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.api.instances import DEAD_KEPT_S, SILENT_AFTER_S, Received
from services.api.service_health import ServiceHealth
from services.api.stream.arrival_times import ArrivalTimes
from services.common.heartbeat import INTERVAL_S
from tests.unit.api.listener import Listener, beat


def test_one_of_two_that_dies_makes_the_service_silent_for_a_while_and_is_then_gone(
    listener: Listener,
) -> None:
    listener.health.put(structs.replace(beat("sink", instance="a"), lag_messages=5))
    for second in range(int(DEAD_KEPT_S) + 10):
        listener.health.put(structs.replace(beat("sink", instance="b"), lag_messages=3))
        if second == 20:
            assert listener.instances() == {"a": "silent", "b": "running"}
            row = listener.row()
            assert (row["state"], row["healthy"], row["age_s"], row["lag_messages"]) == (
                "silent",
                False,
                20,
                3,
            )
        listener.passes(1)
    assert listener.instances() == {"b": "running"}
    assert listener.row()["healthy"] is True


def test_the_last_one_of_a_service_that_died_stays(listener: Listener) -> None:
    listener.health.put(beat("sink", instance="a"))
    listener.passes(DEAD_KEPT_S * 10)
    assert listener.instances() == {"a": "silent"}


def test_one_that_is_started_again_takes_the_place_of_one_that_died(listener: Listener) -> None:
    for name in ("a", "b"):
        listener.health.put(beat("sink", instance=name))
    listener.passes(1)
    listener.health.put(beat("sink", instance="c"))
    listener.passes(5)
    listener.health.put(beat("sink", instance="c"))
    assert set(listener.instances().items()) <= {("a", "silent"), ("b", "silent"), ("c", "running")}
    assert len(listener.instances()) == 2, "one begins and takes one place"
    listener.health.put(beat("sink", instance="d"))
    assert listener.instances() == {"c": "running", "d": "running"}


def test_one_that_joins_takes_the_place_of_none_that_dies_later(listener: Listener) -> None:
    listener.health.put(beat("sink", instance="a"))
    listener.passes(1)
    listener.health.put(beat("sink", instance="b"))
    listener.passes(1)
    listener.health.put(beat("sink", instance="a"))
    listener.passes(3)
    listener.health.put(beat("sink", instance="b"))
    listener.passes(4)
    assert listener.instances() == {"a": "silent", "b": "running"}


def test_those_that_were_replaced_before_the_api_began_are_not_listed(listener: Listener) -> None:
    for number in range(3):
        listener.backlog(beat("sink", instance=f"dead-{number}"))
    listener.backlog(beat("sink", instance="new"))
    listener.passes(5)
    listener.health.put(beat("sink", instance="new"))
    assert listener.instances() == {"new": "running"}


def test_of_those_that_died_before_the_api_began_the_last_one_is_told(listener: Listener) -> None:
    for number in range(3):
        listener.passes(0.1)
        listener.backlog(beat("sink", instance=f"dead-{number}"))
    listener.passes(5)
    assert listener.instances() == {"dead-2": "silent"}


def test_one_of_two_that_died_a_minute_ago_is_told_after_the_api_has_begun_again(listener: Listener) -> None:
    for name, stamp_s in (("a", 100.0), ("b", 100.0), ("a", 160.0)):
        listener.backlog(beat("sink", instance=name), stamp_s)
    listener.passes(5)
    listener.health.put(beat("sink", instance="a"), Received(listener.now_s, listener.now_s, 165.0))
    assert listener.instances() == {"a": "running", "b": "silent"}
    assert listener.row()["age_s"] == 65


def test_one_that_ends_as_it_was_asked_to_is_no_longer_listed(listener: Listener) -> None:
    listener.health.put(beat("sink", instance="a"))
    listener.health.put(beat("sink", instance="b"))
    listener.health.put(beat("sink", "stopping", instance="a"))
    assert listener.instances() == {"b": "running"}
    listener.health.put(beat("sink", "stopping", instance="b"))
    assert listener.instances() == {"b": "stopping"}
    listener.passes(7)
    row = listener.row()
    assert (row["state"], row["healthy"], row["instances"], row["age_s"]) == ("stopped", False, [], 7)
    listener.health.put(beat("sink", instance="c"))
    assert (listener.row()["state"], listener.instances()) == ("running", {"c": "running"})


PLACE = ("heartbeats", 0)
NAMES = st.sampled_from(["a", "b", "c", None])
STATES = st.sampled_from(["running", "degraded"])
CLOCKS_US = st.integers(0, 10**15)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("beat"), NAMES, STATES, CLOCKS_US),
        st.tuples(st.just("again"), st.integers(1, 3)),
        st.tuples(st.just("passes"), st.sampled_from([0.1, 0.9, 3.0, 5.5, 6.5])),
        st.tuples(st.just("ask")),
        st.tuples(st.just("read"), st.integers(0, 8)),
        st.tuples(st.just("look")),
    ),
    min_size=20,
    max_size=80,
)


@dataclass
class Broker:
    """A topic with the true second at which each heartbeat came, and an API that asks, reads and judges when told."""

    now_s: float = 5000.0
    came: list[float] = field(default_factory=list)
    log: list[tuple[str | None, str, int]] = field(default_factory=list)
    following: int = 0
    heard_s: float = -math.inf
    arrivals: ArrivalTimes = field(default_factory=ArrivalTimes)

    def __post_init__(self) -> None:
        self.health = ServiceHealth(lambda: self.now_s)

    def beat(self, name: str | None, state: str, at_us: int) -> None:
        self.log.append((name, state, at_us))
        self.came.append(self.now_s)

    def again(self, count: int) -> None:
        """A producer that tries again sends some twice."""
        for one in self.log[-count:]:
            self.beat(*one)

    def passes(self, seconds: float) -> None:
        self.now_s += seconds

    def ask(self) -> None:
        self.arrivals.asked(self.now_s, {PLACE: len(self.log)})
        self.heard_s = max(self.heard_s, self.arrivals.heard_s({PLACE: self.following}))
        self.health.listened(self.heard_s)

    def read(self, count: int) -> None:
        for name, state, at_us in self.log[self.following : self.following + count]:
            since_s = self.arrivals.since_s(PLACE, self.following)
            said = beat("sink", state, name, at_us=at_us)  # type: ignore[arg-type]
            self.health.put(said, Received(since_s, self.now_s))
            self.following += 1

    def look(self) -> None:
        """Compare what is told with when each came."""
        (row,) = [one for one in self.health.services(beat("api")) if one["service"] == "sink"]
        last = {name: at_s for (name, _, _), at_s in zip(self.log, self.came, strict=True)}
        heard = {
            name: at_s for (name, _, _), at_s in zip(self.log, self.came, strict=True) if at_s < self.heard_s
        }
        recently = {name for name, at_s in heard.items() if self.now_s - at_s < SILENT_AFTER_S}
        for one in row["instances"]:
            silent_s = self.now_s - last[one["instance"]]
            if one["state"] == "silent":
                assert one["instance"] not in recently
                assert self.now_s - self.heard_s < SILENT_AFTER_S
            if silent_s > SILENT_AFTER_S + INTERVAL_S:
                assert one["state"] in ("silent", "catching up")
                assert one["healthy"] is not True
            assert one["age_s"] is None or one["age_s"] >= 0
        listed = {one["instance"] for one in row["instances"]}
        assert recently <= listed


@given(steps=STEPS)
def test_whatever_comes_when_nobody_is_called_dead_who_lives_or_alive_who_is_dead(
    steps: list[tuple[object, ...]],
) -> None:
    broker = Broker()
    for name, *values in steps:
        getattr(broker, str(name))(*values)
        broker.look()


@given(lives=st.dictionaries(NAMES, st.tuples(st.integers(0, 40), st.integers(1, 60)), min_size=1))
def test_who_listens_all_the_time_knows_within_seconds_who_lives(
    lives: dict[str | None, tuple[int, int]],
) -> None:
    """Each process begins at a second and beats for some seconds."""
    broker = Broker()
    for second in range(110):
        for name, (first, seconds) in lives.items():
            if first <= second < first + seconds:
                broker.beat(name, "running", 0)
        broker.passes(0.5)
        broker.ask()
        broker.passes(0.1)
        broker.read(10)
        broker.passes(0.4)
        (row,) = [one for one in broker.health.services(beat("api")) if one["service"] == "sink"]
        told = {one["instance"]: one["state"] for one in row["instances"]}
        for name, (first, seconds) in lives.items():
            if first < second < first + seconds:
                assert told[name] == "running"
            elif second >= first + seconds + SILENT_AFTER_S + 2 * INTERVAL_S:
                assert told.get(name, "silent") == "silent"
        assert len(told) >= (second > min(first for first, _ in lives.values()))
