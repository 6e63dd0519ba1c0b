"""What each resource can be asked, checked: unknown parameters are refused, because a misspelt one would lie."""

from typing import Annotated, Literal

from fastapi import Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from starlette.requests import HTTPConnection

from services.api.backend import Backend
from services.api.listing import Format
from services.api.models.tape import GapState
from services.api.moments import Moment
from services.common.messages import AlertState
from services.common.pairs import parse_symbol
from services.common.store import Interval

TICKS_MAX = 10_000
BARS_MAX = 10_000
SIGNALS_MAX = 10_000
ALERTS_MAX = 1_000
GAPS_MAX = 10_000

SymbolName = Annotated[
    str, AfterValidator(parse_symbol), Field(description="A known symbol.", examples=["BTCUSDT"])
]


class TableQuery(BaseModel):
    """Any table."""

    model_config = ConfigDict(extra="forbid")

    format: Annotated[
        Format | None,
        Field(description="Without it the Accept header decides; JSON unless that asks for CSV."),
    ] = None


class PeriodQuery(TableQuery):
    """A table that has a time."""

    start: Annotated[Moment | None, Field(description="Inclusive.")] = None
    end: Annotated[Moment | None, Field(description="Exclusive.")] = None
    cursor: Annotated[
        str | None,
        Field(max_length=400, description="The next_cursor of the page before, with the same query."),
    ] = None

    @field_validator("end")
    @classmethod
    def _not_before_start(cls, end: int | None, info: ValidationInfo) -> int | None:
        start = info.data.get("start")
        if end is not None and start is not None and end < start:
            raise ValueError("expected a time not before start")
        return end


class TicksQuery(PeriodQuery):
    """Ticks, oldest first."""

    symbol: SymbolName
    limit: Annotated[int, Field(ge=1, le=TICKS_MAX)] = 1_000


class BarsQuery(PeriodQuery):
    """Bars, oldest first: from `start` on, or without it the newest."""

    symbol: SymbolName
    interval: Interval = "1m"
    limit: Annotated[int, Field(ge=1, le=BARS_MAX)] = 500


class SignalsQuery(PeriodQuery):
    """Signals, oldest first: from `start` on, or without it the newest."""

    limit: Annotated[int, Field(ge=1, le=SIGNALS_MAX)] = 1_000


class AlertsQuery(PeriodQuery):
    """Alerts, newest first."""

    pair: Annotated[str | None, Field(description="A known pair.", examples=["ETHUSDT-BTCUSDT"])] = None
    state: AlertState | None = None
    limit: Annotated[int, Field(ge=1, le=ALERTS_MAX)] = 100


class GapsQuery(PeriodQuery):
    """Gaps, the one that began last first."""

    symbol: SymbolName | None = None
    state: Literal["open", GapState] | None = None
    limit: Annotated[int, Field(ge=1, le=GAPS_MAX)] = 1_000


def _backend(connection: HTTPConnection) -> Backend:
    backend: Backend = connection.app.state.backend
    return backend


BackendDependency = Annotated[Backend, Depends(_backend)]
