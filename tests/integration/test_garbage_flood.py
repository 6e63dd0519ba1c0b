"""Flood of 50,000 bad messages: every good one is found, a sample is kept, and the counters add up."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from itertools import cycle

import psycopg
import pytest

from services.common.codec import decode, encode
from services.common.kafka.dead_letters import A_SECOND, AT_ONCE
from services.contracts.messages import Heartbeat, Tick
from tests.broker import produce, read_all
from tests.child import child
from tests.waiting import wait_until
from tests.workers import PAIRS, SYMBOLS, tape

pytestmark = pytest.mark.integration

GARBAGE = 50_000
TICKS = tape(40, per_second=25)
# What is no JSON, no tick, or holds what no database stores.
KINDS = (
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 200,
    b'{"venue":"test"}',
    encode(TICKS[0]).replace(b"USDT", rb"\u0000"),
    encode(TICKS[0]).replace(b"USDT", b"U" * 64),
)


def flood(ticks: Iterable[Tick]) -> Iterable[tuple[bytes, int]]:
    """Return garbage on every partition, evenly between ticks, each of which is on that of its symbol."""
    kinds = cycle(KINDS)
    for number, tick in enumerate(ticks):
        for place in range(number * GARBAGE // len(TICKS), (number + 1) * GARBAGE // len(TICKS)):
            yield next(kinds), place % 4
        yield encode(tick), SYMBOLS.index(tick.symbol) % 4


async def run(service: str, broker: str, **environment: str) -> tuple[Heartbeat, float]:
    """Run a service until it has read the flood; return its last word, and how long it took."""
    given = {"PAIRSTREAM_BROKERS": broker, "PAIRSTREAM_FETCH_MAX_WAIT_MS": "25", **environment}
    beat: Heartbeat | None = None
    async with child(f"services.{service}", **given) as process:
        began_s = time.monotonic()

        def counted() -> bool:
            nonlocal beat
            found = asyncio.run(read_all(broker, "heartbeats"))
            beat = max(
                (decode(one.value, Heartbeat) for one in found), key=lambda one: one.at_us, default=None
            )
            return beat is not None and (beat.counters["dead_letters"], beat.counters["ticks"]) == (
                GARBAGE,
                len(TICKS),
            )

        await asyncio.to_thread(wait_until, counted, f"{service} has read everything, it says {beat}", 60)
        took_s = time.monotonic() - began_s
        process.kill()
        _, log = await process.communicate()
    assert log.count(b"could not be processed") < 10 + took_s + 2
    assert beat is not None
    return beat, took_s


def require_sample(broker: str, beat: Heartbeat, took_s: float) -> None:
    """Require a bounded sample of all kinds in ``dead-letters``, and that the rest is counted."""
    letters = asyncio.run(read_all(broker, "dead-letters"))
    assert AT_ONCE <= len(letters) <= AT_ONCE + A_SECOND * took_s
    assert len(letters) + beat.counters["dead_letters_not_kept"] == GARBAGE
    assert Counter(letter.value for letter in letters).keys() == set(KINDS)
    assert {dict(letter.headers)["service"] for letter in letters} == {beat.service.encode()}


def test_the_sink_stores_every_tick_of_a_flood_of_garbage(broker: str, database_url: str) -> None:
    produce(broker, "ticks", flood(TICKS))
    beat, took_s = asyncio.run(run("sink", broker, PAIRSTREAM_DATABASE_URL=database_url))
    require_sample(broker, beat, took_s)
    with psycopg.connect(database_url) as connection:
        stored = connection.execute("SELECT symbol, trade_id FROM ticks").fetchall()
    assert sorted(stored) == sorted((tick.symbol, tick.trade_id) for tick in TICKS)


def test_the_analytics_measure_every_tick_of_a_flood_of_garbage(broker: str) -> None:
    produce(broker, "ticks", flood(TICKS))
    names = {"PAIRSTREAM_SYMBOLS": ",".join(SYMBOLS), "PAIRSTREAM_PAIRS": ",".join(PAIRS)}
    beat, took_s = asyncio.run(run("stream_analytics", broker, **names))
    require_sample(broker, beat, took_s)
