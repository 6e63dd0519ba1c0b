"""Backend of the routes: the store, the live state, and the health of the services."""

import asyncio
import time
from contextlib import suppress
from typing import Any, NoReturn

import msgspec

from services.api.analysis.service import AnalysisService
from services.api.analysis.worker_pool import WorkerPool
from services.api.problems import unknown
from services.api.queries import alert_actions
from services.api.queries.cached import CachedQuery
from services.api.queries.first_trades import first_trades
from services.api.queries.losses import StoredLosses
from services.api.queries.reader import StoreReader
from services.api.security.api_keys import ApiKeys
from services.api.serialization.rows import Row, age_s, row
from services.api.service_health import ServiceHealth
from services.api.settings import ApiSettings
from services.api.stream.composer import SNAPSHOT_ALERTS, StreamComposer
from services.api.stream.live_state import AlertAction, LiveState
from services.api.stream.topic_reader import TopicReader
from services.api.symbol_choices import SymbolChoices
from services.api.tape_health import OpenGap, TapeHealth, coverage_reason
from services.common.backoff import Backoff
from services.common.errors import TransientError
from services.common.heartbeat import INTERVAL_S, VERSION, HeartbeatState
from services.common.kafka.alert_configs import Rules, Silences
from services.common.kafka.pair_configs import Configs, PairConfigs, configured
from services.common.metrics import HeartbeatMetrics
from services.common.supervision import Supervisor
from services.contracts.messages import Alert, Signal, Tick
from services.contracts.pairs import Pair
from services.contracts.symbol_forms import read_pair, read_symbol

WARM_S = 2.0
DAYS_KEPT_S = 1.0
# Only retention changes them, and a symbol that is new.
FIRST_TRADES_KEPT_S = 10.0


class Backend:
    """Answers from the settings, the store and the topics; nothing is opened before `run`."""

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self.store = StoreReader(settings)
        self.losses = StoredLosses(self.store)
        self.keys = ApiKeys(settings.api_keys_file)
        self.live_state = LiveState()
        self.composer = StreamComposer(self, time.monotonic)
        self.days = CachedQuery(self._days, DAYS_KEPT_S, time.monotonic)
        self.first_trades = CachedQuery(self._first_trades, FIRST_TRADES_KEPT_S, time.monotonic)
        self._stored_symbols: frozenset[str] = frozenset()
        self.tape = TapeHealth()
        self._heartbeat = HeartbeatState("api")
        self.configs = PairConfigs(outrun=self._heartbeat.outrun)
        self.choices = SymbolChoices(settings, self._heartbeat.outrun)
        self.changing_pairs = asyncio.Lock()
        self.rules, self.silences = (
            Rules(outrun=self._heartbeat.outrun),
            Silences(outrun=self._heartbeat.outrun),
        )
        self.changing_rules = asyncio.Lock()
        self._first_configs: Configs = configured(settings)
        self.pool = WorkerPool(
            settings.api_analysis_workers,
            settings.api_analysis_queue,
            settings.api_analysis_timeout.total_seconds(),
            settings.api_analysis_idle.total_seconds(),
        )
        # A million bars take half a minute and most of a gigabyte: one request at a time, apart from all others.
        self.long_pool = WorkerPool(
            1, settings.api_analysis_queue, settings.api_analysis_long_timeout.total_seconds(), None
        )
        self.answers = AnalysisService(self.pool, self.long_pool)
        # Each holds a connection and a thread.
        self.uploading = asyncio.Semaphore(2)
        self._health = ServiceHealth()
        self.registry = HeartbeatMetrics(self._heartbeat).registry
        self.topic_reader = TopicReader(
            settings, self.live_state, self.tape, self._health, self._heartbeat, self.composer.interval_s
        )
        self._seeded = asyncio.Event()
        self.tasks = Supervisor(self._heartbeat.counters)
        self.tasks.keep("the reader of the store", self.store.run)
        self.tasks.keep("the reader of the topics", self.topic_reader.run)
        self.tasks.keep("the workers for analyses", self.pool.run)
        self.tasks.keep("the worker for long analyses", self.long_pool.run)
        self.tasks.keep(
            "the reader of the pairs", lambda: self.configs.follow(self.settings, self._first_configs)
        )
        self.tasks.keep("the reader of the symbols", self.choices.follow_decisions)
        self.tasks.keep("the reader of the listings", self.choices.follow_listings)
        self.tasks.keep("the reader of the rules", lambda: self.rules.follow(self.settings))
        self.tasks.keep("the reader of the silences", lambda: self.silences.follow(self.settings))
        self.tasks.keep("the removal of pairs from the live state", self._forget_removed)
        self.tasks.finish("the first live state from the store", self._seed)
        self.tasks.keep("the listener for handled alerts", self._follow_handling)
        self.tasks.keep("the reader of losses", self.losses.follow)
        self.tasks.keep("the health check of the services", self._judge)

    async def run(self) -> None:
        """Keep everything current until cancelled."""
        await self.tasks.run()

    @property
    def feed(self) -> str | None:
        """Return the feed's name, None until ingest has published it."""
        return self._health.feed

    @property
    def feed_has_ended(self) -> bool:
        """Return whether no more trades come: what is new would be collected and measured never."""
        return self._health.feed_has_ended

    def problems(self) -> list[str]:
        """Return why not every question can be answered."""
        problems = (self.topic_reader.problem, self.store.problem, self.keys.problem, *self.tasks.problems())
        return [problem for problem in problems if problem is not None]

    def status(self) -> Row:
        """Return what ``/v1/status`` answers; it needs neither broker nor database."""
        self._judge_now()
        own = self._heartbeat.message()
        since_us, now_us = self._health.fed_since_us, self.fed_now_us()
        return {
            "feed": self.feed,
            "version": VERSION,
            **row([("now_us", own.at_us)]),
            "services": self._health.services(own, self.losses.unacknowledged),
            "left_out": self._health.left_out,
            "symbols": [
                self.price(name, now_us) | self.explained(self.tape.state(name, since_us))
                for name in self.names()
            ],
        }

    def fed_now_us(self) -> int:
        """Return what time it is by the clock that receipts are of."""
        return self._health.fed_now_us()

    def price(self, symbol: str, now_us: int) -> Row:
        """Return the last trade of `symbol` and how late trades are delivered; null where there were none.

        `now_us` is by the clock that receipts are of.
        """
        entry = self.live_state.ticks.get(symbol)
        tick = None if entry is None else entry.message
        event_us = None if tick is None else tick.event_us
        lag = self._health.delivery(symbol)
        fields: list[tuple[str, Any]] = [
            ("symbol", symbol),
            ("collected", self.collects(symbol)),
            *self.choices.state(symbol),
            ("last_price", None if tick is None else tick.price),
            ("last_event_us", event_us),
            ("age_s", None if tick is None else age_s(tick.received_us, now_us)),
            ("delivery_now_ms", None if lag is None else lag.now_ms),
            ("delivery_p50_ms", None if lag is None else lag.p50_ms),
            ("delivery_p99_ms", None if lag is None else lag.p99_ms),
        ]
        return row(fields)

    def explained(self, tape: Row) -> Row:
        """Return what the health of a tape says, with the reason why it has no coverage."""
        return tape | {"coverage_reason": coverage_reason(tape["coverage_1h"], self.feed)}

    def collects(self, symbol: str) -> bool:
        """Tell whether trades of `symbol` are collected now: it was chosen, or the topic has brought some."""
        entry = self.live_state.ticks.get(symbol)
        brought = entry is not None and not entry.stored and not self.choices.is_removed(symbol)
        return brought or symbol in self.choices.collected()

    def names(self) -> list[str]:
        """Return every symbol known without the store: those of the settings first."""
        return list(dict.fromkeys((*self.choices.collected(), *self.live_state.ticks)))

    async def symbols(self) -> list[str]:
        """Return every known symbol: those of the settings first, then all others there ever were."""
        self._stored_symbols = frozenset(stored := await self.store.symbols())
        return list(dict.fromkeys((*self.choices.collected(), *stored)))

    @property
    def pairs(self) -> Configs:
        """Return the pairs by name: the topic's, while it has not been read those of the store or else the settings."""
        return self.configs.by_name if self.configs.loaded.is_set() else self._first_configs

    async def require_symbol(self, symbol: str) -> str:
        """Return the name of the known symbol that `symbol` is, as it is or read as a form of other tools.

        ProblemError names those that are known.
        """
        for name in (symbol, read_symbol(symbol)):
            if (
                name in self.choices.collected()
                or name in self.live_state.ticks
                or name in self._stored_symbols
            ):
                return name
        known = await self.symbols()
        if (name := read_symbol(symbol, known)) in known:
            return name
        raise unknown("symbol", symbol, known)

    def require_pair(self, name: str) -> Pair:
        """Return the pair called `name`, in whatever form; ProblemError names those that are known."""
        if (read := read_pair(name, self.pairs)) in self.pairs:
            return Pair.parse(read)
        raise unknown("pair", name, self.pairs)

    async def require_measured(self, name: str) -> Pair:
        """Return the pair called `name` if it is watched or has been; ProblemError names those that are otherwise."""
        if read_pair(name, self.pairs) not in self.pairs:
            measured = await self.store.measured()
            if (read := read_pair(name, measured)) in measured:
                return Pair.parse(read)
        return self.require_pair(name)

    async def warm(self) -> None:
        """Return when the live state has caught up with store and topics, or when that takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(WARM_S):
                await self._seeded.wait()
                await self.topic_reader.caught_up.wait()

    async def _first_trades(self) -> dict[str, int]:
        return await first_trades(self.store, await self.symbols())

    async def _days(self) -> list[Row]:
        return await self.store.days(await self.symbols())

    async def _seed(self) -> None:
        backoff = Backoff(first_s=0.05, cap_s=2)
        while not self._seeded.is_set():
            with suppress(TransientError):  # the store says itself that it is away
                symbols = await self.symbols()
                self._first_configs = await self.store.pairs() or self._first_configs
                self.live_state.seed(
                    msgspec.convert(await self.store.newest_ticks(symbols), list[Tick]),
                    msgspec.convert(await self.store.newest_signals(self.pairs), list[Signal]),
                )
                await self._seed_alerts()
                self.tape.seed(msgspec.convert(await self.store.open_gaps(), list[OpenGap]))
                self._seeded.set()
            await asyncio.sleep(backoff.next_s())

    async def _seed_alerts(self) -> None:
        self.live_state.seed_alerts(map(_handled_alert, await self.store.newest_alerts(SNAPSHOT_ALERTS)))

    async def _follow_handling(self) -> NoReturn:
        await self._seeded.wait()
        await alert_actions.follow(self.settings, self._seed_alerts, self._handled)

    async def _handled(self, alert_id: str) -> None:
        if (stored := await self.store.alert(alert_id)) is not None:
            self.tell_handling(stored)

    def tell_handling(self, stored: Row) -> None:
        """Tell every client of the stream about an action on an alert."""
        self.live_state.handle(*_handled_alert(stored))

    async def _forget_removed(self) -> None:
        known: Configs = {}
        version = self.configs.version
        while True:
            version = await self.configs.changed(version)
            for pair in known.keys() - self.configs.by_name.keys():
                self.live_state.forget(pair)
            known = self.configs.by_name

    async def _judge(self) -> None:
        while True:
            self.keys.refresh()
            self._judge_now()
            await asyncio.sleep(INTERVAL_S)

    def _judge_now(self) -> None:
        problems = self.problems()
        self._heartbeat.state = "degraded" if problems else "running"
        self._heartbeat.detail = "; ".join(problems) or None


def _handled_alert(stored: Row) -> tuple[Alert, AlertAction]:
    return msgspec.convert(stored, Alert), msgspec.convert(stored, AlertAction)
