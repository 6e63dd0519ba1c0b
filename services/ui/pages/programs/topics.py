"""Topics that programs may read, each with a message as it is on the wire.

The names, keys and retentions are those of the broker's table; a test compares them.
"""

from typing import NamedTuple

import msgspec

from services.contracts.conditions import Condition
from services.contracts.messages import (
    Alert,
    Heartbeat,
    Liquidation,
    MarkPrice,
    PairConfig,
    Quote,
    Rule,
    Signal,
    Silence,
    TapeEvent,
    Tick,
)


class TopicExample(NamedTuple):
    """Topic: the key, retention and meaning of its messages, and an example."""

    name: str
    key: str
    kept: str
    says: str
    message: msgspec.Struct | None = None

    def example(self) -> str:
        """Return the message as JSON on several lines."""
        if self.message is None:
            return ""
        return msgspec.json.format(msgspec.json.encode(self.message), indent=2).decode()


_AT_US = 1_767_225_600_123_000
_SEEN_US = _AT_US + 41_000
LATEST = "the latest of each key"
TOPICS = (
    TopicExample(
        "ticks",
        "symbol",
        "24 h",
        "Every trade, once or more: unique by symbol, event_us and trade_id.",
        Tick(
            venue="binance",
            symbol="BTCUSDT",
            trade_id=2_947_204_771,
            event_us=_AT_US,
            received_us=_SEEN_US,
            price=64_123.4,
            size=0.012,
            buyer_is_maker=False,
        ),
    ),
    TopicExample(
        "signals",
        "pair",
        "24 h",
        "A pair at the end of each second; closed is false while the second is still open. A higher revision of a "
        "second replaces the earlier signal of that second.",
        Signal(
            pair="ETHUSDT-BTCUSDT",
            event_us=_AT_US // 1_000_000 * 1_000_000,
            y_price=3_401.25,
            x_price=64_123.4,
            hedge_ratio=0.05231,
            intercept=46.95,
            method="ols",
            spread=0.0052,
            zscore=0.38,
            correlation=0.912,
            window=300,
            samples=300,
            quality="ok",
            hedge_ratio_se=0.00087,
            r_squared=0.832,
            price_correlation=0.912,
            zscore_rank=0.21,
            return_correlation=0.436,
            lead_lag_s=0.0,
            reversion="unproven",
            cointegration_p=0.183,
            half_life_s=38.2,
            half_life_low_s=14.9,
        ),
    ),
    TopicExample(
        "alerts",
        "subject",
        "7 d",
        "A rule begins or ceases to hold for its subject: a pair, a symbol, a service. The same alert always has the "
        "same alert_id. One whose state is retracted takes back the alert that it names.",
        Alert(
            alert_id="zscore:ETHUSDT-BTCUSDT:1767225600000000:firing",
            rule_id="zscore",
            pair="ETHUSDT-BTCUSDT",
            event_us=_AT_US // 1_000_000 * 1_000_000,
            state="firing",
            value=2.31,
            threshold=2.0,
            message="ETHUSDT-BTCUSDT: z-score +2.31 reached ±2, reversion unproven",
            reversion="unproven",
            rule="zscore-threshold",
            metric="zscore",
            subject="ETHUSDT-BTCUSDT",
            values={"zscore": 2.31, "entry": 2.0, "exit": 0.5},
        ),
    ),
    TopicExample(
        "tape-events",
        "symbol",
        "7 d",
        "A gap found, repaired, refuted or given up; a stream gone silent; coverage.",
        TapeEvent(
            kind="gap_found",
            venue="binance",
            symbol="BTCUSDT",
            at_us=_SEEN_US,
            first_id=2_947_204_772,
            last_id=2_947_204_788,
            start_us=_AT_US,
            end_us=_SEEN_US,
            missing=17,
        ),
    ),
    TopicExample(
        "pairs", "pair", LATEST, "What is measured of each pair, and how.", PairConfig(pair="ETHUSDT-BTCUSDT")
    ),
    TopicExample(
        "rules",
        "id",
        LATEST,
        "A rule of alerts: what it measures, of what, and when it fires; without a value it is removed.",
        Rule(
            id="btc-eth-wide",
            conditions=(Condition(metric="zscore", operator="outside", fire=3.0, clear=1.0),),
            scope=("ETHUSDT-BTCUSDT",),
            for_s=5.0,
        ),
    ),
    TopicExample(
        "silences",
        "id",
        LATEST,
        "Alerts that nobody is to be notified of, by patterns, until an end.",
        Silence(id="maintenance", matchers={"subject": "ETHUSDT-*"}, end_us=_AT_US),
    ),
    TopicExample(
        "quotes",
        "symbol",
        "1 h",
        "Best bid and ask, if they are ingested.",
        Quote(
            venue="binance",
            symbol="BTCUSDT",
            update_id=8_123_456_789,
            event_us=_AT_US,
            received_us=_SEEN_US,
            bid_price=64_123.3,
            bid_size=4.2,
            ask_price=64_123.4,
            ask_size=1.9,
        ),
    ),
    TopicExample(
        "mark-prices",
        "symbol",
        "24 h",
        "Mark price and funding, if they are ingested.",
        MarkPrice(
            venue="binance",
            symbol="BTCUSDT",
            event_us=_AT_US,
            received_us=_SEEN_US,
            mark_price=64_120.11,
            index_price=64_131.5,
            funding_rate=0.0001,
            next_funding_us=_AT_US + 3_600_000_000,
        ),
    ),
    TopicExample(
        "liquidations",
        "symbol",
        "24 h",
        "Forced orders, a sample of them, if they are ingested.",
        Liquidation(
            venue="binance",
            symbol="BTCUSDT",
            event_us=_AT_US,
            received_us=_SEEN_US,
            side="sell",
            price=64_010.0,
            average_price=64_014.2,
            size=0.5,
        ),
    ),
    TopicExample(
        "heartbeats",
        "service/instance",
        f"{LATEST}, 24 h",
        "What each process of each service says of itself every second.",
        Heartbeat(
            service="sink",
            instance="store-4242-20260131T120000",
            at_us=_AT_US,
            started_us=_AT_US - 60_000_000,
            state="running",
            version="0.1.0",
            lag_messages=3,
            lag_seconds=0.02,
            counters={"ticks": 9120},
        ),
    ),
    TopicExample(
        "dead-letters",
        "source topic",
        "7 d",
        "What could not be processed, byte for byte; the headers say why and where it came from.",
    ),
)
INTERNAL = ("time-marks", "leg-trades", "stream-analytics-windows-changelog")
"""Between our own services: these change without notice."""
