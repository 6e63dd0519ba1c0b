"""Models of targets, and of what became of deliveries."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from services.api.models.base import EpochUs, IsoTime, Record
from services.api.models.message_record import record_of
from services.api.models.rules import schema_of
from services.api.time_parameters import Moment
from services.contracts import targets
from services.contracts.targets import DeliveryKind, DeliveryState

TargetState = Literal["ready", "failing", "paused", "disabled"]
AlertDeliveryState = Literal[DeliveryState, "held", "unmatched", "unknown"]
TargetBody = Annotated[dict[str, Any], WithJsonSchema(schema_of(targets.Target))]
DeliveryId = Annotated[
    str,
    Field(
        description="Names the delivery: the `webhook-id` of every try.",
        examples=["dlv_3f6b1c0a9d2e4b5c8d7e6f5a4b3c2d1e"],
    ),
]
TargetName = Annotated[str, Field(description="The target.", examples=["desk-bot"])]
Reason = Annotated[
    str | None,
    Field(
        description="What the other side answered, or why it was not asked; null if there is nothing to say.",
        examples=["expected a status of 2xx, received 503 Service Unavailable"],
    ),
]
Status = Annotated[
    int | None,
    Field(description="Status of HTTP or SMTP of the last try, if there was an answer.", examples=[503]),
]
Tries = Annotated[int, Field(description="How often it was tried.", examples=[2])]


class Target(record_of(targets.Target, without=("url", "secret"))):  # type: ignore[misc]  # made when it is imported
    """A target as it is; a field that was left out has its default, and what is secret is not told."""

    url: Annotated[
        str | None,
        Field(
            description="Its URL, without what is secret in it; null of mail.",
            examples=["https://example.org/hooks/alerts"],
        ),
    ]
    rotating: Annotated[
        bool,
        Field(description="Whether messages are signed with the secret of before, too.", examples=[False]),
    ]
    state: Annotated[
        TargetState,
        Field(
            description="`failing`: nothing has arrived since `failing_us`, and it is tried further; `disabled`: it is "
            "tried no more, until it is written again.",
            examples=["ready"],
        ),
    ]
    reason: Annotated[
        str | None, Field(description="Why it is disabled.", examples=["the receiver answered 410 Gone"])
    ]
    made_us: EpochUs
    made_time: IsoTime
    changed_us: EpochUs
    changed_time: IsoTime
    failing_us: EpochUs | None
    failing_time: IsoTime | None
    blocked_until_us: Annotated[
        EpochUs | None, Field(description="Until then the receiver has asked to be left alone.")
    ]
    blocked_until_time: IsoTime | None
    delivered_us: Annotated[EpochUs | None, Field(description="When something has arrived last.")]
    delivered_time: IsoTime | None
    waiting: Annotated[int, Field(description="Deliveries that are still to be tried.", examples=[0])]


class Delivery(Record):
    """A delivery: of which alerts, to which target, and what became of it."""

    delivery_id: DeliveryId
    target: TargetName
    kind: Annotated[
        DeliveryKind,
        Field(
            description="What it tells of its alerts: they have `begun` or `ended`, fire still and are told of `again` "
            "or, nobody having acknowledged them, `escalated`, or a silence is over. `test`: nothing.",
            examples=["begun"],
        ),
    ]
    alert_ids: Annotated[
        list[str],
        Field(
            description="The alerts that it tells of.",
            examples=[["zscore:ETHUSDT-BTCUSDT:1767225600000000:firing"]],
        ),
    ]
    title: Annotated[str, Field(description="What it says first.", examples=["z-score above 2"])]
    made_us: EpochUs
    made_time: IsoTime
    state: Annotated[
        DeliveryState,
        Field(
            description="`waiting` for its first try, `failed` and waiting for the next one, `delivered`, `dead` after "
            "the last try, or `skipped` without one.",
            examples=["delivered"],
        ),
    ]
    reason: Reason
    status: Status
    tries: Tries
    next_us: Annotated[EpochUs | None, Field(description="When it is tried again; null if it is not.")]
    next_time: IsoTime | None
    tried_us: Annotated[EpochUs | None, Field(description="When it was tried last.")]
    tried_time: IsoTime | None
    ended_us: Annotated[EpochUs | None, Field(description="When it was delivered or given up.")]
    ended_time: IsoTime | None
    took_ms: Annotated[int | None, Field(description="How long the last try took, ms.", examples=[12])]


class AlertDelivery(Record):
    """What became of one alert at one target: delivered, or why not."""

    target: TargetName
    state: Annotated[
        AlertDeliveryState,
        Field(
            description="State of the last delivery that tells of the alert. Without one: `held` back for now, "
            "`unmatched` if the alert is none of the target's, `unknown` if nothing was due.",
            examples=["delivered"],
        ),
    ]
    why: Annotated[
        str,
        Field(
            description="The same in words.",
            examples=["silenced by maintenance until 2026-01-01T00:00:00.000000Z"],
        ),
    ]
    delivery_id: DeliveryId | None
    kind: Annotated[DeliveryKind | None, Field(description="What the delivery tells.", examples=["begun"])]
    status: Status
    tries: Tries
    next_us: Annotated[EpochUs | None, Field(description="When it is tried again; null if it is not.")]
    next_time: IsoTime | None
    ended_us: Annotated[EpochUs | None, Field(description="When it was delivered or given up.")]
    ended_time: IsoTime | None


class Replay(Record):
    """Deliveries that are to be made again: of a time, and in these states."""

    model_config = ConfigDict(extra="forbid")

    start: Annotated[Moment, Field(description="Inclusive, of the time at which a delivery was made.")]
    end: Annotated[Moment | None, Field(description="Exclusive; now without it.")] = None
    states: Annotated[
        tuple[Literal["delivered", "dead", "skipped"], ...],
        Field(
            min_length=1,
            max_length=3,
            description="Those that stand so. What has been delivered is sent again under its `webhook-id`, so that a "
            "receiver that knows it drops it.",
            examples=[["dead"]],
        ),
    ] = ("dead", "skipped")


class Replayed(Record):
    """How many deliveries are made again."""

    deliveries: Annotated[int, Field(description="Deliveries that are made again.", examples=[12])]
