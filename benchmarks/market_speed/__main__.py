"""One command measures the pipeline at the market's speed: a table, and a file that keeps the run.

    python -m benchmarks.market_speed [CASE ...] [--minutes N] [--rates 0,20,1000]

What each case is, and how to read its figures: benchmarks/README.md.
"""

import argparse
import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.load import ROOT
from benchmarks.market_speed import latency, machine, many, rated, rates, replay
from benchmarks.market_speed.options import RATES, Options
from benchmarks.market_speed.result import Result

RESULTS = ROOT / "benchmarks/results"
CASES: dict[str, Callable[[Options], Iterator[Result]]] = {
    "noop": rated.noop,
    "quix": rated.quix,
    "ready": rates.ready,
    "rates": rates.rates,
    "replay": replay.replay,
    "latency": latency.latency,
    "many": many.many,
}


class Run:
    """The results so far, kept after each one: an interrupted run keeps what it has."""

    def __init__(self, options: Options) -> None:
        began = datetime.now(UTC)
        self.path = RESULTS / f"market-speed-{began:%Y-%m-%dT%H-%M-%SZ}.json"
        self._kept: dict[str, Any] = {
            "began": began.isoformat(timespec="seconds"),
            "minutes": options.minutes,
            "machine": machine.facts(),
            "results": [],
        }

    def keep(self, result: Result, load: list[float], took_s: float) -> None:
        """Print a result and write the file anew."""
        print(result, flush=True)
        record = {**result.record(), "load_average_before": load, "took_s": round(took_s, 1)}
        self._kept["results"].append(record)
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(json.dumps(self._kept, indent=1) + "\n")


def measure(name: str, options: Options, run: Run) -> None:
    """Measure one case; what stops it is its result."""
    load, began = machine.load_average(), time.monotonic()
    try:
        for result in CASES[name](options):
            run.keep(result, load, time.monotonic() - began)
            load, began = machine.load_average(), time.monotonic()
    except Exception as error:
        failed = Result(name, "not measured", problems=[f"{type(error).__name__}: {error}"])
        run.keep(failed, load, time.monotonic() - began)


def _rates(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split(",")))


def main(arguments: list[str]) -> None:
    """Measure the cases named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.market_speed", description=__doc__)
    parser.add_argument("case", nargs="*", help=f"{', '.join(CASES)}; all if none is named")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long a window is measured (1)")
    parser.add_argument("--rates", type=_rates, default=RATES, help="ticks per second of the case rates")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.case if name not in CASES]:
        parser.error(f"expected cases among {', '.join(CASES)}, received {', '.join(unknown)}")
    options = Options(given.minutes, given.rates)
    # Whoever ends us means the processes that we started, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Topics are not there before the first message is.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    run = Run(options)
    try:
        for name in given.case or CASES:
            measure(name, options, run)
    except KeyboardInterrupt:
        sys.exit("interrupted")
    print(f"kept in {run.path.relative_to(Path.cwd()) if run.path.is_relative_to(Path.cwd()) else run.path}")


if __name__ == "__main__":
    main(sys.argv[1:])
