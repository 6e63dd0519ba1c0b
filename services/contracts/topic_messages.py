"""Message of each topic, by its name in ``MESSAGES`` and ``schemas/``."""

from services.contracts import topics

MESSAGE_OF = {
    topics.TICKS: "tick",
    topics.QUOTES: "quote",
    topics.MARK_PRICES: "mark-price",
    topics.LIQUIDATIONS: "liquidation",
    topics.TAPE_EVENTS: "tape-event",
    topics.TIME_MARKS: "time-mark",
    topics.LEG_TRADES: "leg-trades",
    topics.PAIRS: "pair-config",
    topics.RULES: "rule",
    topics.SILENCES: "silence",
    topics.SYMBOLS: "symbol-config",
    topics.LISTINGS: "listing",
    topics.SIGNALS: "signal",
    topics.ALERTS: "alert",
    topics.RADAR: "radar-event",
    topics.HEARTBEATS: "heartbeat",
    topics.DEAD_LETTERS: "dead-letter",
}
# The changelog's values are bytes that only stream_analytics reads.
INTERNAL = (topics.WINDOWS,)
