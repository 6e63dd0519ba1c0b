"""Models of the pipeline's status and of the health of its services."""

from typing import Annotated, Literal

from pydantic import Field

from services.api.models.base import EpochUs, Feed, IsoTime, Record, Version
from services.api.models.market import SymbolPrice
from services.api.models.tape import Coverage1h, Coverage24h, CoverageReason, OpenGaps
from services.contracts.messages import ServiceState


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
    coverage_reason: CoverageReason


class Filling(Record):
    """Progress through the history that a feed plays at its start."""

    done_s: Annotated[float, Field(description="Played so far, in seconds of event time.", examples=[340.0])]
    total_s: Annotated[
        float,
        Field(
            description="From where the feed began to now: it grows while the history is played.",
            examples=[912.5],
        ),
    ]


class ProcessHealth(Record):
    """Health of a process or a service by its last heartbeat, and when that came to the broker."""

    healthy: Annotated[
        bool | None,
        Field(
            description="Running or finished, and heard of in the last 5 seconds; "
            "null while the API cannot tell, because it has not read what came in them."
        ),
    ]
    age_s: Annotated[
        float | None,
        Field(
            description="Seconds since the last heartbeat arrived, by the API's own steady clock; null if it "
            "arrived before the API listened and the broker has no time of it.",
            examples=[0.412],
        ),
    ]
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
            description="Messages that the broker had deleted before they were read, since the start, by topic.",
            examples=[{"ticks": 1234}],
        ),
    ]
    filling: Annotated[
        Filling | None, Field(description="Of ingest, while it plays the history that precedes the present.")
    ]


class InstanceHealth(ProcessHealth):
    """One process of a service. It is listed until it ends, is replaced by another, or was silent for 10 minutes."""

    instance: Annotated[
        str | None,
        Field(
            description="Its host, process id and start; null of a version that does not tell.",
            examples=["store-4242-20260131T120000"],
        ),
    ]
    state: Annotated[
        Literal["catching up", "silent", ServiceState],
        Field(
            description="State in its own heartbeats while these arrive; `catching up`: the API does not know yet."
        ),
    ]
    said: Annotated[ServiceState, Field(description="State in its last heartbeat.")]


class ServiceHealth(ProcessHealth):
    """Health of a service: the worst state and age of its processes, the sum of their counters."""

    service: Annotated[str, Field(description="Name of the service.", examples=["ingest"])]
    state: Annotated[
        Literal["unknown", "catching up", "silent", "stopped", ServiceState],
        Field(
            description="The worst state of its processes; at best `degraded` while it has unacknowledged losses; "
            "`unknown` without any heartbeat, `stopped` if all processes ended on request."
        ),
    ]
    unacknowledged: Annotated[
        dict[str, int],
        Field(
            description="Lost messages without an acknowledgement, by topic, also from before the start.",
            examples=[{"ticks": 1234}],
        ),
    ]
    instances: Annotated[list[InstanceHealth], Field(description="Its processes, by name.")]


class Status(Record):
    """The health of the whole pipeline."""

    feed: Feed
    version: Version
    now_us: EpochUs
    now_time: IsoTime
    services: list[ServiceHealth]
    left_out: Annotated[
        int,
        Field(
            description="Heartbeats, since the API's start, of processes that are not listed: there are too many.",
            examples=[0],
        ),
    ]
    symbols: list[SymbolState]


class Acknowledgement(Record):
    """Acknowledgement of losses: of one service, or of all."""

    service: Annotated[
        str | None,
        Field(
            max_length=64,
            pattern=r"^[^\x00]*$",
            description="One service; without it all of them.",
            examples=["sink"],
        ),
    ] = None


class Acknowledged(Record):
    """Losses that this request has acknowledged."""

    services: Annotated[
        dict[str, dict[str, int]],
        Field(description="Lost messages by service and topic.", examples=[{"sink": {"ticks": 1234}}]),
    ]


class Health(Record):
    """The process answers."""

    status: Annotated[Literal["ok"], Field(description="Always this.")] = "ok"
