"""Stored past of symbols: the last trade of each second from the database, and what the topic has beyond that."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import NamedTuple

import psycopg
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.common import clock
from services.common.clock import SECOND
from services.common.errors import TransientError, reason_of
from services.common.kafka import clients
from services.common.kafka.publisher import partition_of_key
from services.common.plausibility import decode_ticks
from services.contracts.messages import LegTrade, Tick
from services.contracts.topics import TICKS
from services.store import database, last_trades, offsets
from services.stream_analytics.pair_filling import LegHistory, Span
from services.stream_analytics.router import leg_trade
from services.stream_analytics.settings import StreamSettings

# A database that does not answer is not waited for, nor asked again at once: a pair has the topic, too.
_PATIENCE_S = 5.0
_AGAIN_S = 10.0
# The topic is read back for so long, and no further: where the database is away it may hold a day.
_TOPIC_S = 3.0
# To what the sink has stored it is read back for so long: on a loaded machine everything takes long.
_JOIN_S = 20.0
# A broker that says nothing for so long is asked anew.
_ANSWER_S = 60.0
_MOST_REACH = 32_000
# First that many messages before the end of the topic, then ever more.
_FIRST_REACH = 500
_FURTHER = 4
_MOST_RECORDS = 2_000

log = structlog.get_logger()


class _Stored(NamedTuple):
    """What the database has of symbols, and the offsets in ``ticks`` before which nothing is missing there.

    They are those of the partitions that have one; there are none at all of a database that nobody writes to.
    """

    legs: Mapping[str, LegHistory]
    until: Mapping[int, int] | None


class StoredPast:
    """Reads the past of symbols: all that is stored and all that is on the topic ``ticks`` when it is asked.

    The database may be behind, and the topic may reach back for a moment only, but what it has dropped the sink has
    read before. The sink's offsets say how far back it must be read, so together they have no hole.
    """

    def __init__(self, settings: StreamSettings) -> None:
        self._settings = settings
        self._silent_until_s = 0.0

    async def read(self, spans: Mapping[str, Span]) -> Mapping[str, LegHistory]:
        """Return what there is of each symbol up to its first live trade, without a hole.

        If that is less than is wanted, the beginning is missing, and it is logged. TransientError if the topic cannot
        be read: nobody knows then what came between the last stored trade and the first live one.
        """
        stored = await self._stored(spans)
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await self._joined(spans, stored)
        except (KafkaError, TimeoutError) as error:
            raise TransientError(f"expected the newest {TICKS.name}, received {reason_of(error)}") from error

    async def _stored(self, spans: Mapping[str, Span]) -> _Stored | None:
        """Return what is stored, None if the database does not answer."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._silent_until_s:
            return None
        # What is replayed is in the database that it is replayed from, and no sink writes there.
        cluster = None if self._settings.history_database_url else await clients.cluster_id(self._settings)
        try:
            async with (
                asyncio.timeout(_PATIENCE_S + len(spans)),
                database.connect(self._settings.history, "pairstream-analytics") as connection,
            ):
                # Before the rows: those that come in between are on the topic, too.
                until = None if cluster is None else await _stored_until(connection, cluster)
                return _Stored(
                    {symbol: await _leg(connection, symbol, span) for symbol, span in spans.items()}, until
                )
        except (TransientError, psycopg.Error, TimeoutError) as error:
            self._silent_until_s = now_s + _AGAIN_S
            log.warning(
                "stored ticks could not be read: pairs are filled from the topic alone",
                reason=reason_of(error),
            )
        return None

    async def _joined(self, spans: Mapping[str, Span], stored: _Stored | None) -> Mapping[str, LegHistory]:
        """Return what is `stored` with the ticks at the end of the topic: those that are not, and all that may be
        corrected yet.
        """
        horizon_us = round((self._settings.allowed_lateness_s + self._settings.correction_horizon_s) * SECOND)
        wanted: dict[int, dict[str, int]] = {}
        for symbol, span in spans.items():
            since_us = span.start_us if stored is None else span.first_us - horizon_us - SECOND
            number = partition_of_key(symbol.encode(), range(self._settings.partitions))
            wanted.setdefault(number, {})[symbol] = max(span.start_us, since_us)
        # Nobody wakes a reader that reads but once.
        settings = self._settings.model_copy(update={"wake_directory": None})
        found = dict.fromkeys(spans, LegHistory()) if stored is None else dict(stored.legs)
        async with clients.consumer(settings) as consumer:
            for number, since in wanted.items():
                until = None if stored is None or stored.until is None else stored.until.get(number, 0)
                ticks, is_joined = await _tail(consumer, TopicPartition(TICKS.name, number), since, until)
                if not is_joined:
                    log.warning(
                        "the newest ticks do not reach back to those stored: pairs are filled from them alone",
                        symbols=sorted(since),
                    )
                for symbol in since:
                    recent = [
                        leg_trade(tick)
                        for tick in ticks
                        if tick.symbol == symbol and tick.event_us <= spans[symbol].end_us
                    ]
                    found[symbol] = (found[symbol] if is_joined else LegHistory())._replace(recent=recent)
        return found


async def _stored_until(connection: database.Connection, cluster: str) -> Mapping[int, int]:
    """Return the offsets in ``ticks`` from which on the sink has not stored anything yet."""
    stored = await offsets.stored(connection, cluster)
    return {place.partition: offset for place, offset in stored.items() if place.topic == TICKS.name}


async def _leg(connection: database.Connection, symbol: str, span: Span) -> LegHistory:
    """Return a symbol's seconds, with that of the last moment: more of it may come by the topic, or be live."""
    trades, bars_until_us = list[LegTrade](), 0
    until_us = span.end_us - span.end_us % SECOND + SECOND
    pages = last_trades.read(connection, symbol, span.start_us, until_us)
    async with aclosing(pages):
        async for page in pages:
            for second_us, first_id, trade_id, price, event_us in page:
                if event_us is None:
                    bars_until_us = second_us + SECOND
                    event_us = bars_until_us - 1
                trades.append(LegTrade(symbol, event_us, trade_id, price, first_id))
    return LegHistory(trades, bars_until_us)


async def _tail(
    consumer: AIOKafkaConsumer, place: TopicPartition, wanted: Mapping[str, int], until: int | None
) -> tuple[list[Tick], bool]:
    """Return the ticks of symbols at the end of a partition, in their order, and whether they reach back to `until`.

    Beyond that offset they are read back to the time that is `wanted` of each, or as far as can be done soon.
    """
    consumer.assign([place])
    first = (await consumer.beginning_offsets([place]))[place]
    begin = end = (await consumer.end_offsets([place]))[place]
    if until is None:
        until = end
    elif until > end:
        # Of an earlier topic of that name.
        until = 0
    size, found, reached = _FIRST_REACH, list[Tick](), set[str]()
    began_s = asyncio.get_running_loop().time()
    while begin > first and (begin > until or not reached.issuperset(wanted)):
        if asyncio.get_running_loop().time() - began_s > (_JOIN_S if begin > until else _TOPIC_S):
            break
        begin, before, size = max(first, begin - size), begin, min(_MOST_REACH, size * _FURTHER)
        ticks = await _between(consumer, place, begin, before)
        found = [tick for tick in ticks if tick.symbol in wanted] + found
        reached.update(tick.symbol for tick in found if tick.event_us < wanted[tick.symbol])
    return found, begin <= until


async def _between(consumer: AIOKafkaConsumer, place: TopicPartition, begin: int, until: int) -> list[Tick]:
    consumer.seek(place, begin)
    ticks: list[Tick] = []
    while await consumer.position(place) < until:
        found = await consumer.getmany(place, timeout_ms=100, max_records=_MOST_RECORDS)
        raws = [record.value for record in found.get(place, ()) if record.offset < until]
        ticks += decode_ticks(raws, clock.now_us()).messages
        await asyncio.sleep(0)
    return ticks
