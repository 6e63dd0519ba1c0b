"""Watchdog of streams: a dead one is found soon, one with rare trades is left alone."""

import random
from collections.abc import Iterable

import pytest

from services.common.clock import HOUR, MINUTE, SECOND
from services.ingest.connections.stream_watchdog import StreamWatchdog
from services.ingest.feed import StreamKind
from services.ingest.venues.venue import Stream

START = 1_800_000_000 * SECOND
STREAM = Stream("trades", "BTCUSDT", "btcusdt@aggTrade", "/market")


class Life:
    """One stream under the watchdog, which looks at it twice a second."""

    def __init__(self, kind: StreamKind = "trades", least_s: float = 10.0) -> None:
        self.watchdog = StreamWatchdog(least_s * SECOND)
        self.stream = STREAM._replace(kind=kind)
        self.watchdog.know(self.stream)
        self.watchdog.expect(self.stream, START)
        self.now = START
        self.alarms: list[float] = []
        """When it was taken for dead, in seconds since the start."""

    def until(self, at_us: int) -> None:
        while self.now < at_us:
            self.now += SECOND // 2
            if self.watchdog.check(self.now):
                self.alarms.append((self.now - START) / SECOND)

    def speak(self, times_us: Iterable[int], connection: int = 1) -> None:
        watched = self.watchdog.get(self.stream.kind, self.stream.symbol)
        assert watched is not None
        for at_us in times_us:
            self.until(at_us)
            watched.heard(at_us, connection)


def trades(rate: float, duration_us: int, seed: int = 1) -> Iterable[int]:
    """Yield times of a market that trades in bursts: each arrival brings up to ten trades within a second."""
    randomness = random.Random(seed)
    at_us = START
    while at_us < START + duration_us:
        at_us += round(randomness.expovariate(rate) * SECOND)
        yield from sorted(at_us + randomness.randrange(SECOND) for _ in range(randomness.randint(1, 10)))
        at_us += SECOND


@pytest.mark.parametrize("rate", [10.0, 1.0, 0.1, 0.01])
def test_a_living_stream_is_never_taken_for_dead_however_rarely_it_trades(rate: float) -> None:
    life = Life(least_s=40.0 if rate < 0.1 else 10.0)
    life.speak(trades(rate, 6 * HOUR))
    # The first arrival of a rare market may be longer in coming than anyone waits for an unknown one.
    assert [at_s for at_s in life.alarms if at_s > 15 * 60] == []


@pytest.mark.parametrize(("rate", "within_s"), [(10.0, 15), (1.0, 60), (0.1, 600)])
def test_a_dead_stream_is_found_the_sooner_the_more_it_traded(rate: float, within_s: int) -> None:
    life = Life()
    life.speak(trades(rate, HOUR))
    died = life.now
    assert life.alarms == []
    life.until(died + within_s * SECOND)
    assert len(life.alarms) >= 1


def test_a_stream_that_never_speaks_is_found_whatever_was_acknowledged() -> None:
    life = Life()
    life.until(START + MINUTE)
    assert life.alarms[0] == pytest.approx(30, abs=1)


def test_liquidations_may_be_away_for_hours() -> None:
    life = Life("liquidations")
    life.until(START + 5 * HOUR)
    assert life.alarms == []


def test_patience_doubles_while_nothing_helps() -> None:
    life = Life()
    life.until(START + HOUR)
    waits = [later - sooner for sooner, later in zip([0.0, *life.alarms], life.alarms, strict=False)]
    assert waits[:4] == pytest.approx([30, 60, 120, 240], abs=1)


def test_a_stream_that_speaks_again_says_so_once() -> None:
    life = Life()
    life.until(START + MINUTE)
    watched = life.watchdog.get("trades", "BTCUSDT")
    assert watched is not None
    assert watched.heard(life.now, 2) is True
    assert watched.heard(life.now + SECOND, 2) is False


def test_a_connection_that_is_down_excuses_its_streams() -> None:
    life = Life()
    life.watchdog.excuse(life.stream)
    life.until(START + HOUR)
    assert life.alarms == []
    life.watchdog.expect(life.stream, life.now)
    life.until(START + HOUR + MINUTE)
    assert len(life.alarms) == 1


def test_an_outage_teaches_nothing_about_the_rate() -> None:
    life = Life()
    life.speak(START + second * SECOND for second in range(600))
    life.watchdog.excuse(life.stream)
    life.until(life.now + 5 * MINUTE)
    life.watchdog.expect(life.stream, life.now)
    life.speak([life.now], connection=2)
    died = life.now
    life.until(died + MINUTE)
    assert len(life.alarms) >= 1


@pytest.mark.parametrize("jump", [3 * HOUR, -3 * HOUR])
def test_sleep_and_set_clocks_make_no_stream_stale_and_hide_none(jump: int) -> None:
    life = Life()
    life.speak(START + second * SECOND for second in range(60))
    life.now += jump
    woke = life.now
    life.until(woke + 10 * SECOND)
    assert life.alarms == []
    life.until(woke + 2 * MINUTE)
    assert len(life.alarms) >= 1


def test_what_is_not_wanted_is_not_known() -> None:
    watchdog = StreamWatchdog(SECOND)
    assert watchdog.get("trades", "BTCUSDT") is None
    watchdog.know(STREAM)
    watchdog.forget(STREAM)
    assert watchdog.get("trades", "BTCUSDT") is None


def test_a_halted_symbol_is_not_judged_and_has_its_full_time_when_it_trades_again() -> None:
    life = Life()
    life.speak(trades(5, 5 * MINUTE))
    life.until(life.now + MINUTE)
    assert len(life.alarms) > 0
    assert life.watchdog.halt({STREAM.symbol}, life.now) == [life.stream]
    alarms = len(life.alarms)
    life.until(life.now + HOUR)
    assert len(life.alarms) == alarms
    assert life.watchdog.halt((), life.now) == []
    life.until(life.now + 5 * SECOND)
    assert len(life.alarms) == alarms
    life.until(life.now + MINUTE)
    assert len(life.alarms) > alarms
