"""Case `replay`: 600,000 ticks as fast as they can be replayed, to the last signal in the database, to the last bit."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import asdict

from benchmarks.load import pairs, symbols
from benchmarks.market_speed import tape
from benchmarks.market_speed.options import Options
from benchmarks.market_speed.result import Result
from benchmarks.market_speed.running import Measured, NotReadyError, running
from benchmarks.up import directory
from services.common import clock
from services.common.clock import SECOND
from services.contracts.messages import PairConfig, Signal, Tick
from services.store.relations import NOT_STORED, STORED_AS
from tests.analytics import outcomes

START_US = 1_767_225_600_000_000
_SECONDS, _PER_SECOND = 6_000, 100
_LOOK_S = 0.25
# What has not grown for so long will not.
_STALLED_S = 40.0
_LIMIT_S = 900.0

_FIELDS = tuple(name for name in Signal.__struct_fields__ if name not in NOT_STORED)
_COLUMNS = [{"event_us": "ts"}.get(name, STORED_AS.get(name, name)) for name in _FIELDS]
_SIGNALS = "SELECT {} FROM signals".format(", ".join(f'"{name}"' for name in _COLUMNS))  # noqa: S608

Key = tuple[str, int]


def replay(_: Options) -> Iterator[Result]:
    """Replay a made tape of 10 symbols and 10 pairs at `--speed max`."""
    names = symbols(10)
    watched, ticks = pairs(names, 10), tape.made(names, _PER_SECOND, START_US, _SECONDS)
    with directory() as place:
        file = place / "ticks.ndjson"
        tape.write(file, ticks)
        flags = tape.flags(file, "max", names, watched)
        try:
            with running(*flags) as measured:
                result, said = _measure(measured, ticks, watched)
        except NotReadyError as error:
            yield Result("replay", "not ready", problems=[str(error)])
            return
    result.problems += measured.aftermath
    compare(result, said, _expected(ticks, watched))
    yield result


def _measure(
    measured: Measured, ticks: Sequence[Tick], watched: Sequence[str]
) -> tuple[Result, dict[Key, Signal]]:
    """Wait for the last signal, and return what there is then."""
    last_us = tape.seconds_of(ticks[-1].event_us)
    with measured.window() as window:
        ended = _wait(measured, clock.to_datetime(last_us), len(watched))
    began = measured.up.rows("SELECT min(received_at) FROM ticks")[0][0]
    took_s = (ended or window.end_us) / SECOND - (began.timestamp() if began else window.start_us / SECOND)
    stored = measured.up.count("ticks")
    # The window began when the pipeline was ready, a moment after the replay did.
    window.ticks, rate = stored, stored / took_s
    said = {(one.pair, one.event_us): one for one in map(_signal, measured.up.rows(_SIGNALS))}
    problems = measured.problems()
    if ended is None:
        problems.append(f"the last signal was not in the database after {took_s:.0f} s")
    if stored != len(ticks):
        problems.append(f"{len(ticks) - stored:,} of {len(ticks):,} ticks are not in the database")
    figures = {
        "ticks": len(ticks),
        "ticks_stored": stored,
        "replay_s": round(took_s, 2),
        "ticks_per_s": round(rate),
        "signals_stored": len(said),
        **{name: value for name, value in window.record().items() if name not in ("ticks", "ticks_per_s")},
        "lost": measured.heartbeats.lost(),
        "late": measured.heartbeats.late(),
    }
    line = f"{rate:,.0f} ticks/s, {took_s:.1f} s to the last signal; {window.words()}"
    return Result("replay", line, figures, problems), said


def _wait(measured: Measured, last: datetime, count: int) -> int | None:
    """Return when (epoch, us) the last signals of all pairs were in the database; None if nothing grows any more."""
    limit, known, known_at = time.monotonic() + _LIMIT_S, None, time.monotonic()
    while time.monotonic() < limit:
        measured.check()
        times = [ts for (ts,) in measured.up.rows("SELECT max(ts) FROM signals GROUP BY pair")]
        if len(times) == count and min(times) >= last:
            return clock.now_us()
        progress = (
            times,
            measured.heartbeats.counter("ingest", "ticks"),
            measured.heartbeats.counter("sink", "ticks"),
        )
        if progress != known:
            known, known_at = progress, time.monotonic()
        elif time.monotonic() - known_at > _STALLED_S:
            return None
        time.sleep(_LOOK_S)
    return None


def _expected(ticks: Sequence[Tick], watched: Sequence[str]) -> dict[Key, Signal]:
    return {
        (pair, one.signal.event_us): one.signal
        for pair in watched
        for one in outcomes(ticks, PairConfig(pair=pair))
    }


def compare(result: Result, said: Mapping[Key, Signal], expected: Mapping[Key, Signal]) -> None:
    """Add to a result how the stored signals differ from what one worker says without Kafka, bit for bit."""
    missing, more = expected.keys() - said.keys(), said.keys() - expected.keys()
    unlike = sorted(key for key in expected.keys() & said.keys() if expected[key] != said[key])
    told: dict[str, Any] = {"signals_expected": len(expected), "signals_missing": len(missing)}
    told |= {"signals_unexpected": len(more), "signals_unlike": len(unlike)}
    result.figures |= told
    if missing or more:
        result.problems.append(
            f"{len(missing):,} of {len(expected):,} closed signals are not in the database, "
            f"and {len(more):,} are there that should not"
        )
    if unlike:
        first, (pair, at_us) = unlike[0], unlike[0]
        words = [
            f"{name} {value!r}, not {other!r}"
            for name, value in asdict(said[first]).items()
            if value != (other := getattr(expected[first], name))
        ]
        result.problems.append(
            f"{len(unlike):,} closed signals differ, the first of {pair} at {clock.to_iso(at_us)}: {'; '.join(words)}"
        )
    if not (missing or more or unlike):
        result.line += f"; {len(expected):,} signals the same to the bit"


def _signal(row: tuple[Any, ...]) -> Signal:
    fields = dict(zip(_FIELDS, row, strict=True))
    return Signal(**fields | {"event_us": clock.from_datetime(fields["event_us"])})
