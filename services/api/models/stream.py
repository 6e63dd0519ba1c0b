"""Models of the messages of the stream."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from services.api.models.alerts import Alert
from services.api.models.base import EpochUs, Feed, IsoTime, Record
from services.api.models.market import Tick
from services.api.models.pairs import LatestSignal
from services.api.models.radars import RadarEvent
from services.api.models.status import Status
from services.api.stream.composer import Topic

EventId = Annotated[
    str,
    Field(
        description="Every closed signal, alert and event of a radar up to here has been sent: give the last one as "
        "`last_event_id` to go on from there.",
        examples=["5f0c2ab93d17-4711"],
    ),
]
RequestId = Annotated[
    str | int | None, Field(description="Of the command that this answers.", examples=["7"])
]
Ticks = Annotated[list[Tick], Field(default_factory=list, description="The latest trade of each symbol.")]
Signals = Annotated[
    list[LatestSignal],
    Field(
        default_factory=list,
        description="Closed signals, each one, in the order they came, a correction of an earlier one with a higher "
        "`revision`; and of each pair the latest since its last close (`closed` false), which the next one replaces.",
    ),
]
Alerts = Annotated[
    list[Alert],
    Field(default_factory=list, description="Alerts, and earlier ones again with what became of them."),
]
Radar = Annotated[
    list[RadarEvent],
    Field(
        default_factory=list,
        description="Pairs that a radar has confirmed, or confirms no longer, each event.",
    ),
]


class _News(Record):
    # What is not there is absent, never null.
    id: EventId
    feed: Feed
    ticks: Ticks
    signals: Signals
    alerts: Alerts
    radar: Radar
    status: Annotated[Status | None, Field(description="Once a second, if `status` is wanted.")] = None
    degraded: Annotated[
        list[str] | None,
        Field(
            description="Reasons why messages may be old or incomplete: the broker or the database is away. "
            "Sent to every client on each change; empty when the server is back, and missed messages follow.",
            examples=[["the broker cannot be reached"]],
        ),
    ] = None


class Snapshot(_News):
    """The present: of each pair the newest closed signal and the latest since; the last alerts and events of radars.

    The last ones are newest first.
    One of the scope `all` is the first message and replaces what was known; one of the scope `added` follows a
    change of the subscription and brings what is newly wanted.
    """

    type: Literal["snapshot"]
    scope: Literal["all", "added"]
    resumed: Annotated[
        bool | None,
        Field(
            description="False in the first message: what came since `last_event_id` is not known here. All closed "
            "signals and alerts that are known follow."
        ),
    ] = None


class Update(_News):
    """Updates since the message before."""

    type: Literal["update"]
    resumed: Annotated[
        bool | None,
        Field(description="True in the first message of a client that goes on from `last_event_id`."),
    ] = None


class Ack(Record):
    """Acknowledgement of a changed subscription; a snapshot of the scope `added` follows."""

    type: Literal["ack"]
    request_id: RequestId
    op: Literal["subscribe", "unsubscribe", "set"]
    topics: list[Topic]
    symbols: Annotated[list[str], Field(description="Empty: all.", examples=[["BTCUSDT"]])]
    pairs: Annotated[list[str], Field(description="Empty: all.", examples=[["ETHUSDT-BTCUSDT"]])]
    interval_ms: Annotated[int, Field(description="The least time between two messages.", examples=[30])]


class Pong(Record):
    """The answer to a `ping`."""

    type: Literal["pong"]
    request_id: RequestId
    now_us: EpochUs
    now_time: IsoTime


class StreamError(Record):
    """A command was not understood, and nothing has changed; members of problem documents may follow."""

    model_config = ConfigDict(extra="allow")

    type: Literal["error"]
    request_id: RequestId
    title: Annotated[str, Field(description="What kind of error.", examples=["Unknown symbol"])]
    detail: Annotated[
        str,
        Field(
            description="What was expected, and what was received.",
            examples=["expected one of BTCUSDT, ETHUSDT, received 'BTCUSDR'"],
        ),
    ]
