"""Observation: what is known of one subject at one time, as rules look at it."""

from collections.abc import Mapping

from msgspec import Struct

from services.contracts.messages import Signal
from services.contracts.metrics import METRICS, REVERSION

OF_SIGNALS = tuple(
    name
    for name, metric in METRICS.items()
    if metric.subject == "pair" and not metric.needs_over_s and name not in ("reversion", "stale")
)
"""Metrics that are fields of signals, too."""


class Observation(Struct, frozen=True, array_like=True, omit_defaults=True):
    """Values of a subject at a time; a higher `revision` corrects the one before.

    One that is not `usable` says that time has passed, and no more: of a signal whose quality is not ``ok`` only
    ``stale`` is known.
    """

    event_us: int
    values: Mapping[str, float]
    usable: bool = True
    revision: int = 0
    reversion: str | None = None
    reason: str | None = None


def of_signal(signal: Signal) -> Observation:
    """Return what a closed signal says."""
    if signal.quality != "ok":
        is_stale = float(signal.quality == "stale")
        return Observation(
            signal.event_us,
            {"stale": is_stale},
            False,
            signal.revision,
            None,
            signal.reason or signal.quality,
        )
    values = {"stale": 0.0, "reversion": REVERSION[signal.reversion or "unproven"]}
    for name in OF_SIGNALS:
        if (value := getattr(signal, name)) is not None:
            values[name] = value
    return Observation(signal.event_us, values, True, signal.revision, signal.reversion)
