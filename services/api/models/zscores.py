"""Models of the lines of z-scores."""

from typing import Annotated

from pydantic import Field

from services.api.models.base import EpochUs, IsoTime, PairName, Record


class ZscoreLine(Record):
    """The z-scores of a pair in steps of the same length, to be drawn small."""

    pair: PairName
    end_us: Annotated[EpochUs, Field(description="End of the last step: the newest signal of any pair.")]
    end_time: IsoTime
    step_s: Annotated[float, Field(description="Length of a step, s.", examples=[30.0])]
    zscores: Annotated[
        list[float | None],
        Field(
            description="Of each step the z-score farthest from 0, oldest first; null where none is known.",
            examples=[[0.4, -1.8, None]],
        ),
    ]
