"""A backlog: ticks for each second of processor time, of one worker that has more to read than it can.

A worker reads the first seconds of the tape and is stopped. Part of the rest is written, the worker goes on, and what
counts is the time that it has of all cores from then until its last closed signal is on the topic; so part by part, for
a broker in memory keeps little. The last ticks of a part are those that close its last second, so that is the end of
its work. What a worker puts off, as storing its state and its offsets, it has to do in the parts that follow.
"""

import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import IO, NamedTuple

from aiokafka import AIOKafkaConsumer

from benchmarks.load import of, pairs, process, symbols
from benchmarks.market_speed import tape
from services.common import clock
from services.common.clock import SECOND
from services.common.codec import decode, encode
from services.common.kafka.publisher import Publisher, publisher
from services.common.settings import KafkaSettings
from services.contracts.messages import PairConfig, Signal, Tick
from services.contracts.topics import SIGNALS, TICKS
from tests.analytics import outcomes

_WARM_S, _PARTS, _PART_S, _PER_SECOND = 2, 8, 40, 1_000
_LIMIT_S = 120

Key = tuple[str, int]


class Worker(NamedTuple):
    """A program to be measured; without `signals` it says itself when it has read a part."""

    name: str
    module: str
    python: str = sys.executable
    signals: bool = True
    environ: Mapping[str, str] = {}


NOOP = Worker("faust_noop", "benchmarks.stream_noop", signals=False)
OURS = Worker("stream_analytics", "services.stream_analytics")


class Rate(NamedTuple):
    """What a worker did: ticks a second of processor time, and its closed signals."""

    ticks_s: float
    signals: dict[Key, Signal]


class Backlog:
    """10 pairs of 10 symbols, 1,000 ticks for a second of the tape, in parts of which the first only warms up."""

    def __init__(self, parts: int = _PARTS) -> None:
        self.names = symbols(10)
        self.pairs = pairs(self.names, 10)
        seconds = _WARM_S + parts * _PART_S
        start_us = clock.now_us() // SECOND * SECOND - 2 * seconds * SECOND
        # A second more, of which only the trades count that end the one before.
        ticks = tape.made(self.names, _PER_SECOND, start_us, seconds + 1)
        ends = [start_us + (_WARM_S + number * _PART_S) * SECOND for number in range(parts + 1)]
        self.parts = tape.parts(ticks, ends)
        expected = {
            (pair, one.signal.event_us): one.signal
            for pair in self.pairs
            for one in outcomes(
                [tick for part in self.parts for tick in part], PairConfig(pair=pair), ends=False
            )
        }
        self.expected: dict[Key, Signal] = expected
        """What stream_analytics says of it without Kafka and without a pause."""
        self.wanted = [{key for key in expected if key[1] <= end_us} for end_us in ends]
        """Of which seconds there are closed signals once a part is read."""

    @property
    def ticks(self) -> int:
        """How many ticks are measured."""
        return sum(map(len, self.parts[1:]))


def measured(worker: Worker, servers: str, backlog: Backlog) -> Rate:
    """Return the rate of a worker on an empty broker; AssertionError if it does not come to an end."""
    with tempfile.TemporaryFile("w+") as log:
        try:
            return asyncio.run(_measured(worker, servers, backlog, log))
        except (AssertionError, TimeoutError) as error:
            log.seek(0)
            last = [line for line in log.read().splitlines() if line.strip()][-1:]
            raise AssertionError(f"{worker.name}: {error or 'it did not answer'} {last or ''}") from error


async def _measured(worker: Worker, servers: str, backlog: Backlog, log: IO[str]) -> Rate:
    environ = of(backlog.names, backlog.pairs, session_timeout_s=60)
    environ |= {"BENCH_PARTS": ",".join(str(len(part)) for part in backlog.parts), **worker.environ}
    said: dict[Key, Signal] = {}
    async with (
        publisher(KafkaSettings(brokers=servers)) as producer,
        AIOKafkaConsumer(SIGNALS.name, bootstrap_servers=servers, fetch_max_wait_ms=5) as reader,
    ):
        await _put(producer, backlog.parts[0])
        with process(worker.module, servers, environ, worker.python, log) as running:

            async def done(number: int) -> float:
                """Return what the worker has had of the processor when it is done with a part."""
                if worker.signals:
                    await _signals(reader, running, said, backlog.wanted[number])
                else:
                    await _line(running, str(number))
                return processor_s(running.pid)

            await done(0)
            took_s = 0.0
            for number in range(1, len(backlog.parts)):
                running.send_signal(signal.SIGSTOP)
                await _put(producer, backlog.parts[number])
                before_s = processor_s(running.pid)
                running.send_signal(signal.SIGCONT)
                took_s += await done(number) - before_s
    return Rate(backlog.ticks / took_s, said)


def turns(
    workers: Sequence[Worker],
    broker: Callable[[], AbstractContextManager[str]],
    backlog: Backlog,
    rounds: int = 3,
) -> dict[str, list[Rate]]:
    """Return the rates of workers that take turns, each time on a broker of its own."""
    rates: dict[str, list[Rate]] = {worker.name: [] for worker in workers}
    for _ in range(rounds):
        for worker in workers:
            with broker() as servers:
                rates[worker.name].append(measured(worker, servers, backlog))
    return rates


def processor_s(pid: int) -> float:
    """Return the seconds that a process has had of all cores, all its threads, user and system; Linux."""
    # CLOCK_PROCESS_CPUTIME_ID of another process, as the kernel's MAKE_PROCESS_CPUCLOCK names it.
    return time.clock_gettime((~pid << 3) | 2)


async def _put(producer: Publisher, ticks: list[Tick]) -> None:
    """Write ticks as ingest does, as old as they are: nobody takes them for the present."""
    for tick in ticks:
        await producer.send(
            TICKS.name,
            value=encode(tick),
            key=tick.symbol.encode(),
            timestamp_ms=tick.event_us // 1_000,
        )
    await producer.flush()


async def _signals(
    reader: AIOKafkaConsumer,
    running: subprocess.Popen[str],
    said: dict[Key, Signal],
    wanted: set[Key],
) -> None:
    """Read closed signals into `said` until it has those that are wanted."""
    deadline = time.monotonic() + _LIMIT_S
    while not wanted <= said.keys():
        for records in (await reader.getmany(timeout_ms=5)).values():
            for record in records:
                one = decode(record.value, Signal)
                if one.closed:
                    said[one.pair, one.event_us] = one
        assert running.poll() is None, f"the worker ended with {running.returncode}"
        assert time.monotonic() < deadline, (
            f"{len(wanted - said.keys())} of {len(wanted)} closed signals had not come after {_LIMIT_S} s"
        )


async def _line(running: subprocess.Popen[str], word: str) -> None:
    assert running.stdout is not None
    line: Awaitable[str] = asyncio.to_thread(running.stdout.readline)
    async with asyncio.timeout(_LIMIT_S):
        said = (await line).strip()
    assert said == word, f"expected {word}, received {said!r}"
