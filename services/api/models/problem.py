"""What went wrong."""

from typing import Annotated

from pydantic import BaseModel, Field

from services.api.models.base import Record


class FieldError(Record):
    """One thing that is wrong with a request."""

    field: Annotated[str, Field(examples=["limit"])]
    expected: Annotated[str, Field(examples=["less than or equal to 10000"])]
    received: Annotated[str | None, Field(examples=["20000"])]


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: Annotated[str, Field(examples=["urn:pairstream:problem:unknown-symbol"])]
    title: Annotated[str, Field(examples=["Unknown symbol"])]
    status: Annotated[int, Field(examples=[404])]
    detail: Annotated[str, Field(examples=["expected one of BTCUSDT, ETHUSDT, received 'XRPUSDT'"])]
    errors: Annotated[list[FieldError] | None, Field(description="Of an invalid request.")] = None
    known: Annotated[list[str] | None, Field(description="What is known, if it is not what was asked.")] = (
        None
    )
    reasons: Annotated[list[str] | None, Field(description="Why the service is not ready.")] = None
    id: Annotated[str | None, Field(description="Of an internal error: find it in the log.")] = None
