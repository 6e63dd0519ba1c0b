"""What a worker measures of itself."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Stage = Literal["ticks", "leg_trades", "measure", "save"]
STAGES: Mapping[Stage, str] = {
    "ticks": "the oldest tick of a batch from its topic to the worker",
    "leg_trades": "trades from their topic to the worker",
    "measure": "what the trades of one message close and cross, until it is handed to the producer",
    "save": "a share of the windows, until it is handed to the producer",
}
_PREFIX = "pairstream_stream_"
# What goes up and down; all other counts only grow.
_GAUGES = frozenset({"pairs"})
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class StreamMetrics(Collector):
    """The counters of the heartbeat, the lag, and how long each stage takes."""

    def __init__(self, counters: Mapping[str, int], gauges: Mapping[str, Callable[[], float | None]]) -> None:
        """`gauges` are asked when somebody looks; one that is not known is None and left out."""
        self.registry = CollectorRegistry()
        self._counters = counters
        self._gauges = gauges
        about = "; ".join(f"{stage}: {what}" for stage, what in STAGES.items())
        histogram = Histogram(
            f"{_PREFIX}stage_seconds", about, ["stage"], buckets=_BUCKETS_S, registry=self.registry
        )
        self.took: Mapping[Stage, Callable[[float], None]] = {
            stage: histogram.labels(stage).observe for stage in STAGES
        }
        """How long a stage took (s), by the name of the stage."""
        self.registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Yield what is counted elsewhere."""
        for name, count in list(self._counters.items()):
            if name not in _GAUGES:
                yield CounterMetricFamily(f"{_PREFIX}{name}", f"Since the start: {name}.", value=count)
        known = {name: float(self._counters[name]) for name in _GAUGES & self._counters.keys()}
        known |= {name: value for name, ask in self._gauges.items() if (value := ask()) is not None}
        for name, value in known.items():
            yield GaugeMetricFamily(f"{_PREFIX}{name}", f"Now: {name}.", value=value)
