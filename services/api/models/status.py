"""Who is well."""

from typing import Annotated, Literal

from pydantic import Field

from services.api.models.base import AgeS, EpochUs, Feed, IsoTime, Record, Version
from services.api.models.market import SymbolPrice
from services.api.models.tape import Coverage1h, Coverage24h, OpenGaps
from services.common.messages import ServiceState


class SymbolState(SymbolPrice):
    """A symbol's last trade, and how complete its tape is."""

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
