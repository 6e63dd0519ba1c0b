"""Table of every topic that pairstream owns."""

from typing import Literal, NamedTuple

_HOUR_MS = 3_600_000


ANALYTICS_GROUP = "stream-analytics"
SINK_GROUP = "sink"
ALERTING_GROUP = "alerting"
DELIVERY_GROUP = "delivery"


class Topic(NamedTuple):
    """A topic: name, message key, what the broker does with old messages, the groups that must not miss one."""

    name: str
    key: str
    cleanup: Literal["delete", "compact", "compact,delete"]
    retention_ms: int = -1
    groups: tuple[str, ...] = ()
    stamped: bool = False
    """True if the broker stamps the arrival time of a message; otherwise the sender does, by another clock."""


TICKS = Topic("ticks", "symbol", "delete", 24 * _HOUR_MS, (ANALYTICS_GROUP, SINK_GROUP))
QUOTES = Topic("quotes", "symbol", "delete", _HOUR_MS)
MARK_PRICES = Topic("mark-prices", "symbol", "delete", 24 * _HOUR_MS)
LIQUIDATIONS = Topic("liquidations", "symbol", "delete", 24 * _HOUR_MS)
TAPE_EVENTS = Topic("tape-events", "symbol", "delete", 7 * 24 * _HOUR_MS, (SINK_GROUP,))
TIME_MARKS = Topic("time-marks", "symbol", "delete", 6 * _HOUR_MS, (ANALYTICS_GROUP,))
LEG_TRADES = Topic("leg-trades", "none: the partition is given", "delete", 6 * _HOUR_MS, (ANALYTICS_GROUP,))
PAIRS = Topic("pairs", "pair", "compact")
RULES = Topic("rules", "id", "compact")
SILENCES = Topic("silences", "id", "compact")
SYMBOLS = Topic("symbols", "symbol", "compact")
LISTINGS = Topic("listings", "symbol", "compact")
SIGNALS = Topic("signals", "pair", "delete", 24 * _HOUR_MS, (SINK_GROUP,))
RADAR = Topic("radar", "pair", "delete", 7 * 24 * _HOUR_MS)
ALERTS = Topic("alerts", "subject", "delete", 7 * 24 * _HOUR_MS, (SINK_GROUP,))
# A process that has ended is forgotten after a day.
HEARTBEATS = Topic("heartbeats", "service/instance", "compact,delete", 24 * _HOUR_MS, stamped=True)
DEAD_LETTERS = Topic("dead-letters", "source topic", "delete", 7 * 24 * _HOUR_MS)

# The changelog of the Faust table that holds the windows; Faust names it.
WINDOWS = Topic("stream-analytics-windows-changelog", "pair", "compact")

ALL = (
    TICKS,
    QUOTES,
    MARK_PRICES,
    LIQUIDATIONS,
    TAPE_EVENTS,
    TIME_MARKS,
    LEG_TRADES,
    PAIRS,
    RULES,
    SILENCES,
    SYMBOLS,
    LISTINGS,
    SIGNALS,
    ALERTS,
    RADAR,
    HEARTBEATS,
    DEAD_LETTERS,
    WINDOWS,
)
