"""Messages and answers with sensible defaults, so that a test names only what it is about."""

from collections.abc import Callable
from typing import Any

import pytest

from services.common.clock import SECOND
from services.common.messages import Alert, Signal, Tick
from services.ui.answers import Bar, ServiceHealth, WatchedPair
from services.ui.market import Now
from services.ui.view import Selection

PAIR = "ETHUSDT-BTCUSDT"
START_S = 1_700_000_000

Make = Callable[..., Any]


@pytest.fixture
def now() -> Now:
    return Now(us=START_S * SECOND, s=1000.0)


@pytest.fixture
def selection() -> Selection:
    return Selection(tab="one", pair=PAIR, leg="y", interval="1m")


@pytest.fixture
def pair() -> WatchedPair:
    return WatchedPair(
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
        return Tick(
            venue="test",
            symbol=symbol,
            trade_id=1,
            event_us=event_us,
            received_us=event_us,
            price=price,
            size=1.0,
            buyer_is_maker=False,
        )

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
            "complete": True,
        }
        return Bar(**{**values, **fields})

    return make


@pytest.fixture
def alert() -> Make:
    def make(number: int = 1, second: int = START_S, **fields: Any) -> Alert:
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
        return Alert(**{**values, **fields})

    return make


@pytest.fixture
def service() -> Make:
    def make(name: str = "sink", **fields: Any) -> ServiceHealth:
        values: dict[str, Any] = {"service": name, "state": "running", "healthy": True, "age_s": 0.5}
        return ServiceHealth(**{**values, **fields})

    return make
