"""Incidents: from the alert that opens one to what ends it."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from services.api.models.base import EpochUs, IsoTime, Record
from services.api.models.message_record import record_of
from services.api.queries.incidents import PEAK_SIGNALS
from services.contracts import messages

IncidentState = Literal["firing", "no_data", "error", "resolved", "ended", "retracted"]


class Incident(record_of(messages.Alert, without=("state", "duration_s", "retracts"))):  # type: ignore[misc]
    """One incident of one rule on one subject: the alert that opened it, and how long it has lasted.

    `alert_id` is that of the alert that opened it, and what is acknowledged and snoozed. The incident began at
    `event_us`; `value`, `values` and `message` are of that moment.
    """

    event_us: Annotated[int, Field(description="When it began, microseconds since 1970, UTC.")]
    event_time: IsoTime
    state: Annotated[
        IncidentState,
        Field(
            description="State now. `firing`, `no_data` and `error` are open. `ended`: the rule or its subject is no "
            "more, or measured otherwise; without `end_us` no end is stored, but a later incident. `retracted`: late "
            "trades have changed the second, and it never held.",
            examples=["resolved"],
        ),
    ]
    end_us: EpochUs | None
    end_time: IsoTime | None
    duration_s: Annotated[
        float | None,
        Field(
            ge=0,
            description="From its begin to its end, in seconds; null while it is open, and of a retracted one.",
            examples=[42.0],
        ),
    ]
    ended_by: Annotated[
        str | None,
        Field(
            description="The id of the alert that ended it.",
            examples=["zscore:ETHUSDT-BTCUSDT:1767225642000000:resolved"],
        ),
    ]
    peak: Annotated[
        float | None,
        Field(
            description="Of a rule on the z-score of a pair: the z-score farthest from 0 among the stored signals from "
            f"its begin to its end, or to now. Null of other rules, and of more than {PEAK_SIGNALS:,} signals.",
            examples=[-3.2],
        ),
    ]
    retracted_by: Annotated[
        str | None, Field(description="The id of the alert that has retracted it; null if it holds.")
    ]
    acked_us: EpochUs | None
    acked_time: IsoTime | None
    acked_by: Annotated[
        str | None, Field(description="Who has seen it: the name of a key.", examples=["desk"])
    ]
    snoozed_until_us: EpochUs | None
    snoozed_until_time: IsoTime | None
    false_us: EpochUs | None
    false_time: IsoTime | None
    false_by: Annotated[
        str | None,
        Field(description="Who has called it a false alarm: the name of a key.", examples=["desk"]),
    ]
    note: Annotated[
        str,
        Field(description="What was noted of it; empty if nothing.", examples=["the venue was in auction"]),
    ]


class IncidentMark(Record):
    """Judgement on an incident: whether it was a false alarm, and a note; it takes the place of the one before."""

    model_config = ConfigDict(extra="forbid")

    is_false: Annotated[bool, Field(strict=True, description="Whether it was a false alarm.")] = True
    note: Annotated[
        str,
        Field(
            max_length=500,
            pattern=r"^[^\x00]*$",
            description="Why, or anything else.",
            examples=["the venue was in auction"],
        ),
    ] = ""
