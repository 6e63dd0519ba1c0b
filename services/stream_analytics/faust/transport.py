"""Kafka transport of Faust, with the options that Faust's settings do not reach."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service
from mode.utils.futures import maybe_async

from services.common.kafka import clients
from services.common.kafka.dead_letters import DeadLetter
from services.common.kafka.losses import Losses, Outrun
from services.common.kafka.wake_up import WakeUp
from services.common.unreadable import Unreadable
from services.contracts.topics import LEG_TRADES
from services.stream_analytics.faust.bundles import BUNDLED, bundle
from services.stream_analytics.faust.read_positions import expected_next
from services.stream_analytics.settings import StreamSettings

DeadLetterSink = Callable[[Sequence[DeadLetter]], Awaitable[None]]
Positions = Callable[[], Awaitable[Mapping[TP, int]]]
"""Returns the offsets from which the stored states go on, and how far what brings them trades was read."""

# Longest wait of a seek; Faust asks for 1 s.
_FETCH_S = 0.1
# Interval of the check whether topics are still held back.
_HELD_S = 0.005


def install(
    app: faust.App,
    settings: StreamSettings,
    held: Callable[[], Collection[str]],
    outrun: Outrun,
    dead_letter: DeadLetterSink,
    positions: Positions,
) -> None:
    """Make `app` read bundles at the pace of its agents, notice losses, and lose nothing in a rebalance.

    `held` names the topics that are not to be fetched now; `outrun` counts what was deleted before it was read;
    `dead_letter` puts aside what cannot be read of a changelog; `positions` are those from which stored states go on.
    """

    class ConsumerThread(driver.AIOKafkaConsumerThread):
        """Faust's consumer, without its thread: of a small fetch the way there and back costs more than the fetch."""

        wait_for_shutdown = False  # that of the thread
        _wake_up: WakeUp | None = None
        _assigned: tuple[Collection[Any], frozenset[TP]] = (), frozenset()

        async def start(self) -> None:
            self._thread_started.set()
            await Service.start(self)
            await self.on_thread_started()

        async def stop(self) -> None:
            if self._started.is_set() and not self._stopped.is_set():
                await Service.stop(self)
                await self._shutdown_thread()

        async def call_thread(self, fun: Callable[..., Any], *how: Any, **more: Any) -> Any:
            return await maybe_async(fun(*how, **more))

        def _create_worker_consumer(self, transport: Any) -> Any:
            consumer = super()._create_worker_consumer(transport)
            # Faust hard-codes 1500 ms, and what nobody has committed.
            consumer._fetch_max_wait_ms = settings.fetch_max_wait_ms
            consumer._isolation_level = "read_committed"
            return consumer

        async def on_start(self) -> None:
            await super().on_start()
            self._confirm_membership()
            # What is held back must not keep others from being fetched.
            self._ensure_consumer()._fetcher._prefetch_backoff = 0.0
            if settings.wake_directory is not None:
                self._wake_up = WakeUp(
                    self._ensure_consumer(),
                    settings.wake_directory,
                    BUNDLED,
                    short_s=lambda: settings.fetch_max_wait_ms / 1000,
                )

        def _confirm_membership(self) -> None:
            """Tell the consumer when the group last confirmed our membership."""
            member: Any = self.consumer
            coordinator = self._ensure_consumer()._coordinator
            beat = coordinator._do_heartbeat

            async def heartbeat() -> bool:
                asked_s = time.monotonic()
                if is_member := bool(await beat()):
                    member.confirmed_s = asked_s
                return is_member

            coordinator._do_heartbeat = heartbeat

        async def on_thread_stop(self) -> None:
            if self._wake_up is not None:
                self._wake_up.close()
            await super().on_thread_stop()

        async def _fetch_records(self, consumer: Any, *how: Any, **more: Any) -> Any:
            """Fetch, and wait longer from now on if nothing has come."""
            records = await super()._fetch_records(consumer, *how, **more)
            if self._wake_up is None:
                clients.pace_fetches(consumer, settings, bool(records))
            return records

        def assignment(self) -> Any:
            """Return the assigned partitions, made anew only when they change."""
            found = self._ensure_consumer().assignment()
            if found is not self._assigned[0]:
                self._assigned = found, frozenset(TP(*one) for one in found)
            return self._assigned[1]

        async def earliest(self, partitions: Collection[TP]) -> Mapping[TP, int]:
            """Return the first offset of each partition that the broker still has."""
            found: Mapping[TP, int] = await self.call_thread(
                self._ensure_consumer().beginning_offsets, list(partitions)
            )
            return found

        async def ends(self, partitions: Collection[TP]) -> Mapping[TP, int]:
            """Return where partitions end, transactions that are open included."""
            return await clients.ends(self._ensure_consumer(), list(partitions))

        async def seek_to_committed(self) -> Any:
            return await self.call_thread(self._seek_to_committed)

        async def _seek_to_committed(self) -> Any:
            """Seek to the committed offsets, and to the beginning where none is committed.

            aiokafka leaves the latter where they are: behind what was fetched and dropped.
            """
            consumer = self._ensure_consumer()
            committed = await consumer.seek_to_committed()
            changelogs = app.tables.changelog_topics
            unread = [tp for tp, offset in committed.items() if not offset and tp.topic not in changelogs]
            if unread:
                await consumer.seek_to_beginning(*unread)
            return {**committed, **await self._seek_to_stored(consumer, committed)}

        async def _seek_to_stored(self, consumer: Any, committed: Mapping[TP, Any]) -> Mapping[TP, int]:
            """Seek to where the stored states go on, as far as the topic reaches, and return these offsets.

            Of ticks and marks only if what is committed is further on, as when an operator has reset it: nobody has
            read what lies between, and what of that is gone is lost.
            """
            stored = {
                tp: offset
                for tp, offset in (await positions()).items()
                if tp in committed and (tp.topic == LEG_TRADES.name or offset < (committed[tp] or 0))
            }
            if not stored:
                return {}
            first = await consumer.beginning_offsets(list(stored))
            end = await consumer.end_offsets(list(stored))
            # One beyond the end is of an earlier topic of that name.
            stored = {tp: offset for tp, offset in stored.items() if offset <= end[tp]}
            for tp, offset in stored.items():
                consumer.seek(tp, max(offset, first[tp]))
            return {tp: expected_next(tp, offset, first[tp], committed[tp]) for tp, offset in stored.items()}

    class Consumer(driver.Consumer):
        """Lock between a fetch and a seek: Faust drops what a fetch brings behind the new position."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._fetching = asyncio.Lock()
            self._following: dict[TP, int] = {}
            self.after_loss: set[TP] = set()
            """Partitions of which messages were lost, until a bundle that says so has been acknowledged."""
            self._losses = Losses(outrun)
            self.confirmed_s = float("-inf")

        @property
        def is_member(self) -> bool:
            """Tell whether the partitions are surely still ours: a paused worker finds out only when it asks."""
            return time.monotonic() - self.confirmed_s < settings.session_timeout_s

        async def on_partitions_assigned(self, *how: Any, **more: Any) -> None:
            self.confirmed_s = time.monotonic()
            await super().on_partitions_assigned(*how, **more)

        def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
            return ConsumerThread(self, loop=self.loop, thread_loop=self.loop, beacon=self.beacon)

        async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109
            if active_partitions and (waiting := held()):
                active_partitions = {tp for tp in active_partitions if tp.topic not in waiting}
                if not active_partitions:
                    await asyncio.sleep(_HELD_S)
                    return {}
            async with self._fetching:
                found: dict[TP, Any] = dict(
                    await super()._getmany(active_partitions, min(timeout, _FETCH_S)) or {}
                )
                for tp, records in found.items():
                    if not records:
                        continue
                    if tp.topic in BUNDLED:
                        await self._check(tp, records)
                        found[tp] = [bundle(records, tp in self.after_loss)]
                    else:
                        found[tp] = await self._readable(tp, records)
                return {tp: records for tp, records in found.items() if records}

        async def _readable(self, tp: TP, records: list[Any]) -> list[Any]:
            """Return the readable records of a changelog; a state without the others has lost later changes."""
            lost = [record for record in records if isinstance(record.value, Unreadable)]
            if lost:
                await dead_letter(
                    [DeadLetter.of(*tp, one.offset, one.value, one.value.reason) for one in lost]
                )
                self.after_loss.add(TP(LEG_TRADES.name, tp.partition))
            return [record for record in records if not isinstance(record.value, Unreadable)]

        async def _check(self, tp: TP, records: list[Any]) -> None:
            """Count what the broker had deleted between the last fetch and this one; know of what cannot be read."""
            if any(type(record.value) is Unreadable and record.value.is_lost for record in records):
                self.after_loss.add(tp)
            expected = self._following.get(tp)
            self._following[tp] = records[-1].offset + 1
            if expected is not None:
                thread: Any = self._thread
                if await self._losses.passed(tp, expected, records[0].offset, thread.earliest):
                    self.after_loss.add(tp)

        async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
            async with self._fetching:
                self._following.update(partitions)
                await super().seek_wait(partitions)

        async def seek_to_committed(self) -> Any:
            async with self._fetching:
                committed = await super().seek_to_committed()
                self._following = {tp: offset for tp, offset in committed.items() if offset}
                self._acked.clear()
                self._acked_index.clear()
                return committed

        async def ends(self, partitions: Collection[TP]) -> Mapping[TP, int]:
            """Return where partitions end, transactions that are open included."""
            thread: Any = self._thread
            found: Mapping[TP, int] = await thread.ends(partitions)
            return found

        def ack(self, message: Any) -> bool:
            """Acknowledge a message, unless it is of an earlier assignment: what came before it may be lost then."""
            if message.generation_id != app.consumer_generation_id:
                return False
            if message.value.is_after_loss:
                self.after_loss.discard(message.tp)
            return super().ack(message)

        async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
            """Note nothing: most offsets are inside bundles."""

        def _new_offset(self, tp: TP) -> int | None:
            """Return the offset after the last one acknowledged.

            Every event of a partition is acknowledged, in order; an agent that fails at one ends the worker.
            """
            if not (acknowledged := self._acked[tp]):
                return None
            newest = max(acknowledged)
            acknowledged.clear()
            self._acked_index[tp].clear()
            return newest + 1

        def resume_partitions(self, tps: Iterable[TP]) -> None:
            """Resume partitions while nothing flows; every caller lets it flow again.

            After a recovery Faust resumes the partitions first and seeks then, and what it delivers between
            the two is lost when the streams start, or comes before what precedes it.
            """
            self.stop_flow()
            super().resume_partitions(tps)

        async def verify_all_partitions_active(self) -> None:
            """Leave it to Lag: Faust's own look ends the worker if a partition has no position yet."""

    class Transport(driver.Transport):
        pass

    Transport.Consumer = Consumer
    app.transport = Transport(app.conf.broker_consumer, app)
