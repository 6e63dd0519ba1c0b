"""Sliders of a rule's levels, over what was measured in its trial."""

import math
from collections.abc import Iterable
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

LEVELS = {"fire": "Fires at", "clear": "Clear at"}
_FROM_ZERO = ("outside", "inside", "changes_by")
_ROOM = 1.25
_STEPS = 100


def layout() -> Component:
    """Return the sliders; until there is a trial they cannot be moved."""
    sliders = [
        html.Div(
            [
                html.Span(label, className="slide-label"),
                dmc.Slider(
                    id=f"rule-{name}-slide",
                    value=0,
                    min=0,
                    max=1,
                    step=0.1,
                    disabled=True,
                    updatemode="drag",
                    thumbLabel=f"{label}, slider",
                    size="sm",
                ),
            ],
            className="slide",
        )
        for name, label in LEVELS.items()
    ]
    whole: Component = html.Div(sliders, className="rule-slides")
    return whole


def bounds(operator: str, values: Iterable[float | None], levels: Iterable[float]) -> dict[str, Any] | None:
    """Return lowest and highest level and the step of the sliders, None if nothing was measured.

    >>> bounds("outside", [-1.5, 2.0, None], [3.0])
    {'min': 0.0, 'max': 3.76, 'step': 0.01}
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return None
    all_of_them = [*known, *levels]
    if operator in _FROM_ZERO:
        low, high = 0.0, _ROOM * max(map(abs, all_of_them))
    else:
        low, high = min(all_of_them), max(all_of_them)
        room = (_ROOM - 1) / 2 * (high - low)
        low, high = low - room, high + room
    span = (high - low) or abs(high) or 1.0
    digits = -math.floor(math.log10(span / _STEPS))
    step = 10.0**-digits
    return {
        "min": round(math.floor(low / step) * step, max(0, digits)),
        "max": round(math.floor(low / step) * step + math.ceil(span / step + 1) * step, max(0, digits)),
        "step": round(step, max(0, digits)),
    }
