"""Trade from which a latency counts."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.market_speed import tape
from services.common.clock import SECOND
from services.contracts.messages import Tick
from services.ingest.feeds.recordings.reader import Recording

START_US = 1_767_225_600_000_000
NAMES = ["AUSDT", "BUSDT", "CUSDT"]


@given(
    per_second=st.sampled_from([0.5, 5.0, 50.0]), seed=st.integers(0, 999), at_ms=st.integers(-1_000, 6_000)
)
def test_moments_are_those_that_looking_through_all_ticks_finds(
    per_second: float, seed: int, at_ms: int
) -> None:
    ticks = tape.made(NAMES, per_second, START_US, 5, seed)
    moments, at_us = tape.Moments(ticks), START_US + at_ms * 1_000
    after = {tick.symbol: tick.event_us for tick in reversed(ticks) if tick.event_us >= at_us}
    before = {tick.symbol: tick.event_us for tick in ticks if tick.event_us < at_us}
    assert moments.reached(at_us) == min(after.values(), default=None)
    ending = [after.get(name) for name in NAMES[:2]]
    latest = [before[name] for name in NAMES[:2] if name in before]
    assert moments.closed_by("AUSDT-BUSDT", at_us) == (
        None if None in ending else max(one for one in ending if one is not None)
    )
    assert moments.newest_before("AUSDT-BUSDT", at_us) == max(latest, default=None)


def test_a_trade_at_the_moment_itself_reaches_it() -> None:
    ticks = tape.made(NAMES, 20, START_US, 3)
    assert [tape.Moments(ticks).reached(tick.event_us) for tick in ticks] == [tick.event_us for tick in ticks]


@given(per_second=st.sampled_from([5.0, 50.0]), seed=st.integers(0, 999))
def test_parts_are_the_tape_and_each_ends_with_the_trade_that_every_symbol_waited_for(
    per_second: float, seed: int
) -> None:
    ticks = tape.made(NAMES, per_second, START_US, 30, seed)
    ends = [START_US + 2 * SECOND, START_US + 10 * SECOND]
    found = tape.parts(ticks, ends)
    assert [tick for part in found for tick in part] == ticks[: sum(map(len, found))]
    read: list[Tick] = []
    for part, end_us in zip(found, ends, strict=True):
        read += part
        assert {tick.symbol for tick in read if tick.event_us >= end_us} == set(NAMES)
        assert {tick.symbol for tick in read[:-1] if tick.event_us >= end_us} == set(NAMES) - {
            read[-1].symbol
        }


def test_a_tape_is_the_same_every_time_and_no_two_ticks_share_a_moment() -> None:
    ticks = tape.made(NAMES, 1_000, START_US, 3)
    assert ticks == tape.made(NAMES, 1_000, START_US, 3)
    assert len({tick.event_us for tick in ticks}) == len(ticks)


def test_what_is_written_is_what_replay_reads(tmp_path: Path) -> None:
    ticks = tape.made(NAMES, 20, START_US, 3, seed=Random(3).randrange(99))
    tape.write(tmp_path / "ticks.ndjson", ticks)
    read = [item for _, item in Recording(tmp_path / "ticks.ndjson").items() if isinstance(item, Tick)]
    assert read == ticks


@pytest.mark.parametrize(("event_us", "end_us"), [(0, SECOND), (SECOND - 1, SECOND), (SECOND, 2 * SECOND)])
def test_a_second_ends_where_the_next_begins(event_us: int, end_us: int) -> None:
    assert tape.seconds_of(event_us) == end_us
