"""``pairstream up`` while it is measured."""

import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.market_speed.costs import Processes, machine_s, spent
from benchmarks.market_speed.heartbeats import Heartbeats, heartbeats_of
from benchmarks.up import directory
from services.common import clock
from services.common.clock import SECOND
from tests.pipeline import Pipeline, pipeline

_SETTLED_S = 3.0
_SETTLE_LIMIT_S = 120.0
_STORED_LIMIT_S = 30.0
_SAMPLE_S = 1.0
# Of a core: more of other work than this shows in lags and latencies.
_DISTURBED_PERCENT = 25.0


class NotReadyError(Exception):
    """The pipeline ended before it was ready; the message is its last word."""


@dataclass
class Window:
    """What a pipeline did and cost for a time."""

    start_us: int
    end_us: int = 0
    wall_s: float = 0.0
    ticks: int = 0
    processor_percent: dict[str, float] = field(default_factory=dict)
    memory_mb: dict[str, dict[str, float]] = field(default_factory=dict)
    benchmark_percent: float = 0.0
    """What the benchmark itself took away from the others."""
    others_percent: float = 0.0
    """What all else on the machine took."""

    @property
    def percent(self) -> float:
        """The share of one core of all processes together."""
        return round(sum(self.processor_percent.values()), 1)

    @property
    def us_per_tick(self) -> float | None:
        """Microseconds of processor time for each tick, all processes together; None without ticks."""
        return round(self.percent / 100 * self.wall_s * 1e6 / self.ticks, 1) if self.ticks else None

    def record(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {
            "seconds": round(self.wall_s, 1),
            "ticks": self.ticks,
            "ticks_per_s": round(self.ticks / self.wall_s, 1),
            "processor_percent": self.processor_percent,
            "processor_percent_total": self.percent,
            "us_per_tick": self.us_per_tick,
            "benchmark_percent": self.benchmark_percent,
            "others_percent": self.others_percent,
            "memory_mb": self.memory_mb,
            "memory_mb_total": {when: round(sum(each.values()), 1) for when, each in self.memory_mb.items()},
        }

    def words(self) -> str:
        """Return it for a line of the table."""
        each = sorted(self.processor_percent.items(), key=lambda one: -one[1])
        names = ", ".join(f"{name} {value:.0f}" for name, value in each if value >= 0.5)
        memory = " to ".join(f"{sum(one.values()):.0f}" for one in self.memory_mb.values())
        per_tick = "" if self.us_per_tick is None else f"; {self.us_per_tick:,.0f} µs a tick"
        others = (
            f"; OTHER WORK {self.others_percent:.0f} %" if self.others_percent > _DISTURBED_PERCENT else ""
        )
        return f"{self.percent:.0f} % of a core ({names}){per_tick}; {memory} MB{others}"


class Measured:
    """A pipeline that is ready, what it says, and what it costs."""

    def __init__(
        self, up: Pipeline, heartbeats: Heartbeats, processes: Processes, place: Path, ready_s: float
    ) -> None:
        self.up, self.heartbeats, self.place = up, heartbeats, place
        self.ready_s = ready_s
        self.aftermath: list[str] = []
        """What went wrong while it ended; known once it has."""
        self._processes = processes

    def settle(self) -> str | None:
        """Wait until history is played and nothing lags, for some seconds on end; return why not after a while."""
        deadline, since = time.monotonic() + _SETTLE_LIMIT_S, time.monotonic()
        while time.monotonic() - since < _SETTLED_S:
            self.check()
            if reason := self.heartbeats.unsettled():
                since = time.monotonic()
                if since > deadline:
                    return f"not settled after {_SETTLE_LIMIT_S:.0f} s: {reason}"
            time.sleep(0.2)
        return None

    def check(self) -> None:
        """AssertionError if the pipeline has ended."""
        assert self.up.returncode is None, f"the pipeline ended: {last_word(self.up, self.place)}"

    @contextmanager
    def window(self) -> Iterator[Window]:
        """Yield a window that is whole when the block ends."""
        before, own_s, began = self._processes.processor_s(), time.process_time(), time.monotonic()
        busy_s = machine_s()
        window = Window(clock.now_us())
        window.memory_mb["start"] = self._processes.memory_mb()
        yield window
        self.check()
        window.wall_s, window.end_us = time.monotonic() - began, clock.now_us()
        window.processor_percent = spent(before, self._processes.processor_s(), window.wall_s)
        window.benchmark_percent = round(100 * (time.process_time() - own_s) / window.wall_s, 1)
        all_percent = 100 * (machine_s() - busy_s) / window.wall_s
        window.others_percent = round(max(0.0, all_percent - window.percent - window.benchmark_percent), 1)
        window.memory_mb["end"] = self._processes.memory_mb()
        window.ticks = self.heartbeats.counted("ingest", "ticks", window.start_us, window.end_us)

    def rest(self, seconds: float) -> None:
        """Let so many seconds pass, and see that the pipeline lives."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.check()
            time.sleep(min(_SAMPLE_S, left))

    def stored(self) -> dict[str, Any]:
        """Return how many of the ticks that ingest has published are in the database, once the sink had time.

        What ingest has received by the moment of a heartbeat it has published and counted by then, but for the
        one it has in hand. Ids are consecutive, so a jump is a tick that is not there.
        """
        beat = self.heartbeats.latest("ingest")
        assert beat is not None, "ingest is not heard of"
        published, deadline = beat.counters.get("ticks", 0), time.monotonic() + _STORED_LIMIT_S
        while (found := self._stored_by(beat.at_us)) < published and time.monotonic() < deadline:
            time.sleep(1.0)
        holes = self.up.rows(
            "SELECT symbol, max(trade_id) - min(trade_id) + 1 - count(*) FROM ticks GROUP BY symbol"
        )
        return {
            "published": published,
            "stored_of_these": found,
            "missing": max(0, published - found),
            "ids_missing_between": sum(int(missing) for _, missing in holes),
        }

    def _stored_by(self, at_us: int) -> int:
        moment = f"to_timestamp({at_us // SECOND}) + interval '{at_us % SECOND} microseconds'"
        return int(self.up.rows(f"SELECT count(*) FROM ticks WHERE received_at <= {moment}")[0][0])  # noqa: S608

    def problems(self) -> list[str]:
        """Return what was lost or fell over so far."""
        found = [
            f"{service} lost {count:,} messages of {topic}, which the broker had deleted"
            for service, topics in self.heartbeats.lost().items()
            for topic, count in topics.items()
        ]
        if restarted := self.heartbeats.restarted():
            return found + [f"{service} was started again" for service in restarted]
        if unread := self.heartbeats.unread():
            found.append(f"stream_analytics never read {unread:,} of the ticks")
        return found


@contextmanager
def running(*flags: object, environ: Mapping[str, str] | None = None) -> Iterator[Measured]:
    """Run ``pairstream up`` in an empty directory until the block ends, and leave no process behind.

    NotReadyError if it gives up before it is ready.
    """
    began = time.monotonic()
    with directory() as place:
        measured: Measured | None = None
        try:
            with pipeline(place / "data", *flags, environ=environ) as up:
                processes = Processes(up.process.pid)
                with heartbeats_of(up.brokers) as heartbeats:
                    measured = Measured(up, heartbeats, processes, place, time.monotonic() - began)
                    yield measured
                processes.processor_s()
        except subprocess.TimeoutExpired:
            if measured is not None:
                measured.aftermath.append("it had not stopped 10 s after Ctrl-C, and was killed")
        except AssertionError as error:
            if measured is None:
                raise NotReadyError(_last_line(str(error), place)) from error
            raise
        finally:
            if measured is not None and (left := processes.end()):
                measured.aftermath.append(f"left behind, and killed: {', '.join(left)}")


def last_word(up: Pipeline, place: Path) -> str:
    """Return the last line that a pipeline has written, without the names of temporary files."""
    return _last_line("\n".join(up.lines), place)


def _last_line(text: str, place: Path) -> str:
    lines = [line for line in text.splitlines() if line.strip()] or ["it said nothing"]
    return re.sub(r"\x1b\[[0-9;]*m", "", lines[-1].replace(str(place), "DIRECTORY")).strip()
