"""Board: what heartbeats, events of the tape and of radars say of services, symbols and pairs, second by second.

Its clock is the time at which heartbeats came to the broker: nobody's own clock counts, and reading them again later
says the same.
"""

from collections.abc import Iterator

from msgspec import Struct

from services.common.clock import HOUR, SECOND
from services.contracts.messages import Heartbeat, RadarEvent, TapeEvent
from services.contracts.metrics import SubjectKind
from services.contracts.pairs import Pair
from services.rules.observation import Observation

# A process that is silent for longer is none of those that say how its service is.
_ALIVE_US = 5 * SECOND
# A service whose processes have all been silent for a day, and a symbol that nobody has spoken of, is no more.
_FORGOTTEN_US = 24 * HOUR
# After a longer pause of all heartbeats the seconds in it are nobody's.
_PAUSE_US = 60 * SECOND
_STATES = ("gap_found", "gap_unrepaired")


class Process(Struct):
    """Last heartbeat of a process, as far as rules ask."""

    came_us: int
    state: str
    lag_messages: int | None
    lag_seconds: float | None
    lost: int
    disk_free: float | None


class Gap(Struct):
    """Gap of a symbol: its latest event, and how many trades are missing."""

    at_us: int
    came_us: int
    state: str
    missing: int


class Tape(Struct):
    """Tape of a symbol."""

    heard_us: int
    stale: dict[str, int] = {}
    """Streams that are stale or were lately, with the time of the event; below 0 of one that is live."""
    gaps: dict[int, Gap] = {}
    coverage_1h: float | None = None
    delivery_ms: float | None = None
    rates: dict[str, tuple[int, float, float]] = {}
    """Of each process of ingest when it told its rates, trades a second, and their quote volume."""
    prices: dict[str, float] = {}
    """Of each process of ingest the last price that it has told."""
    is_removed: bool = False
    """Whether it is collected no longer."""
    is_gone: bool = False
    """Whether that is told."""


class RadarPair(Struct):
    """Pair that radars have confirmed."""

    name: str
    """The way round that the first event had."""
    heard_us: int
    radars: dict[str, tuple[int, bool]] = {}
    """Of each radar when it confirmed the pair last, and whether that has ended."""

    @property
    def is_confirmed(self) -> bool:
        """Tell whether a radar confirms it now."""
        return not all(has_ended for _, has_ended in self.radars.values())


class Board(Struct):
    """All that is known; msgpack of it is stored."""

    now_us: int = 0
    told_us: int = 0
    services: dict[str, dict[str, Process]] = {}
    lost: dict[str, int] = {}
    """Messages that each service has lost since the board was begun; a process begins with none."""
    tapes: dict[str, Tape] = {}
    radar: dict[str, RadarPair] = {}
    """By the pair of the legs in alphabetical order: a radar may find the other way round the better one."""

    def beat(self, beat: Heartbeat, came_us: int) -> None:
        """Take a heartbeat; `came_us` is the broker's stamp. One that says goodbye takes its process away."""
        self.now_us = max(self.now_us, came_us)
        processes = self.services.setdefault(beat.service, {})
        name = beat.instance or ""
        if beat.state == "stopping":
            processes.pop(name, None)
        else:
            lost, known = sum(beat.lost.values()), processes.get(name)
            more = max(0, lost - (known.lost if known is not None else 0))
            self.lost[beat.service] = self.lost.get(beat.service, 0) + more
            processes[name] = Process(
                came_us, beat.state, beat.lag_messages, beat.lag_seconds, lost, beat.disk_free
            )
        if beat.service == "ingest":
            self._begin(beat.started_us)
        for symbol, lag in beat.delivery.items():
            tape = self.tapes.setdefault(symbol, Tape(came_us))
            tape.heard_us, tape.delivery_ms = came_us, float(lag.p99_ms)
        for symbol, rate in beat.trade_rates.items():
            tape = self.tapes.setdefault(symbol, Tape(came_us))
            tape.rates[name] = (came_us, rate.trades, rate.quote_volume)
            if rate.price is not None:
                tape.prices[name] = rate.price

    def event(self, event: TapeEvent, came_us: int) -> None:
        """Take an event of the tape; they may come twice and in any order, and the later one counts."""
        if not event.symbol:
            return
        tape = self.tapes.setdefault(event.symbol, Tape(came_us))
        tape.heard_us = max(tape.heard_us, came_us)
        if event.kind == "symbol_state":
            if event.state == "removed":
                self.tapes[event.symbol] = Tape(tape.heard_us, is_removed=True, is_gone=tape.is_gone)
            else:
                tape.is_removed = tape.is_gone = False
        elif event.kind in ("stream_stale", "stream_live"):
            sign, stream = (1 if event.kind == "stream_stale" else -1), event.stream or ""
            if event.at_us >= abs(tape.stale.get(stream, 0)):
                tape.stale[stream] = sign * event.at_us
        elif event.kind == "coverage":
            tape.coverage_1h = event.coverage_1h
        elif event.kind.startswith("gap_") and event.first_id is not None:
            known = tape.gaps.get(event.first_id)
            if known is None or event.at_us >= known.at_us:
                tape.gaps[event.first_id] = Gap(event.at_us, came_us, event.kind, event.missing or 0)

    def radar_event(self, event: RadarEvent, came_us: int) -> None:
        """Take an event of a radar; they may come twice, and what is known already stays. ValueError without a pair."""
        legs = Pair.parse(event.pair)
        pair = self.radar.setdefault(str(min(legs, legs.swapped)), RadarPair(str(legs), came_us))
        pair.heard_us = came_us
        told = (event.confirmed_us, event.kind == "ended")
        pair.radars[event.radar] = max(told, pair.radars.get(event.radar, told))

    def observations(self) -> Iterator[tuple[SubjectKind, str, Observation]]:
        """Yield what each subject is in each second that has passed since the last time; none before a heartbeat."""
        if not self.now_us:
            return
        second = self.now_us - self.now_us % SECOND
        if not self.told_us or second - self.told_us > _PAUSE_US:
            self._begin_anew(second - SECOND)
        while self.told_us < second:
            self.told_us += SECOND
            for name, processes in self.services.items():
                if processes:
                    yield "service", name, self._of_service(name, processes)
            for name, tape in self.tapes.items():
                if not tape.is_removed:
                    yield "symbol", name, self._of_tape(tape)
            for pair in self.radar.values():
                yield (
                    "radar",
                    pair.name,
                    Observation(self.told_us, {"radar_confirmed": float(pair.is_confirmed)}),
                )

    def gone(self) -> list[tuple[SubjectKind, str]]:
        """Return the subjects that are no more, and forget them."""
        before_us = self.now_us - _FORGOTTEN_US
        gone: list[tuple[SubjectKind, str]] = []
        for name, processes in list(self.services.items()):
            if not processes or max(one.came_us for one in processes.values()) < before_us:
                del self.services[name]
                self.lost.pop(name, None)
                gone.append(("service", name))
        for name, tape in list(self.tapes.items()):
            is_over = tape.heard_us < before_us
            if (is_over or tape.is_removed) and not tape.is_gone:
                tape.is_gone = True
                gone.append(("symbol", name))
            if is_over:
                del self.tapes[name]
        for key, pair in list(self.radar.items()):
            if not pair.is_confirmed and pair.heard_us < before_us:
                del self.radar[key]
                gone.append(("radar", pair.name))
        return gone

    def _begin_anew(self, second_us: int) -> None:
        """Go on after a pause of all: who was heard of before it has as long as anybody to be heard again."""
        self.told_us = second_us
        for processes in self.services.values():
            for one in processes.values():
                one.came_us = max(one.came_us, second_us)

    def _begin(self, started_us: int) -> None:
        """Forget stale streams of the ingest before this one."""
        for tape in self.tapes.values():
            tape.stale = {name: at_us for name, at_us in tape.stale.items() if abs(at_us) >= started_us}

    def _of_service(self, name: str, processes: dict[str, Process]) -> Observation:
        newest_us = max(one.came_us for one in processes.values())
        alive = [one for one in processes.values() if one.came_us > self.told_us - _ALIVE_US]
        for instance, one in list(processes.items()):
            if one.came_us < min(newest_us, self.told_us) - HOUR:
                del processes[instance]
        values = {
            "silent_s": max(0, self.told_us - newest_us) / SECOND,
            "lost_messages": float(self.lost.get(name, 0)),
        }
        if alive:
            values["degraded"] = float(any(one.state == "degraded" for one in alive))
            if lags := [one.lag_messages for one in alive if one.lag_messages is not None]:
                values["lag_messages"] = float(sum(lags))
            if waits := [one.lag_seconds for one in alive if one.lag_seconds is not None]:
                values["lag_seconds"] = max(waits)
            if disks := [one.disk_free for one in alive if one.disk_free is not None]:
                values["disk_free"] = min(disks)
        return Observation(self.told_us, values)

    def _of_tape(self, tape: Tape) -> Observation:
        for first_id, gap in list(tape.gaps.items()):
            if gap.came_us < self.told_us - HOUR:
                del tape.gaps[first_id]
        missing = sum(gap.missing for gap in tape.gaps.values() if gap.state in _STATES)
        values = {
            "stream_stale": float(any(at_us > 0 for at_us in tape.stale.values())),
            "missing_trades": float(missing),
        }
        if tape.coverage_1h is not None:
            values["coverage_1h"] = tape.coverage_1h
        if tape.delivery_ms is not None:
            values["delivery_lag_ms"] = tape.delivery_ms
        if alive := [name for name, one in tape.rates.items() if one[0] > self.told_us - _ALIVE_US]:
            # Processes that collect a symbol side by side tell of the same trades.
            busiest = max(alive, key=lambda name: tape.rates[name][1])
            _, values["trade_rate"], volume = tape.rates[busiest]
            values["quote_volume_1m"] = 60 * volume
            if (price := tape.prices.get(busiest)) is not None:
                values["price"] = price
        return Observation(self.told_us, values)
