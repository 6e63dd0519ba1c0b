"""Base models that all responses share."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from services.contracts.messages import FeedName

T = TypeVar("T")
Venue = Annotated[str, Field(description="Where it traded.", examples=["binance"])]
Version = Annotated[str, Field(description="The version of pairstream.", examples=["0.1.0"])]
EpochUs = Annotated[int, Field(description="Microseconds since 1970, UTC.", examples=[1767225600123456])]
IsoTime = Annotated[
    str, Field(description="The same in ISO 8601, UTC.", examples=["2026-01-01T00:00:00.123456Z"])
]
Symbol = Annotated[str, Field(description="The future's symbol at the venue.", examples=["BTCUSDT"])]
PairName = Annotated[str, Field(description="Y-X: Y is regressed on X.", examples=["ETHUSDT-BTCUSDT"])]
Price = Annotated[float, Field(description="In quote currency.", examples=[64123.4])]
Feed = Annotated[
    FeedName | None,
    Field(description="Feed of the data; null until ingest has named it, and of a dataset."),
]
AgeS = Annotated[
    float | None,
    Field(
        description="Seconds since the receipt, by the receiving clock, not the API's.",
        examples=[0.412],
    ),
]
TradeId = Annotated[int, Field(description="The venue's id.", examples=[2947204771])]


class Record(BaseModel):
    """A record has exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class Listing(Record, Generic[T]):
    """Records of one resource, with the feed they come from."""

    feed: Feed
    data: list[T]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Give it as `cursor` for the page that follows; absent when there is none yet.",
            examples=["WzE3NjcyMjU2MDAxMjM0NTYsNDJd"],
        ),
    ] = None
