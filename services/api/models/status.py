"""Who is well."""

from typing import Annotated, Literal

from pydantic import Field

from services.api.models.base import AgeS, EpochUs, Feed, IsoTime, Record, Version
from services.api.models.market import SymbolPrice
from services.api.models.tape import Coverage1h, Coverage24h, OpenGaps
from services.common.messages import ServiceState


class SymbolState(SymbolPrice):
    """A symbol's last trade, how late its trades are delivered, and how complete its tape is."""

    coverage_1h: Coverage1h
    coverage_24h: Coverage24h
    open_gaps: OpenGaps
    stale: Annotated[
        list[str],
        Field(
            description="Its streams that are silent longer than their rate makes plausible.",
            examples=[["btcusdt@aggTrade"]],
        ),
    ]


class Filling(Record):
    """How much of the history that a feed plays at its start has been played."""

    done_s: Annotated[float, Field(description="Played so far, in seconds of event time.", examples=[340.0])]
    total_s: Annotated[
        float,
        Field(
            description="From where the feed began to now: it grows while the history is played.",
            examples=[912.5],
        ),
    ]


class ServiceHealth(Record):
    """A service as its last heartbeat tells it."""

    service: Annotated[str, Field(description="Which one.", examples=["ingest"])]
    state: Annotated[
        Literal["unknown", ServiceState],
        Field(description="As it says itself; `unknown` until it is heard of."),
    ]
    healthy: Annotated[bool, Field(description="Running or finished, and heard of within 5 seconds.")]
    age_s: AgeS
    version: Version | None
    detail: Annotated[
        str | None, Field(description="What is wrong.", examples=["the database cannot be reached"])
    ]
    lag_messages: Annotated[
        int | None,
        Field(
            description="Messages that wait to be read; of ingest: to be taken by the broker.", examples=[3]
        ),
    ]
    lag_seconds: Annotated[
        float | None, Field(description="For how long the oldest of them has waited.", examples=[0.02])
    ]
    counters: Annotated[
        dict[str, int], Field(description="Totals since its start.", examples=[{"ticks": 9120}])
    ]
    lost: Annotated[
        dict[str, int],
        Field(
            description="Messages that the broker had deleted before the service read them, since its start, by topic.",
            examples=[{"ticks": 1234}],
        ),
    ]
    filling: Annotated[
        Filling | None, Field(description="Of ingest, while it plays the history that precedes the present.")
    ]


class Status(Record):
    """The health of the whole pipeline."""

    feed: Feed
    version: Version
    now_us: EpochUs
    now_time: IsoTime
    services: list[ServiceHealth]
    symbols: list[SymbolState]


class Health(Record):
    """The process answers."""

    status: Annotated[Literal["ok"], Field(description="Always this.")] = "ok"
