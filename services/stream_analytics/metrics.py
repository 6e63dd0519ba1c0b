"""Metrics of a worker."""

from collections.abc import Callable, Mapping
from typing import Literal

from prometheus_client import Histogram

from services.common.heartbeat import HeartbeatState
from services.common.metrics import HeartbeatMetrics

Stage = Literal["ticks", "time_marks", "leg_trades", "measure", "save"]
STAGES: Mapping[Stage, str] = {
    "ticks": "the oldest tick of a bundle from its topic to the worker",
    "time_marks": "the oldest time mark of a bundle from its topic to the worker",
    "leg_trades": "the oldest trades of a bundle from their topic to the worker",
    "measure": "what the trades of one bundle close and cross, until it is handed to the publisher",
    "save": "a share of the windows, until the broker has it",
}
COUNTERS = (
    "ticks",
    "signals",
    "live_signals",
    "live_thinned",  # how often signals between closes had to wait, because there was no time or no room for them
    "corrections",  # closed signals that were published again, because trades came late
    "alerts",
    "dead_letters",
    "late",
    "stale",
    "pairs",
    "released",  # bundles that were acknowledged before their trades were stored, see PairPartition.release
)
"""Counters of the heartbeat."""
_PREFIX = "pairstream_stream_"
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class StreamMetrics:
    """Metrics of a worker: those of its heartbeat, the lag, and the duration of each stage."""

    def __init__(self, heartbeat: HeartbeatState, known: Mapping[str, Callable[[], float | None]]) -> None:
        """`known` are gauges by name, asked when somebody looks; one that is None at the moment is left out."""
        self.registry = HeartbeatMetrics(heartbeat, known, _PREFIX, levels={"pairs"}).registry
        about = "; ".join(f"{stage}: {what}" for stage, what in STAGES.items())
        histogram = Histogram(
            f"{_PREFIX}stage_seconds", about, ["stage"], buckets=_BUCKETS_S, registry=self.registry
        )
        self.took: Mapping[Stage, Callable[[float], None]] = {
            stage: histogram.labels(stage).observe for stage in STAGES
        }
        """Duration of each stage (s), by its name."""
