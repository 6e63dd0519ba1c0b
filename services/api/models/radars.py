"""Models of radars: standing scans, and what they have confirmed."""

from typing import Annotated, Any, Literal

from pydantic import Field

from services.api.models.base import EpochUs, IsoTime, PairName, Record, Symbol
from services.api.models.message_record import record_of
from services.api.models.scans import ScanOptions, ScanSummary
from services.contracts import messages

RadarName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        description="Name of a radar: small letters, digits and hyphens.",
        examples=["default"],
    ),
]


class RadarBody(ScanOptions):
    """Radar: what is scanned again and again, the newest `bars` each time, and how often."""

    every_s: Annotated[
        int, Field(ge=10, le=86_400, description="Seconds from one scan to the next.", examples=[300])
    ] = 300
    paused: Annotated[bool, Field(description="True: it is not scanned.", examples=[False])] = False


class Radar(Record):
    """Radar, and what its last scan found in short."""

    radar_id: RadarName
    request: Annotated[dict[str, Any], Field(description="What is scanned, but for defaults.")]
    every_s: Annotated[int, Field(description="Seconds from one scan to the next.", examples=[300])]
    paused: Annotated[bool, Field(description="True: it is not scanned.", examples=[False])]
    state: Annotated[
        Literal["waiting", "watching", "unfit"],
        Field(
            description="`waiting`: not scanned yet; `unfit`: the last time there was too little to scan, `reason` "
            "says what; it goes on trying.",
            examples=["watching"],
        ),
    ]
    reason: Annotated[
        str | None,
        Field(
            description="Why nothing could be scanned the last time.",
            examples=["expected at least 30 bars in each part, received 14 and, held out, 6"],
        ),
    ]
    job_id: Annotated[
        str | None,
        Field(
            description="The last scan that was done: `GET /v1/scans/{job_id}` has its pairs until the next one.",
            examples=["scan-3f6b1c0a9d2e"],
        ),
    ]
    scanned_us: Annotated[
        EpochUs | None,
        Field(description="End of the history that was scanned last, microseconds since 1970."),
    ]
    scanned_time: IsoTime | None
    next_us: EpochUs
    next_time: IsoTime
    confirmed: Annotated[int, Field(description="Pairs that are confirmed now.", examples=[3])]
    summary: Annotated[ScanSummary | None, Field(description="Of the last scan; null before the first.")]


class RadarEvent(record_of(messages.RadarEvent)):  # type: ignore[misc]  # made when it is imported
    """A pair that a radar has confirmed, or confirms no longer."""


class Confirmation(Record):
    """Time for which a radar has confirmed a pair; null ends are open."""

    radar_id: RadarName
    pair: PairName
    y: Annotated[
        str, Field(description="Regressed on x by the last scan that confirmed it.", examples=["ETHUSDT"])
    ]
    x: Annotated[str, Field(description="The other leg.", examples=["BTCUSDT"])]
    leg_a: Annotated[Symbol, Field(description="The leg whose name comes first, whichever is regressed.")]
    leg_b: Annotated[Symbol, Field(description="The other one.")]
    confirmed_us: EpochUs
    confirmed_time: IsoTime
    last_confirmed_us: EpochUs
    last_confirmed_time: IsoTime
    ended_us: EpochUs | None
    ended_time: IsoTime | None
    end_reason: Annotated[
        str | None,
        Field(
            description="Why it has ended, or was not confirmed the last time.",
            examples=["p = 0.3 in the part held out"],
        ),
    ]
    scans: Annotated[int, Field(description="Scans that have confirmed it.", examples=[12])]
    missed: Annotated[
        int,
        Field(description="Scans in a row that have not: three end it, and a break at once.", examples=[0]),
    ]
    p_value: Annotated[float, Field(description="Of the last scan that confirmed it.", examples=[0.0003])]
    hedge_ratio: Annotated[float | None, Field(description="Of the same scan.", examples=[0.87])]
    half_life_bars: Annotated[float | None, Field(description="Of the same scan, bars.", examples=[41.5])]
    spread_bp: Annotated[
        float | None, Field(description="Standard deviation of the spread, basis points.", examples=[18.4])
    ]
