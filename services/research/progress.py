"""Progress of a job, as its process tells it: a line of JSON each."""

from msgspec import Struct


class JobProgress(Struct, frozen=True, omit_defaults=True):
    """How far a job is and what it does, or, at its end, why it cannot be done."""

    progress: float = 0.0
    step: str | None = None
    unfit: str | None = None
