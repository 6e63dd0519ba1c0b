"""Models of the gap ledger and of the coverage of a tape."""

from typing import Annotated, Literal

from pydantic import Field

from services.api.models.base import EpochUs, IsoTime, Listing, Record, Symbol, TradeId, Venue

GapState = Literal["found", "unrepaired", "refuted", "repaired"]
Coverage1h = Annotated[
    float | None,
    Field(description="Share of the last hour's trades that are here; null until known.", examples=[1.0]),
]
Coverage24h = Annotated[
    float | None,
    Field(description="Share of the last day's trades that are here; null until known.", examples=[0.99998]),
]
CoverageReason = Annotated[
    str | None,
    Field(description="Why there is no coverage; null if there is.", examples=[None]),
]
OpenGaps = Annotated[int, Field(description="Gaps whose trades are missing still.", examples=[0])]


class Gap(Record):
    """A run of trade ids that the stream jumped over, and what became of it."""

    symbol: Symbol
    first_id: TradeId
    last_id: TradeId
    venue: Venue
    start_us: EpochUs
    start_time: IsoTime
    end_us: EpochUs
    end_time: IsoTime
    found_us: EpochUs
    found_time: IsoTime
    updated_us: EpochUs
    updated_time: IsoTime
    state: Annotated[
        GapState,
        Field(
            description="`found`: being repaired; `repaired`: every trade is here; `refuted`: the venue has no such "
            "trades; `unrepaired`: they could not be had, `reason` says why."
        ),
    ]
    missing: Annotated[int, Field(description="Ids that are missing still.", examples=[17])]
    reason: Annotated[
        str | None,
        Field(description="Why they could not be had.", examples=["older than the 48 hours the venue keeps"]),
    ]


class SymbolCoverage(Record):
    """Coverage of a symbol's tape, as of `coverage_us`."""

    symbol: Symbol
    coverage_1h: Coverage1h
    coverage_24h: Coverage24h
    coverage_us: EpochUs | None
    coverage_time: IsoTime | None
    open_gaps: OpenGaps
    missing: Annotated[int, Field(description="Trade ids that open gaps lack.", examples=[0])]
    coverage_reason: CoverageReason


class GapLedger(Listing[Gap]):
    """Gaps, with the coverage of each symbol asked for."""

    coverage: list[SymbolCoverage]
