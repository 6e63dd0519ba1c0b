"""Messages and answers with sensible defaults, so that a test names only what it is about."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from msgspec.structs import asdict

from services.common.clock import SECOND
from services.contracts.messages import Alert, Signal, Tick
from services.ui.api.client import ApiClient
from services.ui.api.poll_cache import PollCache, PolledAnswer
from services.ui.api.types import (
    Bar,
    HandledAlert,
    Incident,
    ProcessHealth,
    ServiceHealth,
    WatchedPair,
)
from services.ui.series.buffer import SeriesBuffer
from services.ui.series.cache import SeriesCache
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import PageContext, Selection
from tests import builders
from tests.unit.ui.answers import answer, snapshot, stats

PAIR = "ETHUSDT-BTCUSDT"
START_S = 1_700_000_000

Make = Callable[..., Any]


@pytest.fixture
def now() -> Now:
    return Now(us=START_S * SECOND, s=1000.0)


class StubTracks:
    """Series buffers that hold the points they were given."""

    def __init__(self, bars: list[Any], signals: list[Any]) -> None:
        self.held_bars, self.held_signals = track_of(bars), track_of(signals)

    def bars(self, symbol: str, interval: str) -> SeriesBuffer[Any]:
        return self.held_bars

    def hours(self, symbols: Any) -> dict[str, SeriesBuffer[Any]]:
        return dict.fromkeys(symbols, self.held_bars)

    def signals(self, pair: str, closes: Any, corrections: Any, kept: int = 0) -> SeriesBuffer[Any]:
        return self.held_signals

    def day(self, pair: str, corrections: Any) -> SeriesBuffer[Any]:
        return self.held_signals


class StubReadings:
    """Readings that hold what they were given, by what their key begins with."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def get(self, key: Any, ask: Any, every_s: float) -> PolledAnswer[Any]:
        reading: PolledAnswer[Any] = PolledAnswer()
        reading.value = self.values.get(key[0].rsplit("/", 1)[-1])
        return reading


def track_of(points: list[Any], kept: int = 100, generation: int = 1, **more: Any) -> SeriesBuffer[Any]:
    async def fetch(count: int) -> list[Any]:
        return points

    track: SeriesBuffer[Any] = SeriesBuffer(fetch, kept, 1.0, **more)
    track.points, track.generation, track.loaded = points, generation, True
    return track


@pytest.fixture
def market(pair: WatchedPair, tick: Make, signal: Make, service: Make, now: Now) -> LiveState:
    """Return what is known when all is well: one pair, its legs, a signal and a service."""
    market = LiveState()
    market.watch([pair], [stats("ETHUSDT"), stats("BTCUSDT")])
    market.apply(snapshot("live", ticks=(tick(), tick("BTCUSDT", 64000.1)), signals=(signal(),)), now)
    market.services = (service(),)
    market.link(True, now)
    return market


@pytest.fixture
def site(market: LiveState, bar: Make, signal: Make, now: Now) -> PageContext:
    """Return what pages stand on; nothing of it asks an API."""
    tracks, readings = cast("SeriesCache", StubTracks([bar()], [signal()])), cast("PollCache", StubReadings())
    return PageContext(market, tracks, ApiClient("http://api.test"), lambda: now, readings)


@pytest.fixture
def market_page() -> Selection:
    return Selection("one", "market", 1, asks={"symbol": "ETHUSDT", "interval": "1m"})


@pytest.fixture
def pairs_page() -> Selection:
    return Selection("one", "pairs", 1, asks={"pair": PAIR, "turn": 1})


@pytest.fixture
def pair() -> WatchedPair:
    return answer(
        WatchedPair,
        pair=PAIR,
        y="ETHUSDT",
        x="BTCUSDT",
        min_samples=300,
        entry_z=2.0,
        exit_z=0.5,
        stale_after_s=10.0,
    )


@pytest.fixture
def tick() -> Make:
    def make(symbol: str = "ETHUSDT", price: float = 3400.25, event_us: int = START_S * SECOND) -> Tick:
        return builders.tick(venue="test", symbol=symbol, event_us=event_us, price=price)

    return make


@pytest.fixture
def signal() -> Make:
    def make(second: int = START_S, **fields: Any) -> Signal:
        values: dict[str, Any] = {
            "pair": PAIR,
            "event_us": second * SECOND,
            "y_price": 3400.0,
            "x_price": 64000.0,
            "hedge_ratio": 0.05231,
            "intercept": 12.5,
            "method": "ols",
            "spread": 1.25,
            "zscore": 0.75,
            "correlation": 0.87,
            "price_correlation": 0.87,
            "window": 300,
            "samples": 300,
            "quality": "ok",
        }
        return Signal(**{**values, **fields})

    return make


@pytest.fixture
def bar() -> Make:
    def make(start_s: int = START_S, close: float = 3401.0, **fields: Any) -> Bar:
        values: dict[str, Any] = {
            "start_us": start_s * SECOND,
            "open": 3400.0,
            "high": max(3402.0, close),
            "low": 3399.0,
            "close": close,
            "volume": 12.5,
            "trade_count": 3,
            "closed": True,
            "coverage": 1.0,
        }
        return answer(Bar, **{**values, **fields})

    return make


@pytest.fixture
def alert() -> Make:
    def make(number: int = 1, second: int = START_S, **fields: Any) -> HandledAlert:
        values: dict[str, Any] = {
            "alert_id": f"alert-{number}",
            "rule_id": "zscore",
            "pair": PAIR,
            "event_us": second * SECOND,
            "state": "firing",
            "value": 2.31,
            "threshold": 2.0,
            "message": "beyond entry",
        }
        given = {**values, **fields}
        # What the API answers of a message: fields that old and new ones say of each other are filled in.
        message = Alert(**{name: one for name, one in given.items() if name in Alert.__struct_fields__})
        return answer(
            HandledAlert, **{**asdict(message), **given, "rule_id": message.rule_id, "pair": message.pair}
        )

    return make


@pytest.fixture
def price_move(alert: Make) -> Make:
    """Return alerts of a rule that measures no z-score, on a symbol."""

    def make(number: int = 1, second: int = START_S, **fields: Any) -> HandledAlert:
        values: dict[str, Any] = {
            "rule_id": "",
            "pair": None,
            "value": None,
            "threshold": None,
            "message": "BTCUSDT: moved by 5.2 %",
            "rule": "btc-moves",
            "metric": "price_move",
            "subject": "BTCUSDT",
            "severity": "critical",
            "labels": {"desk": "majors"},
            "values": {"price_move": 0.052, "limit": 0.05},
        }
        made: HandledAlert = alert(number, second, **{**values, **fields})
        return made

    return make


@pytest.fixture
def incident(alert: Make) -> Make:
    """Return incidents with the fields of the alerts that open them."""

    def make(number: int = 1, second: int = START_S, **fields: Any) -> Incident:
        names = HandledAlert.__struct_fields__
        opening = asdict(
            alert(number, second, **{name: one for name, one in fields.items() if name in names})
        )
        known = {name: one for name, one in opening.items() if name in Incident.__struct_fields__}
        given = {name: one for name, one in fields.items() if name in Incident.__struct_fields__}
        return answer(Incident, **{**known, **given})

    return make


@pytest.fixture
def moved_incident(price_move: Make, incident: Make) -> Make:
    """Return incidents of a rule that measures no z-score, on a symbol."""

    def make(**fields: Any) -> Incident:
        made: Incident = incident(**{**asdict(price_move()), **fields})
        return made

    return make


@pytest.fixture
def process() -> Make:
    def make(instance: str | None = None, **fields: Any) -> ProcessHealth:
        values: dict[str, Any] = {"state": "running", "said": "running", "healthy": True, "age_s": 0.5}
        return answer(ProcessHealth, instance=instance, **{**values, **fields})

    return make


@pytest.fixture
def service() -> Make:
    def make(name: str = "sink", **fields: Any) -> ServiceHealth:
        values: dict[str, Any] = {"service": name, "state": "running", "healthy": True, "age_s": 0.5}
        return answer(ServiceHealth, **{**values, **fields})

    return make
