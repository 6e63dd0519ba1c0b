"""``pairstream up`` on the synthetic feed: how soon it is there, and what it costs when nothing trades.

python -m benchmarks.up
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.pipeline import Pipeline, pipeline

IDLE_S = 20.0


@contextmanager
def directory() -> Iterator[Path]:
    """Make a directory that PostgreSQL's own user can reach."""
    path = Path(tempfile.mkdtemp(prefix="pairstream-bench-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def processes(running: Pipeline) -> list[psutil.Process]:
    """Return the pipeline's processes, PostgreSQL's included."""
    parent = psutil.Process(running.process.pid)
    return [parent, *parent.children(recursive=True)]


def start() -> tuple[float, float]:
    """Return the seconds from the command to ``ready``, and to the first z-score."""
    with directory() as path:
        began = time.monotonic()
        with pipeline(path, "--feed", "synthetic") as running:
            ready = time.monotonic() - began
            running.wait_until(lambda: bool(zscores(running)), "a z-score")
            return ready, time.monotonic() - began


def zscores(running: Pipeline) -> list[float]:
    """Return the latest z-score, if there is one."""
    rows = running.get("/v1/pairs/ETHUSDT-BTCUSDT/signals?limit=1")["data"]
    return [row["zscore"] for row in rows if row["zscore"] is not None]


def idle() -> tuple[float, float]:
    """Return the share of one core (%) and the proportional memory (MB) of a market without trades."""
    with (
        directory() as path,
        pipeline(path, "--feed", "synthetic", environ={"PAIRSTREAM_RATE": "0"}) as running,
    ):
        time.sleep(10)  # what starting costs is over
        everyone = processes(running)
        before = _seconds(everyone)
        time.sleep(IDLE_S)
        share = 100 * (_seconds(everyone) - before) / IDLE_S
        return share, sum(process.memory_full_info().pss for process in everyone) / 1e6


def _seconds(everyone: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in everyone]
    return sum(one.user + one.system for one in times)


def main() -> None:
    """Print the four figures."""
    ready, first = start()
    share, memory = idle()
    print(f"ready after {ready:.1f} s, first z-score after {first:.1f} s")
    print(f"idle: {share:.1f} % of one core, {memory:.0f} MB")


if __name__ == "__main__":
    main()
