"""Pipeline diagram: the state of each node, from the exchange to this page, as far as the API knows it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from services.ui.api.types import ProcessHealth, ServiceHealth
from services.ui.state.live_state import LiveState, Now
from services.ui.state.service_rates import MESSAGES, PAGE
from services.ui.state.service_states import has_only_lost, partly_silent
from services.ui.widgets.formatting import NONE, age, filling, number, per_second, significant_decimals

# A heartbeat comes every second.
SILENT_S = 5.0

Level = Literal["ok", "warning", "error", "unknown"]
# Totals that should be zero, and what they count.
LOSSES = {
    "dead_letters": "dead letters",
    "dead_letters_not_kept": "of these not kept",
    "bad_messages": "unreadable messages",
    "dropped": "trades dropped",
    "lost": "messages deleted before they were read",
}
READS = {
    "live": "reads the exchange",
    "replay": "reads a recording",
    "synthetic": "generates a synthetic market",
}


@dataclass(frozen=True)
class Node:
    """Node of the pipeline; a field that is None has no meaning there, `age_s` is the age of all of it."""

    key: str
    name: str
    does: str
    state: str
    level: Level
    rates: tuple[str, ...] = ()
    lag: str | None = None
    age_s: float | None = None
    version: str | None = None
    detail: str | None = None
    lags: tuple[tuple[float, int], ...] = ()
    filling: str | None = None
    lost: tuple[str, ...] = ()
    unacknowledged: int = 0
    processes: tuple[str, ...] = ()
    beside: str | None = None
    """Node that it reads from and writes to, of one that trades do not pass."""

    @property
    def is_stale(self) -> bool:
        """Return whether these are the last known numbers rather than the present ones."""
        return self.age_s is None or self.age_s >= SILENT_S


def nodes(market: LiveState, now: Now) -> list[Node]:
    """Return every station in the order of the trades, and then those that stand beside one of them."""
    seen = {service.service: service for service in market.services}

    def station(service: str, name: str, does: str, *rates: tuple[str, tuple[str, ...]]) -> Node:
        return _service(seen.get(service), service, name, does, market, now, rates)

    published = ("ticks", "quotes", "mark_prices", "liquidations")
    spoken = ("signals", "live_signals", "alerts")
    return [
        station("ingest", "ingest", READS.get(market.feed or "", "reads the feed"), ("ticks/s", ("ticks",))),
        _broker(market, now, "broker-in", "topic of ticks", "ingest", published),
        station(
            "stream_analytics",
            "analytics",
            "computes the pairs",
            ("ticks/s", ("ticks",)),
            ("signals/s", ("signals",)),
        ),
        _broker(market, now, "broker-out", "topics of signals and alerts", "stream_analytics", spoken),
        station("sink", "sink", "writes the topics to the store", ("rows/s", ("ticks", "signals", "alerts"))),
        _database(market, now),
        station("api", "API", "serves queries and live updates", ("messages/s", (MESSAGES,))),
        _page(market, now),
        replace(
            station("alerting", "alerting", "⇅ broker: rules to alerts", ("signals/s", ("signals",))),
            beside="broker-out",
        ),
        replace(station("research", "research", "⇅ database: scans all pairs"), beside="database"),
    ]


def rate(market: LiveState, service: str, unit: str, counters: Iterable[str]) -> str:
    """Return how many a second with its unit."""
    found = market.beats.rate(service, *counters)
    return f"{NONE if found is None else per_second(found)} {unit}"


def heard_s(market: LiveState, service: ServiceHealth | None, now: Now) -> float | None:
    """Return how long ago a service was last heard of, by any of its processes; None if it never was."""
    if service is None or market.services_s is None:
        return None
    ages = [one.age_s for one in service.instances or (service,)]
    youngest_s = min((age_s for age_s in ages if age_s is not None), default=None)
    return None if youngest_s is None else youngest_s + now.s - market.services_s


def _service(
    service: ServiceHealth | None,
    key: str,
    name: str,
    does: str,
    market: LiveState,
    now: Now,
    rates: Iterable[tuple[str, tuple[str, ...]]],
) -> Node:
    age_s = heard_s(market, service, now)
    if service is None or (age_s is None and not service.instances):
        state = service.state if service is not None and service.healthy is None else "no heartbeat yet"
        return Node(key, name, does, state, "unknown")
    is_silent = service.state == "silent" if age_s is None else age_s >= SILENT_S
    is_silent = is_silent and service.healthy is not None and service.state != "stopped"
    return Node(
        key,
        name,
        does,
        _state(service, is_silent),
        _level(service, market, is_silent),
        () if is_silent else tuple(rate(market, key, *one) for one in rates),
        _lag(service),
        age_s,
        service.version,
        "; ".join([*([service.detail] if service.detail else []), *_losses(service)]) or None,
        tuple(market.beats.lags(key)),
        None if service.filling is None else filling(service.filling.done_s, service.filling.total_s),
        _lost(service),
        sum(service.unacknowledged.values()),
        tuple(map(_process, service.instances)) if len(service.instances) > 1 else (),
    )


def _state(service: ServiceHealth, is_silent: bool) -> str:
    if not is_silent:
        return partly_silent(service) or service.state
    since = "silent" if service.age_s is not None else "silent since before the API started"
    said = next((one.said for one in service.instances if one.state == "silent"), service.state)
    return f"{since}, was {said}"


def _process(one: ProcessHealth) -> str:
    heard = NONE if one.age_s is None else age(one.age_s)
    lag = "" if one.lag_messages is None or one.state == "silent" else f", lag {number(one.lag_messages, 0)}"
    return f"{one.instance or 'unnamed'}: {one.state}{lag}, heard {heard}"


def _level(service: ServiceHealth, market: LiveState, is_silent: bool) -> Level:
    if not market.connected or service.healthy is None:
        return "unknown"
    if is_silent:
        return "error"
    if service.state in ("degraded", "starting", "stopping", "stopped"):
        return "warning"
    return "ok" if service.healthy else "error"


def _lag(service: ServiceHealth) -> str | None:
    if service.lag_messages is None:
        return None
    text = f"lag {number(service.lag_messages, 0)}"
    if service.lag_seconds is None:
        return text
    seconds = service.lag_seconds
    return f"{text}, {number(seconds, min(2, significant_decimals(seconds, 2)))} s"


def _losses(service: ServiceHealth) -> list[str]:
    return [
        f"{number(count, 0)} {what}"
        for counter, what in LOSSES.items()
        # What was lost of each topic has lines of its own.
        if (count := service.counters.get(counter, 0)) and not (counter == "lost" and service.lost)
    ]


def _lost(service: ServiceHealth) -> tuple[str, ...]:
    """Return what was lost of each topic, since the start of its processes or before it."""
    topics = sorted(service.lost.keys() | service.unacknowledged.keys())
    counts = {
        topic: max(service.lost.get(topic, 0), service.unacknowledged.get(topic, 0)) for topic in topics
    }
    return tuple(
        f"lost {number(count, 0)} {'message' if count == 1 else 'messages'} of {topic}"
        for topic, count in counts.items()
        if count
    )


def _broker(market: LiveState, now: Now, key: str, does: str, writer: str, counters: tuple[str, ...]) -> Node:
    """Return the broker as the heartbeats tell it, which all come through it but the API's own."""
    through = [heard_s(market, service, now) for service in market.services if service.service != "api"]
    age_s = min((age_s for age_s in through if age_s is not None), default=None)
    problem = _problem(market, "broker")
    is_silent = age_s is None or age_s >= SILENT_S
    judged: tuple[str, Level]
    if problem:
        judged = "not reached", "error"
    elif age_s is None:
        judged = "no messages yet", "unknown"
    elif is_silent:
        judged = "no messages arrive", "error"
    else:
        judged = "running", "ok"
    rates = () if is_silent else (rate(market, writer, "messages/s", counters),)
    return Node(key, "broker", does, *_known(judged, market), rates, age_s=age_s, detail=problem)


def _database(market: LiveState, now: Now) -> Node:
    """Return the database as the sink that writes to it and the API that reads it tell it."""
    sink = next((service for service in market.services if service.service == "sink"), None)
    age_s, problem = heard_s(market, sink, now), _problem(market, "database")
    is_silent = sink is None or age_s is None or age_s >= SILENT_S
    judged: tuple[str, Level]
    if problem:
        judged = "not reached", "error"
    elif sink is None or is_silent:
        judged = "the sink is silent", "unknown"
    elif sink.healthy or has_only_lost(sink):
        judged = "running", "ok"
    elif sink.healthy is None:
        judged = f"the sink is {sink.state}", "unknown"
    else:
        judged = f"the sink is {sink.state}", "warning"
    rates = () if is_silent else (rate(market, "sink", "commits/s", ("batches",)),)
    return Node(
        "database",
        "database",
        "stores everything",
        *_known(judged, market),
        rates,
        age_s=age_s,
        detail=problem,
    )


def _page(market: LiveState, now: Now) -> Node:
    age_s = None if market.services_s is None else now.s - market.services_s
    state = "connected" if market.connected else "reconnecting" if market.connected_before else "connecting"
    rates = (rate(market, PAGE, "messages/s", (MESSAGES,)),) if market.connected else ()
    level: Level = "ok" if market.connected else "error"
    detail = market.error
    if market.connected and market.degraded:
        state, level, detail = "connected, the stream is degraded", "warning", "; ".join(market.degraded)
    does = "reads the stream of the API"
    return Node(PAGE, "this page", does, state, level, rates, age_s=age_s, detail=detail)


def _known(judged: tuple[str, Level], market: LiveState) -> tuple[str, Level]:
    return judged if market.connected else (judged[0], "unknown")


def _problem(market: LiveState, what: str) -> str | None:
    """Return the first thing that a service says of the broker or the database."""
    for service in market.services:
        for part in (service.detail or "").split("; "):
            if f"the {what}" in part:
                return f"{service.service}: {part}"
    return None


def age_words(node: Node) -> str:
    """Return how old a station's numbers are."""
    if node.age_s is None:
        return "nothing known"
    return f"last known, {age(node.age_s)}" if node.is_stale else f"heard {age(node.age_s)}"
