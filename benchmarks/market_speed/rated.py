"""Cases `noop` and `quix`: ticks for each second of processor time, beside others on the same backlog."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from benchmarks.market_speed import peers
from benchmarks.market_speed.backlog import NOOP, OURS, Backlog, Key, Rate, Worker, turns
from benchmarks.market_speed.options import Options
from benchmarks.market_speed.result import Result
from services.contracts.messages import Signal
from tests.brokers import distribution
from tests.brokers.kafka import kafka_cluster
from tests.fix_broker import embedded_broker

_TOLERANCE = 1e-9

_Broker = Callable[[], AbstractContextManager[str]]


def noop(_: Options) -> Iterator[Result]:
    """stream_analytics beside a Faust agent that does nothing, on the embedded broker and on Kafka."""
    backlog = Backlog()
    yield beside([NOOP, OURS], "noop-embedded", embedded_broker, backlog)
    if reason := distribution.missing():
        yield Result("noop-kafka", "not measured", problems=[reason])
    else:
        yield beside([NOOP, OURS], "noop-kafka", kafka, backlog)


def quix(_: Options) -> Iterator[Result]:
    """stream_analytics beside the same computation on Quix Streams, on Kafka."""
    if reason := distribution.missing():
        yield Result("quix", "not measured", problems=[reason])
        return
    python, module = peers.python_of("quix"), "benchmarks.peers.quix.worker"
    grouped = Worker("quix_grouped", module, python, environ={"BENCH_GROUPED": "1"})
    result = beside([OURS, grouped, Worker("quix_one_process", module, python)], "quix", kafka, Backlog())
    result.figures["quixstreams"] = peers.version_of("quix", "quixstreams")
    yield result


@contextmanager
def kafka() -> Iterator[str]:
    """Run a Kafka of its own and yield its address."""
    with kafka_cluster() as cluster:
        yield cluster.servers


def beside(
    workers: Sequence[Worker], case: str, broker: _Broker, backlog: Backlog, rounds: int = 3
) -> Result:
    """Return the rate of stream_analytics beside those of others, the best of some rounds."""
    rates = turns(workers, broker, backlog, rounds)
    best = {name: max(one.ticks_s for one in found) for name, found in rates.items()}
    ours = best[OURS.name]
    ratios = {name: round(ours / one, 3) for name, one in best.items() if name != OURS.name}
    beside = ", ".join(f"{name} {best[name]:,.0f} (ratio {ratio:.2f})" for name, ratio in ratios.items())
    figures = {
        "ticks": backlog.ticks,
        "pairs": len(backlog.pairs),
        "closed_signals": len(backlog.expected),
        "ticks_per_processor_s": {name: round(one) for name, one in best.items()},
        "every_run": {name: [round(one.ticks_s) for one in found] for name, found in rates.items()},
        "ratio_to": ratios,
    }
    difference, problems = _compared(workers, rates, backlog.expected)
    figures["largest_difference"] = difference
    line = f"stream_analytics {ours:,.0f} ticks per processor second; {beside}"
    return Result(case, line, figures, problems)


def _compared(
    workers: Sequence[Worker], rates: Mapping[str, Sequence[Rate]], expected: Mapping[Key, Signal]
) -> tuple[dict[str, float], list[str]]:
    """Return by how much the z-scores of each differ from what one uninterrupted worker says, at most."""
    found: dict[str, float] = {}
    problems = []
    for worker in workers:
        if not worker.signals:
            continue
        each = [difference(one.signals, expected) for one in rates[worker.name]]
        found[worker.name] = max(each)
        if found[worker.name] > _TOLERANCE:
            problems.append(f"{worker.name} computes something else: z-scores differ by {max(each):g}")
    return found, problems


def difference(said: Mapping[Key, Signal], expected: Mapping[Key, Signal]) -> float:
    """Return the largest difference of z-scores; infinity where one has what the other has not."""
    if said.keys() != expected.keys():
        return float("inf")
    largest = 0.0
    for key, one in expected.items():
        other = said[key]
        if (one.y_price, one.x_price, one.samples) != (other.y_price, other.x_price, other.samples):
            return float("inf")
        if one.zscore is None or other.zscore is None:
            if one.zscore is not other.zscore:
                return float("inf")
        else:
            largest = max(largest, abs(one.zscore - other.zscore))
    return largest
