"""Stored past of symbols: the last trade of each second from the database, and what the topic has beyond that."""

import asyncio
from collections.abc import Mapping, Sequence
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
from services.store import database, last_trades
from services.stream_analytics.pair_filling import LegHistory, Span
from services.stream_analytics.router import leg_trade
from services.stream_analytics.settings import StreamSettings

# A database that does not answer is not waited for, nor asked again at once: a pair has the topic, too.
_PATIENCE_S = 5.0
_AGAIN_S = 10.0
# The topic is read back for so long, and no further: where the database is away it may hold a day.
_TOPIC_S = 3.0
_MOST_REACH = 32_000
# First that many messages before the end of the topic, then ever more.
_FIRST_REACH = 500
_FURTHER = 4
_MOST_RECORDS = 2_000

log = structlog.get_logger()


class StoredPast:
    """Reads the past of symbols: all that is stored and all that is on the topic ``ticks`` when it is asked.

    The database may be behind, and the topic may reach back for a moment only, but what it has dropped the sink has
    read before: together they have no hole.
    """

    def __init__(self, settings: StreamSettings) -> None:
        self._settings = settings
        self._silent_until_s = 0.0

    async def read(self, spans: Mapping[str, Span]) -> Mapping[str, LegHistory]:
        """Return what there is of each symbol; what cannot be had is logged, and missing."""
        stored = await self._stored(spans)
        recent = await self._published(spans, stored)
        return {symbol: leg._replace(recent=recent.get(symbol, ())) for symbol, leg in stored.items()}

    async def _stored(self, spans: Mapping[str, Span]) -> dict[str, LegHistory]:
        found = dict.fromkeys(spans, LegHistory())
        now_s = asyncio.get_running_loop().time()
        if now_s < self._silent_until_s:
            return found
        try:
            async with (
                asyncio.timeout(_PATIENCE_S + len(spans)),
                database.connect(self._settings.history, "pairstream-analytics") as connection,
            ):
                for symbol, span in spans.items():
                    found[symbol] = await _leg(connection, symbol, span)
        except (TransientError, psycopg.Error, TimeoutError) as error:
            self._silent_until_s = now_s + _AGAIN_S
            log.warning(
                "stored ticks could not be read: pairs are filled from the topic alone",
                reason=reason_of(error),
            )
        return found

    async def _published(
        self, spans: Mapping[str, Span], stored: Mapping[str, LegHistory]
    ) -> Mapping[str, Sequence[LegTrade]]:
        """Return the ticks at the end of the topic: those that are not stored, and all that may be corrected yet."""
        horizon_us = round((self._settings.allowed_lateness_s + self._settings.correction_horizon_s) * SECOND)
        reaches: dict[int, dict[str, _Reach]] = {}
        for symbol, span in spans.items():
            trades = stored[symbol].stored
            reach = _Reach(
                span.start_us, span.first_us - horizon_us - SECOND, trades[-1].trade_id if trades else -1
            )
            number = partition_of_key(symbol.encode(), range(self._settings.partitions))
            reaches.setdefault(number, {})[symbol] = reach
        # Nobody wakes a reader that reads but once.
        settings = self._settings.model_copy(update={"wake_directory": None})
        found: dict[str, list[LegTrade]] = {}
        try:
            async with asyncio.timeout(2 * _TOPIC_S), clients.consumer(settings) as consumer:
                for number, wanted in reaches.items():
                    for tick in await _tail(consumer, TopicPartition(TICKS.name, number), wanted):
                        if tick.event_us <= spans[tick.symbol].end_us:
                            found.setdefault(tick.symbol, []).append(leg_trade(tick))
        except (KafkaError, TimeoutError) as error:
            log.warning(
                "the newest ticks could not be read: pairs are filled without them", reason=reason_of(error)
            )
        return found


class _Reach(NamedTuple):
    """Limit of reading ticks backwards: `start_us`, or a tick as old as `settled_us` with a stored id."""

    start_us: int
    settled_us: int
    stored_id: int

    def ends_at(self, tick: Tick) -> bool:
        return tick.event_us < self.start_us or (
            tick.event_us < self.settled_us and tick.trade_id <= self.stored_id
        )


async def _leg(connection: database.Connection, symbol: str, span: Span) -> LegHistory:
    """Return a symbol's seconds that are over; the one that is open is the topic's."""
    trades, bars_until_us = list[LegTrade](), 0
    pages = last_trades.read(connection, symbol, span.start_us, span.end_us - span.end_us % SECOND)
    async with aclosing(pages):
        async for page in pages:
            for second_us, first_id, trade_id, price, event_us in page:
                if event_us is None:
                    bars_until_us = second_us + SECOND
                    event_us = bars_until_us - 1
                trades.append(LegTrade(symbol, event_us, trade_id, price, first_id))
    return LegHistory(trades, bars_until_us)


async def _tail(
    consumer: AIOKafkaConsumer, place: TopicPartition, wanted: Mapping[str, _Reach]
) -> list[Tick]:
    """Return the ticks of symbols at the end of a partition, as far back as they are wanted, in their order."""
    consumer.assign([place])
    first = (await consumer.beginning_offsets([place]))[place]
    begin = (await consumer.end_offsets([place]))[place]
    size, found, reached = _FIRST_REACH, list[Tick](), set[str]()
    deadline_s = asyncio.get_running_loop().time() + _TOPIC_S
    while begin > first and not reached.issuperset(wanted):
        if asyncio.get_running_loop().time() > deadline_s:
            break
        begin, until, size = max(first, begin - size), begin, min(_MOST_REACH, size * _FURTHER)
        ticks = await _between(consumer, place, begin, until)
        found = [tick for tick in ticks if tick.symbol in wanted] + found
        reached.update(tick.symbol for tick in found if wanted[tick.symbol].ends_at(tick))
    return found


async def _between(consumer: AIOKafkaConsumer, place: TopicPartition, begin: int, until: int) -> list[Tick]:
    consumer.seek(place, begin)
    ticks: list[Tick] = []
    while await consumer.position(place) < until:
        found = await consumer.getmany(place, timeout_ms=100, max_records=_MOST_RECORDS)
        raws = [record.value for record in found.get(place, ()) if record.offset < until]
        ticks += decode_ticks(raws, clock.now_us()).messages
        await asyncio.sleep(0)
    return ticks
