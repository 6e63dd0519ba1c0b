"""Rows on services in a response: one for each process, and one for all of a service."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from msgspec.structs import asdict

from services.api.instances import Instance, Listening
from services.api.serialization.rows import Row

# The worst first: a service is as well as the worst of its processes.
STATES = ("silent", "degraded", "starting", "catching up", "stopping", "running", "finished")
WELL = ("running", "finished")
CATCHING_UP = "the API has not read yet what came in the last seconds"
# Of many processes the first ones say what is wrong.
_DETAILS_TOLD = 4

N = TypeVar("N", int, float)


def instance_row(one: Instance, ears: Listening) -> Row:
    """Return the row of one process."""
    life, beat = one.life(ears), one.beat
    return {
        "instance": beat.instance,
        "state": beat.state if life == "alive" else life,
        "said": beat.state,
        "healthy": None if life == "catching up" else life == "alive" and beat.state in WELL,
        "age_s": one.age_s(ears),
        "version": beat.version,
        "detail": beat.detail,
        "lag_messages": beat.lag_messages,
        "lag_seconds": beat.lag_seconds,
        "counters": beat.counters,
        "lost": beat.lost,
        "filling": None if beat.filling is None else asdict(beat.filling),
    }


def service_row(name: str, told: Sequence[Row], unacknowledged: Mapping[str, int]) -> Row:
    """Return the row of a service whose processes are `told`.

    Counters, losses and messages that wait are added up; states, ages and seconds are the worst. Messages do not wait
    for one that is silent. Who has lost messages that nobody has acknowledged is degraded.
    """
    worst = min((row["state"] for row in told), key=STATES.index)
    reading = [row for row in told if row["state"] != "silent"] or told
    state = min(worst, "degraded", key=STATES.index) if unacknowledged else worst
    healthy = None if state == "catching up" else state in WELL
    return {
        "service": name,
        "state": state,
        "healthy": healthy,
        "age_s": _most(row["age_s"] for row in told if row["state"] == worst),
        "version": told[-1]["version"],
        "detail": "; ".join(_details(told, state, unacknowledged)) or None,
        "lag_messages": _sum(row["lag_messages"] for row in reading),
        "lag_seconds": _most(row["lag_seconds"] for row in reading),
        "counters": _added(row["counters"] for row in told),
        "lost": _added(row["lost"] for row in told),
        "filling": next((row["filling"] for row in reading if row["filling"]), None),
        "unacknowledged": dict(unacknowledged),
        "instances": list(told),
    }


def absent_row(name: str, ended: Instance | None, ears: Listening, unacknowledged: Mapping[str, int]) -> Row:
    """Return the row of a service without a process: the last one has `ended`, or there was none."""
    healthy: bool | None = False
    state, age_s, detail = "unknown", None, "no heartbeat yet"
    if ended is not None:
        state, age_s, detail = "stopped", ended.age_s(ears), "it ended as it was asked to"
    elif not ears.has_listened:
        state, healthy, detail = "catching up", None, CATCHING_UP
    details = [*_acknowledged_by_nobody(unacknowledged), detail]
    return {
        "service": name,
        "state": state,
        "healthy": healthy,
        "age_s": age_s,
        "version": None if ended is None else ended.beat.version,
        "detail": "; ".join(details),
        "lag_messages": None,
        "lag_seconds": None,
        "counters": {},
        "lost": {},
        "filling": None,
        "unacknowledged": dict(unacknowledged),
        "instances": [],
    }


def _details(told: Sequence[Row], state: str, unacknowledged: Mapping[str, int]) -> list[str]:
    details = _acknowledged_by_nobody(unacknowledged)
    if state == "catching up":
        details.append(CATCHING_UP)
    said = list(dict.fromkeys(row["detail"] for row in told if row["detail"]))
    details += said[:_DETAILS_TOLD]
    if len(said) > _DETAILS_TOLD:
        details.append(f"and {len(said) - _DETAILS_TOLD} more")
    versions = sorted({row["version"] for row in told})
    if len(versions) > 1:
        details.append(f"{len(versions)} versions run: {', '.join(versions[:_DETAILS_TOLD])}")
    return details


def _acknowledged_by_nobody(unacknowledged: Mapping[str, int]) -> list[str]:
    total = sum(unacknowledged.values())
    return [f"{total} messages lost, which nobody has acknowledged"] if total else []


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _most(values: Iterable[N | None]) -> N | None:
    """Return the highest of the values that are known."""
    return max((value for value in values if value is not None), default=None)


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)
