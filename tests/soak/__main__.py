"""``python -m tests.soak --minutes 10``: ingest among random faults; exit code 1 unless its tape is complete."""

import argparse
import asyncio
import random
import shutil
import sys
import time
from pathlib import Path

from services.store import schema
from tests.fix_database import embedded_postgres
from tests.soak.performance import Performance, perform
from tests.soak.rig import Rig, rig
from tests.soak.schedule import acts

# 2,000 trades a second.
RATES = {"BTCUSDT": 1000.0, "ETHUSDT": 500.0, "SOLUSDT": 300.0, "XRPUSDT": 150.0, "DOGEUSDT": 50.0}
# A buffer small enough to overflow, and a watchdog quick enough to bite, while the soak lasts.
ENVIRONMENT = {"PAIRSTREAM_BUFFER_FRAMES": "20000", "PAIRSTREAM_SILENCE_S": "2"}
_EVERY_S = 5.0
_SETTLE_S = 180
_GROWTH = 0.05


def report(running: Rig, performance: Performance, complaints: list[str], took_s: float) -> str:
    """Return the table."""
    checker = running.checker
    beat = checker.heartbeat
    repairs = sum(len(seen.repaired) for seen in checker.seen.values())
    trades = checker.count
    rows: list[tuple[str, object]] = [
        ("faults", ", ".join(f"{name} {times}" for name, times in sorted(performance.done.items()))),
        ("seconds", f"{took_s:.0f}"),
        ("ticks on the topic", f"{checker.ticks:,}"),
        ("distinct trades", f"{trades:,} ({trades / took_s:,.0f}/s)"),
        ("sent twice", f"{checker.repeats:,}"),
        ("repaired", f"{repairs:,}"),
        ("gaps", f"{len(checker.gaps):,}, open {len(checker.open_gaps())}"),
        ("events", ", ".join(f"{kind} {times}" for kind, times in sorted(checker.kinds.items()))),
        ("dead letters", checker.dead_letters),
        ("coverage 24 h", ", ".join(f"{s} {e.coverage_24h}" for s, e in sorted(checker.coverage.items()))),
        ("counters", beat.counters if beat else "no heartbeat"),
        ("memory", f"{performance.memory[-1] / 1e6:.0f} MB, {performance.growth:+.1%} in the second half"),
        ("complaints", len(complaints)),
    ]
    return "\n".join([*(f"{name:<20} {value}" for name, value in rows), *complaints])


async def soak(url: str, minutes: float, seed: int, log: Path | None) -> int:
    """Run, print the table, and return the exit code."""
    began = time.monotonic()
    async with rig(RATES, ENVIRONMENT, url) as running:
        await running.wait_until_live()
        try:
            performance = await perform(running, acts(seed, [*RATES], 60 * minutes, _EVERY_S))
            complaints = await running.settle(_SETTLE_S)
        finally:
            if log is not None:
                shutil.copy(running.ingest.log, log)
        if performance.growth > _GROWTH:
            complaints.append(f"memory grew by {performance.growth:.1%} in the second half")
        sys.stdout.write(report(running, performance, complaints, time.monotonic() - began) + "\n")
        return 1 if complaints else 0


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, help="of the faults; drawn and printed if it is not given")
    parser.add_argument("--log", type=Path, help="where to copy the log of ingest")
    given = parser.parse_args()
    seed = random.randrange(10_000) if given.seed is None else given.seed
    sys.stdout.write(f"{'seed':<20} {seed}\n")
    with embedded_postgres("pairstream-soak-") as server:
        schema.upgrade(server.url)
        code = asyncio.run(soak(server.url, given.minutes, seed, given.log))
    sys.exit(code)


if __name__ == "__main__":
    main()
