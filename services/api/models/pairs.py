"""Models of pairs and their signals."""

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from services.api.models.base import EpochUs, IsoTime, PairName, Price, Record, Symbol
from services.api.models.message_record import record_of
from services.contracts import messages
from services.contracts.messages import Method, Transform
from services.contracts.pair_messages import LOG_THROUGH_ORIGIN
from services.store.relations import NOT_STORED


def _whole(value: object) -> object:
    """Return a number without a fraction as an integer, which is what JSON Schema takes it for."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_WHOLE = BeforeValidator(_whole)
Window = Annotated[
    int, Field(ge=10, le=100_000, description="Samples fitted, of one second each.", examples=[300]), _WHOLE
]
MinSamples = Annotated[
    int, Field(ge=3, le=100_000, description="Samples it takes to say anything.", examples=[30]), _WHOLE
]
FitMethod = Annotated[Method, Field(description="How the hedge ratio is estimated.", examples=["ols"])]
PriceTransform = Annotated[
    Transform, Field(description="What is fitted: prices or their logarithms.", examples=["price"])
]
Intercept = Annotated[
    bool,
    Field(
        description="False: the line goes through the origin, with the method `ols` and the transform `price` alone.",
        examples=[True],
    ),
]
EntryZ = Annotated[float, Field(gt=0, lt=1e6, description="An alert fires beyond it.", examples=[2.0])]
ExitZ = Annotated[float, Field(ge=0, lt=1e6, description="An alert is resolved within it.", examples=[0.5])]
StaleAfterS = Annotated[
    float, Field(gt=0, le=86_400, description="Without a trade of a leg for so long.", examples=[10.0])
]
Paused = Annotated[bool, Field(description="A paused pair has no signals.", examples=[False])]
OnlyWhileReverting = Annotated[
    bool,
    Field(
        description="An alert fires only while the spread is seen to revert (`reversion` of the signals), for which "
        "the window has to have at least 30 samples.",
        examples=[False],
    ),
]


class Signal(record_of(messages.Signal, without=NOT_STORED)):  # type: ignore[misc]  # made when it is imported
    """A pair at the close of one second; what could not be computed is null, and `reason` says why."""

    pair: PairName
    event_us: EpochUs
    event_time: IsoTime
    y_price: Price
    x_price: Price


class LatestSignal(Signal):
    """A pair now: at the close of its last second, or, where `closed` is false, since then."""

    closed: Annotated[bool, Field(description="False while the second is open; such signals are not stored.")]
    late: Annotated[
        int,
        Field(
            description="Trades of both legs that came after their second had closed: those of this second, or, where "
            "`closed` is false, all since the worker began.",
            examples=[0],
        ),
    ]


class Pair(Record):
    """A pair and how it is measured."""

    pair: PairName
    y: Symbol
    x: Symbol
    window: Window
    method: FitMethod
    transform: PriceTransform
    intercept: Intercept
    min_samples: MinSamples
    entry_z: EntryZ
    exit_z: ExitZ
    stale_after_s: StaleAfterS
    paused: Paused
    only_while_reverting: OnlyWhileReverting
    warning: Annotated[
        str | None,
        Field(
            description="Why the pair, which is from before this was refused, is not to be relied on.",
            examples=[f"expected {LOG_THROUGH_ORIGIN}"],
        ),
    ]
    last_signal: LatestSignal | None


@with_config(ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))
class PairChange(TypedDict, total=False):
    """Settings of a pair to create or change; a field left out keeps its default, or its present value."""

    window: Window
    method: FitMethod
    transform: PriceTransform
    intercept: Intercept
    min_samples: MinSamples
    entry_z: EntryZ
    exit_z: ExitZ
    stale_after_s: StaleAfterS
    paused: Paused
    only_while_reverting: OnlyWhileReverting
