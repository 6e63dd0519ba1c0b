"""Alerts of rules, and what is done about them."""

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from services.api.models.base import EpochUs, IsoTime
from services.api.models.base import Record as Record
from services.api.models.message_record import record_of
from services.api.time_parameters import Moment
from services.common import clock
from services.contracts import messages

SNOOZE_MAX_S = 30 * 24 * 3_600


class Alert(record_of(messages.Alert)):  # type: ignore[misc]  # made when it is imported
    """One transition of one rule on one subject.

    What holds now is the latest transition of a rule and subject that is not `retracted` and that none has retracted.
    """

    event_us: EpochUs
    event_time: IsoTime
    retracted_by: Annotated[
        str | None,
        Field(
            description="The id of the alert that has retracted this one; null if it holds.",
            examples=["zscore:ETHUSDT-BTCUSDT:1767225600000000:firing:retracted"],
        ),
    ]
    acked_us: EpochUs | None
    acked_time: IsoTime | None
    acked_by: Annotated[
        str | None, Field(description="Who has seen it: the name of a key.", examples=["desk"])
    ]
    snoozed_until_us: EpochUs | None
    snoozed_until_time: IsoTime | None


class Snooze(Record):
    """End of a snooze, as a time or a duration: one of the two."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "oneOf": [
                {"required": [name], "properties": {name: {"not": {"type": "null"}}}}
                for name in ("until", "for_s")
            ]
        },
    )

    until: Annotated[
        Moment | None, Field(description="At most 30 days from now; a time that has passed ends the snooze.")
    ] = None
    for_s: Annotated[
        float | None,
        Field(
            ge=0,
            le=SNOOZE_MAX_S,
            strict=True,
            allow_inf_nan=False,
            description="Seconds from now; 0 ends the snooze.",
            examples=[900],
        ),
    ] = None

    @model_validator(mode="after")
    def _has_one(self) -> "Snooze":
        if (self.until is None) == (self.for_s is None):
            raise ValueError("expected either until or for_s")
        return self

    def until_us(self, now_us: int) -> int | None:
        """Return the end in microseconds since the epoch, None if it is not after `now_us`; ValueError if too late."""
        end_us = now_us + round((self.for_s or 0) * clock.SECOND) if self.until is None else self.until
        if end_us > now_us + SNOOZE_MAX_S * clock.SECOND:
            raise ValueError("expected a time at most 30 days from now")
        return end_us if end_us > now_us else None
