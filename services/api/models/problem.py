"""Model of a problem document (RFC 9457)."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from services.api.models.base import Record


class FieldError(Record):
    """One thing that is wrong with a request."""

    field: Annotated[str, Field(description="The parameter, or where in the body.", examples=["limit"])]
    expected: Annotated[
        str, Field(description="What would be right.", examples=["less than or equal to 10000"])
    ]
    received: Annotated[
        str | None, Field(description="What came instead; null if nothing.", examples=["20000"])
    ]


class Problem(BaseModel):
    """Problem document of an error (RFC 9457)."""

    type: Annotated[
        str,
        Field(description="Which problem, for programs.", examples=["urn:pairstream:problem:unknown-symbol"]),
    ]
    title: Annotated[str, Field(description="Which problem, for people.", examples=["Unknown symbol"])]
    status: Annotated[int, Field(description="That of the answer.", examples=[404])]
    detail: Annotated[
        str,
        Field(
            description="What was expected and received.",
            examples=["expected one of BTCUSDT, ETHUSDT, received 'XRPUSDT'"],
        ),
    ]
    errors: Annotated[
        list[FieldError] | None,
        Field(
            description="Of an invalid request.",
            examples=[[{"field": "limit", "expected": "a valid integer", "received": "ten"}]],
        ),
    ] = None
    known: Annotated[
        list[str] | None,
        Field(
            description="Some of what is known, if it is not what was asked; the nearest first.",
            examples=[["BTCUSDT", "ETHUSDT"]],
        ),
    ] = None
    near: Annotated[
        list[str] | None,
        Field(description="Of those, the ones that may have been meant.", examples=[["BTCUSDT"]]),
    ] = None
    reasons: Annotated[
        list[str] | None,
        Field(description="Why the service is not ready.", examples=[["the database cannot be reached"]]),
    ] = None
    question: Annotated[
        dict[str, Any] | None,
        Field(
            description="Open question of a file that can be read in several ways: the `option` to set, and the "
            "`readings`, each a `value` with its first `bars`. Without readings the detail has the next step.",
        ),
    ] = None
    id: Annotated[
        str | None,
        Field(
            description="Of an internal error: find it in the log.",
            examples=["8f14e45fceea167a5a36dedd4bea2543"],
        ),
    ] = None
