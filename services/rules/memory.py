"""Memory of a subject: the side of a crossing, earlier values of a change, the returns of a volatility.

What conditions of one kind compare is the same in all rules, so a subject remembers it once, as a metric of a name that
only rules see. Each memory is small however long its stretch of time is: a sixtieth of it is kept as one value.
"""

import math
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from services.common.clock import SECOND
from services.contracts.conditions import Condition
from services.contracts.metrics import METRICS
from services.rules.observation import Observation

Memory = tuple[tuple[float, ...], ...]
"""Rows of numbers; the first number of each is a time, µs."""
NOTHING: Memory = ()

_ROWS = 60
_PRICES = {"y_volatility": "y_price", "x_volatility": "x_price", "volatility": "price"}


def has_memory(condition: Condition) -> bool:
    """Tell whether a condition depends on earlier values."""
    return condition.operator in ("crosses", "changes_by") or METRICS[condition.metric].needs_over_s


def compared(condition: Condition) -> str:
    """Return the name of what a condition compares among the values of an observation.

    >>> compared(Condition(metric="y_price", operator="changes_by", fire=1.0, over_s=60))
    'y_price changes_by 60.0 False'
    """
    if not has_memory(condition):
        return condition.metric
    over_s = float(condition.over_s or 0)
    if condition.operator == "crosses":
        return f"{condition.metric} crosses {float(condition.fire)} {float(condition.levels[1])}"
    if condition.operator == "changes_by":
        return f"{condition.metric} changes_by {over_s} {condition.percent}"
    return f"{condition.metric} {over_s}"


class Memories:
    """Memories of a subject; ``after`` goes on from one observation to the next."""

    def __init__(self) -> None:
        self.conditions: dict[str, Condition] = {}
        """One of the conditions that compare what is remembered, by the name of that."""

    def need(self, conditions: Iterable[Condition]) -> list[str]:
        """Remember what these conditions compare, and no more; return the names of what is new."""
        wanted = {compared(one): one for one in conditions if has_memory(one)}
        new = [name for name in wanted if name not in self.conditions]
        self.conditions = wanted
        return new

    def after(
        self, seen: Observation, before: Mapping[str, Memory]
    ) -> tuple[Observation, Mapping[str, Memory]]:
        """Return an observation with what is compared of it, and the memories after it.

        NaN stands for what is not known yet; of what was not measured there is nothing.
        """
        if not self.conditions or not seen.usable:
            return seen, before
        values, memories = dict(seen.values), dict(before)
        for name, condition in self.conditions.items():
            value = seen.values.get(_PRICES.get(condition.metric, condition.metric))
            if value is not None:
                memories[name], told = follow(condition, memories.get(name, NOTHING), seen.event_us, value)
                values[name] = math.nan if told is None else told
        return replace(seen, values=values), memories


def follow(condition: Condition, memory: Memory, event_us: int, value: float) -> tuple[Memory, float | None]:
    """Return the memory after a value, and what is compared; None while that is not known.

    What is compared is 1 in the second of a crossing and else 0, the change, or the volatility in per cent.
    """
    if condition.operator == "crosses":
        return _crossing(condition, memory, event_us, value)
    over_us = round((condition.over_s or 0.0) * SECOND)
    if condition.operator == "changes_by":
        return _change(memory, event_us, value, over_us, condition.percent)
    return _volatility(memory, event_us, value, over_us)


def _crossing(condition: Condition, memory: Memory, event_us: int, value: float) -> tuple[Memory, float]:
    """Keep the time and the side, 1 above and 0 below; between the levels it is the side of before."""
    fire, clear, _, _ = condition.levels
    side = 1.0 if value >= fire else 0.0 if value <= clear else None
    if side is None:
        return memory, 0.0
    if memory and memory[0][1] == side:
        return memory, 0.0
    return ((event_us, side),), float(bool(memory))


def _change(
    memory: Memory, event_us: int, value: float, over_us: int, percent: bool
) -> tuple[Memory, float | None]:
    """Keep rows of time and value, the oldest one no older than `over_us`; compare with that one.

    In per cent of 0 no change is known.
    """
    kept = tuple(row for row in memory if row[0] >= event_us - over_us)
    before = kept[0][1] if kept else value
    change: float | None = value - before
    if percent and change is not None:
        change = 100 * change / abs(before) if before else None
    if not kept or event_us - kept[-1][0] >= max(SECOND, over_us / _ROWS):
        kept = (*kept, (event_us, value))
    return kept, change


def _volatility(memory: Memory, event_us: int, price: float, over_us: int) -> tuple[Memory, float | None]:
    """Keep the begin and the last price, then rows of time and the sum of squared returns since."""
    if not memory or event_us - memory[0][1] > over_us:
        return ((event_us, event_us, price),), None
    begun_us, _, last = memory[0]
    squared = math.log(price / last) ** 2
    rows = tuple(row for row in memory[1:] if row[0] > event_us - over_us)
    if rows and event_us - rows[-1][0] < over_us / _ROWS:
        rows = (*rows[:-1], (rows[-1][0], rows[-1][1] + squared))
    else:
        rows = (*rows, (event_us, squared))
    known = event_us - begun_us >= over_us
    told = 100 * math.sqrt(sum(row[1] for row in rows)) if known else None
    return ((begun_us, event_us, price), *rows), told
