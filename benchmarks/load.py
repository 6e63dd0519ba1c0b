"""Load of the stream_analytics benchmarks: symbols, pairs, a market, and a process."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import IO

from services.common.codec import encode
from services.contracts.messages import Tick

ROOT = Path(__file__).parents[1]
# As `pairstream up` gives it to stream_analytics: the embedded broker answers a fetch when its wait is over.
_FETCH_MAX_WAIT_MS = 5


def symbols(count: int) -> list[str]:
    """Return so many names."""
    return [f"S{number:02}USDT" for number in range(count)]


def pairs(names: Sequence[str], count: int) -> list[str]:
    """Return so many pairs, which use each symbol about equally often."""
    made = sorted(combinations(names, 2), key=lambda pair: names.index(pair[1]) - names.index(pair[0]))
    return [f"{y}-{x}" for y, x in made[:count]]


class Market:
    """Walking symbols, one trade after the other."""

    def __init__(self, names: Sequence[str], first_id: int = 0) -> None:
        self._draw = random.Random(1)
        self._prices = {name: 100.0 * (1 + number) for number, name in enumerate(names)}
        self._ids = dict.fromkeys(names, first_id)
        self._names = list(names)

    def tick(self, name: str, event_us: int) -> tuple[bytes, bytes]:
        """Return the key and the value of the next trade of a symbol."""
        self._ids[name] += 1
        self._prices[name] *= 1 + self._draw.gauss(0, 1e-4)
        tick = Tick(
            venue="bench",
            symbol=name,
            trade_id=self._ids[name],
            event_us=event_us,
            received_us=event_us,
            price=self._prices[name],
            size=1.0,
            buyer_is_maker=False,
        )
        return name.encode(), encode(tick)

    def any_tick(self, event_us: int) -> tuple[bytes, bytes]:
        """Return the next trade of some symbol."""
        return self.tick(self._draw.choice(self._names), event_us)


def of(names: Sequence[str], watched: Sequence[str], **more: object) -> dict[str, str]:
    """Return the variables of a worker."""
    given = {"symbols": ",".join(names), "pairs": ",".join(watched), **more}
    return {f"PAIRSTREAM_{name.upper()}": str(value) for name, value in given.items()}


@contextmanager
def process(
    module: str,
    broker: str,
    environ: Mapping[str, str],
    python: str = sys.executable,
    stderr: IO[str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Run a module until the block ends, by the interpreter `python`."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PAIRSTREAM_BROKERS": broker,
        "PAIRSTREAM_FETCH_MAX_WAIT_MS": str(_FETCH_MAX_WAIT_MS),
        "PAIRSTREAM_LOG_LEVEL": "warning",
        **environ,
    }
    running = subprocess.Popen(  # noqa: S603
        [python, "-m", module], env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait()
