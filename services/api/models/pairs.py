"""The pairs and what is measured of them."""

from typing import Annotated, Literal

from pydantic import Field

from services.api.models.base import EpochUs, IsoTime, PairName, Price, Record, Symbol
from services.common.messages import Quality


class Signal(Record):
    """A pair at the close of one second; what could not be computed is null, and `reason` says why."""

    pair: PairName
    event_us: EpochUs
    event_time: IsoTime
    y_price: Price
    x_price: Price
    hedge_ratio: Annotated[float | None, Field(examples=[0.0521])]
    intercept: Annotated[float | None, Field(examples=[12.5])]
    method: Annotated[str, Field(description="How the hedge ratio is estimated.", examples=["ols"])]
    spread: Annotated[float | None, Field(description="y - (intercept + hedge_ratio * x).", examples=[1.25])]
    zscore: Annotated[
        float | None, Field(description="The spread in standard errors of the fit.", examples=[-1.8])
    ]
    correlation: Annotated[float | None, Field(examples=[0.87])]
    window: Annotated[int, Field(description="Samples fitted, of one second each.", examples=[300])]
    samples: Annotated[int, Field(description="Samples in the window by now.", examples=[300])]
    quality: Quality
    reason: Annotated[str | None, Field(examples=["12 samples, 30 needed"])]


class LatestSignal(Signal):
    """A pair now: at the close of its last second, or, where `closed` is false, since then."""

    closed: Annotated[bool, Field(description="False while the second is open; such signals are not stored.")]
    late: Annotated[int, Field(description="Trades that came too late to be measured.", examples=[0])]


class Pair(Record):
    """A pair and how it is measured."""

    pair: PairName
    y: Symbol
    x: Symbol
    window: Annotated[int, Field(description="Samples fitted, of one second each.", examples=[300])]
    min_samples: Annotated[int, Field(description="Samples it takes to say anything.", examples=[30])]
    method: Annotated[str, Field(examples=["ols"])]
    price_transform: Literal["raw", "log"]
    entry_z: Annotated[float, Field(description="An alert fires beyond it.", examples=[2.0])]
    exit_z: Annotated[float, Field(description="An alert is resolved within it.", examples=[0.5])]
    stale_after_s: Annotated[
        float, Field(description="Without a trade of a leg for so long.", examples=[10.0])
    ]
    last_signal: LatestSignal | None
