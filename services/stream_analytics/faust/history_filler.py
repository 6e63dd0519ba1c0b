"""History filler: brings the stored past to the pairs that have none, a few seconds of it at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import structlog

from services.common.backoff import Backoff
from services.common.cancellation import pause
from services.common.errors import TransientError, reason_of
from services.common.kafka.publisher import Publisher
from services.contracts.topics import WINDOWS
from services.stream_analytics.corrections import Outcome
from services.stream_analytics.faust.pair_partitions import PairPartitions
from services.stream_analytics.pair_filling import LegHistory, PairFilling, Span
from services.stream_analytics.pair_partition import PairPartition

_LOOK_S = 0.05
# Pairs whose histories are in memory together.
_TOGETHER = 20
# Trades of a turn: a few milliseconds, in which nothing else is measured.
_TURN = 100

Read = Callable[[Mapping[str, Span]], Awaitable[Mapping[str, LegHistory]]]
Publish = Callable[[int, Sequence[Outcome], Collection[str]], Awaitable[None]]

log = structlog.get_logger()


class HistoryFiller:
    """Fills pairs beside all others, which wait for no more than a turn of it.

    Before a pair says anything it is stored where it begins, so whoever fills it again begins there, too.
    """

    def __init__(
        self, partitions: PairPartitions, read: Read, publish: Publish, may_write: Callable[[int], bool]
    ) -> None:
        """`read` returns the past of symbols; `publish` takes what pairs of a partition say and which have joined.

        While `read` raises TransientError pairs wait: a window with a hole would look like a full one.
        """
        self._backoff = Backoff()
        self._partitions = partitions
        self._read = read
        self._publish = publish
        self._may_write = may_write

    async def run(self, publisher: Publisher) -> None:
        """Fill whatever has to be, until cancelled."""
        while True:
            await pause(_LOOK_S)
            for number, partition in list(self._partitions.here.items()):
                heard = [one for one in partition.fillings.values() if one.is_heard and not one.is_begun]
                if heard:
                    await self._fill(number, partition, heard[:_TOGETHER], publisher)

    async def _fill(
        self, number: int, partition: PairPartition, fillings: Sequence[PairFilling], publisher: Publisher
    ) -> None:
        began_s = asyncio.get_running_loop().time()
        try:
            histories = await self._read(_spans(fillings))
        except TransientError as error:
            delay_s = self._backoff.next_s()
            log.warning(
                "the past of pairs could not be read: they wait for it",
                pairs=[filling.config.pair for filling in fillings],
                reason=reason_of(error),
                retry_in_s=round(delay_s, 1),
            )
            await pause(delay_s)
            return
        self._backoff.reset()

        def is_ours() -> bool:
            return self._partitions.here.get(number) is partition and self._may_write(number)

        async with self._partitions.busy:
            # Meanwhile the partition may have gone, and a pair may be measured another way.
            wanted = [one for one in fillings if partition.fillings.get(one.config.pair) is one]
            if not is_ours():
                return
            for filling in wanted:
                filling.begin(histories)
            await self._partitions.flush(number, is_ours)
            await publisher.flush(WINDOWS.name)
        for filling in wanted:
            await self._go_along(number, partition, filling, is_ours)
            log.info(
                "a pair is filled"
                if filling.filled.text
                else "a pair starts with an empty window: nothing is stored",
                pair=filling.config.pair,
                filled=filling.filled.text or None,
                took_s=round(asyncio.get_running_loop().time() - began_s, 2),
            )

    async def _go_along(
        self, number: int, partition: PairPartition, filling: PairFilling, is_ours: Callable[[], bool]
    ) -> None:
        while True:
            async with self._partitions.busy:
                if not is_ours() or partition.fillings.get(filling.config.pair) is not filling:
                    return
                outcomes = filling.step(_TURN)
                if filling.is_done:
                    partition.join(filling.config.pair)
                    await self._publish(number, outcomes, [filling.config.pair])
                    return
                await self._publish(number, outcomes, [])
            await asyncio.sleep(0)


def _spans(fillings: Sequence[PairFilling]) -> Mapping[str, Span]:
    """Return what all of them want of each symbol."""
    found: dict[str, Span] = {}
    for filling in fillings:
        for symbol, span in filling.spans().items():
            known = found.get(symbol, span)
            found[symbol] = Span(
                min(known.start_us, span.start_us),
                min(known.first_us, span.first_us),
                max(known.end_us, span.end_us),
                max(known.before_id, span.before_id),
            )
    return found
