"""Models of jobs."""

from typing import Annotated, Any, Literal

from pydantic import Field

from services.api.models.base import EpochUs, IsoTime, Record

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]


class Job(Record):
    """Work that takes longer than a request may, and how far it is."""

    job_id: Annotated[str, Field(description="Its id.", examples=["scan-3f6b1c0a9d2e"])]
    kind: Annotated[str, Field(description="What kind of work it is.", examples=["scan"])]
    state: Annotated[
        JobState,
        Field(
            description="`failed`: the job is impossible, `reason` has the cause. A job whose worker died runs again.",
            examples=["running"],
        ),
    ]
    asked_us: EpochUs
    asked_time: IsoTime
    started_us: EpochUs | None
    started_time: IsoTime | None
    ended_us: EpochUs | None
    ended_time: IsoTime | None
    progress: Annotated[float, Field(description="Share that is done.", examples=[0.42])]
    step: Annotated[str | None, Field(description="What it is at.", examples=["testing pairs"])]
    estimate_s: Annotated[
        float, Field(description="Seconds that it takes, as estimated before it began.", examples=[15.2])
    ]
    remaining_s: Annotated[
        float | None,
        Field(description="Seconds until its end, as estimated now; null once it has ended.", examples=[8.1]),
    ]
    attempts: Annotated[int, Field(description="Workers that have taken it.", examples=[1])]
    reason: Annotated[
        str | None,
        Field(description="Why it failed.", examples=["expected at least two symbols, received BTCUSDT"]),
    ]
    request: Annotated[dict[str, Any], Field(description="What was asked for, but for defaults.")]
