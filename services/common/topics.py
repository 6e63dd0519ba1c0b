"""Every topic pairstream owns, in one table."""

from typing import Literal, NamedTuple

_HOUR_MS = 3_600_000


class Topic(NamedTuple):
    """A topic's name, its message key, and what the broker does with old messages."""

    name: str
    key: str
    cleanup: Literal["delete", "compact"]
    retention_ms: int = -1


TICKS = Topic("ticks", "symbol", "delete", 24 * _HOUR_MS)
PAIR_EVENTS = Topic("pair-events", "pair", "delete", 24 * _HOUR_MS)
SIGNALS = Topic("signals", "pair", "delete", 24 * _HOUR_MS)
ALERTS = Topic("alerts", "pair", "delete", 7 * 24 * _HOUR_MS)
HEARTBEATS = Topic("heartbeats", "service", "compact")
DEAD_LETTERS = Topic("dead-letters", "source topic", "delete", 7 * 24 * _HOUR_MS)

# The changelog of the Faust table that holds the windows; Faust names it.
WINDOWS = Topic("stream-analytics-windows-changelog", "pair", "compact")

ALL = (TICKS, PAIR_EVENTS, SIGNALS, ALERTS, HEARTBEATS, DEAD_LETTERS, WINDOWS)
