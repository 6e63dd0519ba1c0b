"""Query parameters of each resource, validated; unknown ones are refused, as they may be misspelt."""

from typing import Annotated, Literal, Self

from fastapi import Depends, Path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from starlette.requests import HTTPConnection

from services.api.backend import Backend
from services.api.encoded_slashes import with_slashes
from services.api.models.datasets import Carried
from services.api.models.incidents import IncidentState
from services.api.models.tape import GapState
from services.api.problems import refused
from services.api.serialization.listing import Format
from services.api.time_parameters import Moment
from services.common import clock
from services.contracts.intervals import USUAL, AnyInterval, Interval
from services.contracts.messages import AlertState, Severity
from services.contracts.pairs import MOST_CHARACTERS, PAIR, SYMBOL
from services.contracts.symbol_forms import spelled_pair, spelled_symbol

ROWS_MAX = 1_000_000
# A bar of an hour may be asked for before it begins; more is a wrong zone or a wrong year.
AHEAD_US = 2 * clock.HOUR

_SYMBOL, _PAIR = (pattern.replace("A-Z", "A-Za-z") for pattern in (SYMBOL.pattern, PAIR.pattern))
SymbolName = Annotated[
    str,
    AfterValidator(spelled_symbol),
    Field(
        description="A known symbol; forms of other tools, as `BTC/USDT:USDT`, are understood.",
        examples=["BTCUSDT"],
        json_schema_extra={"pattern": f"^{_SYMBOL}$", "maxLength": MOST_CHARACTERS},
    ),
]
PairPath = Annotated[
    str,
    BeforeValidator(with_slashes),
    Path(
        description="Y-X, of two symbols: Y is regressed on X; Y--X if one has a hyphen itself.",
        examples=["ETHUSDT-BTCUSDT"],
        json_schema_extra={"pattern": f"^{_PAIR}$"},
    ),
]
AnyPairPath = Annotated[PairPath, AfterValidator(spelled_pair)]
"""A pair that need not be known."""
DatasetName = Annotated[
    str,
    Field(
        max_length=100,
        pattern=r"^[^\x00]*$",
        description="The id or name of a dataset, whose bars are taken instead of the market's.",
        examples=["btc-eth-2021"],
    ),
]
BarInterval = Annotated[
    Interval | None,
    Field(
        description=f"Width of a bar; without it {USUAL} of the market, and a dataset's own.",
        examples=[USUAL],
    ),
]
Limit = Annotated[
    int,
    Field(
        ge=1,
        le=ROWS_MAX,
        description="How many rows at most: up to 10,000 as JSON, up to 1,000,000, streamed, as CSV or Parquet.",
        examples=[100],
    ),
]


class TableQuery(BaseModel):
    """Any table."""

    model_config = ConfigDict(extra="forbid")

    format: Annotated[
        Format | None,
        Field(
            description="Without it the Accept header decides; JSON unless that asks for CSV or Parquet.",
            examples=["json"],
        ),
    ] = None


class SymbolsQuery(TableQuery):
    """Symbols: those there are data of, or all that the venues list."""

    listed: Annotated[
        bool,
        Field(description="Every symbol that the venues list, collected or not.", examples=[True]),
    ] = False
    search: Annotated[
        str | None,
        Field(
            max_length=100,
            pattern=r"^[^\x00]*$",
            description="Of those listed the ones that fit, best first: by name, base, quote, as other tools write it.",
            examples=["btc/usdt"],
        ),
    ] = None
    limit: Annotated[
        int, Field(ge=1, le=10_000, description="How many of those listed at most.", examples=[20])
    ] = 10_000

    @model_validator(mode="after")
    def _search_what_is_listed(self) -> Self:
        if self.search is not None and not self.listed:
            raise refused("search", "listed=true beside it", self.search)
        return self


class SpanQuery(TableQuery):
    """Query of rows that have a time."""

    start: Annotated[
        Moment | None,
        Field(
            description="Inclusive; of the market at most two hours ahead of now.",
            examples=["2026-01-01T00:00:00Z"],
        ),
    ] = None
    end: Annotated[Moment | None, Field(description="Exclusive.", examples=["2026-01-02T00:00:00Z"])] = None

    @field_validator("end")
    @classmethod
    def _not_before_start(cls, end: int | None, info: ValidationInfo) -> int | None:
        start = info.data.get("start")
        if end is not None and start is not None and end < start:
            raise ValueError("expected a time not before start")
        return end

    @model_validator(mode="after")
    def _not_in_the_future(self) -> Self:
        now_us = clock.now_us()
        if self.is_of_the_market() and (self.start or 0) > now_us + AHEAD_US:
            raise refused(
                "start", f"a time that is not in the future: it is {clock.to_iso(now_us)}", self.start
            )
        return self

    def is_of_the_market(self) -> bool:
        """Return whether the market is asked, which has no future; a dataset may be of any time."""
        return True


class DatasetQuery(SpanQuery):
    """Query that a dataset can answer in place of the market."""

    dataset: DatasetName | None = None
    carried: Annotated[
        Carried | None,
        Field(
            description="Of a dataset: what becomes of carried bars, in which nothing traded (volume 0 at the price of "
            "the bar before). Without it analyses `drop` them, because they are no observations, and `/v1/bars` keeps "
            "them.",
            examples=["keep"],
        ),
    ] = None

    @model_validator(mode="after")
    def _carried_of_a_dataset(self) -> Self:
        if self.carried == "keep" and self.dataset is None:
            raise refused(
                "carried", "a dataset beside it: the market has no bar without a trade", self.carried
            )
        return self

    def is_of_the_market(self) -> bool:
        """Return whether no dataset is asked."""
        return self.dataset is None


class PeriodQuery(SpanQuery):
    """A table that has a time, page by page."""

    cursor: Annotated[
        str | None,
        Field(
            max_length=400,
            description="The next_cursor of the page before, with the same query.",
        ),
    ] = None
    limit: Limit


class TicksQuery(PeriodQuery):
    """Ticks, oldest first."""

    symbol: SymbolName
    limit: Limit = 1_000


class BarsQuery(PeriodQuery, DatasetQuery):
    """Bars, oldest first: from `start` on, or without it the newest."""

    symbol: SymbolName
    interval: Annotated[
        AnyInterval | None,
        Field(
            description=f"Width of a bar; without it {USUAL} of the market, and a dataset's own.",
            examples=[USUAL],
        ),
    ] = None
    limit: Limit = 500


class SignalsQuery(PeriodQuery):
    """Signals, oldest first: from `start` on, or without it the newest."""

    limit: Limit = 1_000


class _AlertFilter(PeriodQuery):
    """Filters that alerts and incidents share."""

    pair: Annotated[str | None, Field(description="A known pair.", examples=["ETHUSDT-BTCUSDT"])] = None
    rule: Annotated[
        str | None,
        Field(
            description="Of this rule alone; `zscore` is the old name of `zscore-threshold`, which every pair has.",
            pattern=r"^[^\x00]*$",
            examples=["zscore-threshold"],
        ),
    ] = None
    subject: Annotated[
        str | None,
        Field(
            description="Of this pair, symbol or service alone.", pattern=r"^[^\x00]*$", examples=["BTCUSDT"]
        ),
    ] = None
    severity: Annotated[Severity | None, Field(description="Of these alone.", examples=["critical"])] = None
    acked: Annotated[
        bool | None,
        Field(
            description="True: acknowledged alerts; false: alerts without an acknowledgement.",
            examples=[False],
        ),
    ] = None
    snoozed: Annotated[
        bool | None, Field(description="Those that are snoozed now, or those that are not.", examples=[False])
    ] = None
    limit: Limit = 100


class AlertsQuery(_AlertFilter):
    """Alerts, newest first."""

    state: Annotated[AlertState | None, Field(description="Of these alone.", examples=["firing"])] = None
    retracted: Annotated[
        bool | None,
        Field(description="Those that late trades have retracted, or those that hold.", examples=[False]),
    ] = None


class IncidentsQuery(_AlertFilter):
    """Incidents that began in a period, the one that began last first."""

    state: Annotated[
        Literal["open", IncidentState] | None,
        Field(description="State now; `open` are `firing`, `no_data` and `error`.", examples=["open"]),
    ] = None
    marked_false: Annotated[
        bool | None,
        Field(description="Those that were called false alarms, or those that were not.", examples=[True]),
    ] = None


class GapsQuery(PeriodQuery):
    """Gaps, the one that began last first."""

    symbol: SymbolName | None = None
    state: Annotated[
        Literal["open", GapState] | None,
        Field(description="`open` are `found` and `unrepaired`.", examples=["open"]),
    ] = None
    limit: Limit = 1_000


async def _backend(connection: HTTPConnection) -> Backend:
    backend: Backend = connection.app.state.backend
    return backend


BackendDependency = Annotated[Backend, Depends(_backend)]
