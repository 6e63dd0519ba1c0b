"""Who is well."""

from typing import Annotated, Literal

from pydantic import Field

from services.api.models.base import AgeS, EpochUs, Feed, IsoTime, Record
from services.api.models.market import SymbolPrice
from services.api.models.tape import Coverage1h, Coverage24h, OpenGaps


class SymbolState(SymbolPrice):
    """A symbol's last trade, and how complete its tape is."""

    coverage_1h: Coverage1h
    coverage_24h: Coverage24h
    open_gaps: OpenGaps
    stale: Annotated[
        list[str],
        Field(description="Its streams that are silent longer than their rate makes plausible."),
    ]


class ServiceHealth(Record):
    """A service as its last heartbeat tells it."""

    service: Annotated[str, Field(examples=["ingest"])]
    state: Literal["unknown", "starting", "running", "degraded", "finished", "stopping"]
    healthy: Annotated[bool, Field(description="Running or finished, and heard of within 5 seconds.")]
    age_s: AgeS
    version: str | None
    detail: str | None
    lag_messages: Annotated[int | None, Field(description="Messages that wait to be read.", examples=[3])]
    counters: Annotated[
        dict[str, int], Field(description="Totals since its start.", examples=[{"ticks": 9120}])
    ]


class Status(Record):
    """The health of the whole pipeline."""

    feed: Feed
    version: Annotated[str, Field(examples=["0.1.0"])]
    now_us: EpochUs
    now_time: IsoTime
    services: list[ServiceHealth]
    symbols: list[SymbolState]


class Health(Record):
    """The process answers."""

    status: Literal["ok"] = "ok"
