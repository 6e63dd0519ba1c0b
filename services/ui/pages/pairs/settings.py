"""Settings of the live pair: shown, edited and saved in place."""

import math
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, set_props
from dash.development.base_component import Component

from services.common.errors import TransientError
from services.ui.analysis.query import METHODS, TRANSFORMS
from services.ui.api import problems, stream_follower
from services.ui.api.client import segment
from services.ui.api.decoding import decode
from services.ui.api.types import WatchedPair
from services.ui.state.live_state import LiveState
from services.ui.state.page_context import PageContext, Props, attributes

FIELDS = (
    *("method", "window", "transform", "intercept", "min_samples"),
    *("entry_z", "exit_z", "stale_after_s", "only_while_reverting"),
)
LABELS = {
    "method": "Method",
    "window": "Window, samples of 1 s",
    "transform": "Values",
    "intercept": "With an intercept",
    "min_samples": "Samples needed",
    "entry_z": "Entry |z|",
    "exit_z": "Exit |z|",
    "stale_after_s": "Stale after, s",
    "only_while_reverting": "Alert only while reverting",
}
CHECKED = ("intercept", "only_while_reverting")
CHOICES: dict[str, dict[str, str]] = {"method": METHODS, "transform": TRANSFORMS}
REFILLS = ("method", "window", "transform", "intercept")
"""What is measured is another thing afterwards, so that the window begins again."""


def layout() -> Component:
    """Return the form; it is filled from the store ``pair-live``."""
    form: Component = html.Div(
        [
            html.Div([_field(name) for name in FIELDS], className="form"),
            html.Div(id="settings-edits", className="fine", role="status"),
            html.Div(
                [
                    html.Button(
                        "Save", id="settings-save", n_clicks=0, className="button is-first", disabled=True
                    ),
                    html.Button(
                        "Discard", id="settings-discard", n_clicks=0, className="button", disabled=True
                    ),
                ],
                className="form-foot",
            ),
            html.Div(id="settings-status", className="panel-status", role="status"),
            html.Div(id="settings-elsewhere", className="panel-status is-warning", role="status"),
            dcc.Store(id="settings-asks"),
            dcc.Store(id="settings-saved"),
        ],
        role="group",
        **attributes("aria", label="Settings of the live pair"),
    )
    return form


def register(app: Dash, site: PageContext) -> None:
    """Add what the form does; the functions are in ``assets/pages/pairs_side.js``."""
    values = [(f"settings-{name}", value_of(name)) for name in FIELDS]

    def bind_clientside(function: str, *dependencies: Any, **options: Any) -> None:
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction("pairs_side", function), *dependencies, **options
        )

    bind_clientside(
        "take",
        *(Output(*value) for value in values),
        Output("settings-elsewhere", "children"),
        Input("pair-live", "data"),
        Input("settings-saved", "data"),
        Input("settings-discard", "n_clicks"),
        *(State(*value) for value in values),
    )
    bind_clientside(
        "edits",
        Output("settings-edits", "children"),
        Output("settings-save", "disabled"),
        Output("settings-discard", "disabled"),
        *(Input(*value) for value in values),
        Input("settings-elsewhere", "children"),
    )
    bind_clientside(
        "save",
        Output("settings-asks", "data"),
        Input("settings-save", "n_clicks"),
        *(State(*value) for value in values),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("settings-saved", "data"),
        Input("settings-asks", "data"),
        running=[(Output("settings-save", "children"), "Saving…", "Save")],
        prevent_initial_call=True,
    )
    async def save(asks: dict[str, Any]) -> Any:
        saved, props = await change(site, str(asks["pair"]), dict(asks["change"]))
        for element, values in props.items():
            set_props(element, values)
        return saved


async def change(site: PageContext, pair: str, changed: dict[str, Any]) -> tuple[Any, Props]:
    """Have the API change settings; return the new ones, None if it refuses, and the text to show."""
    fine: Props = {f"settings-{name}": {"error": ""} for name in FIELDS}
    try:
        response = await site.client.send("PATCH", f"/v1/pairs/{segment(pair)}", json=changed)
    except TransientError as error:
        return None, {**fine, "settings-status": said(f"Not saved. {error}", is_error=True)}
    if response.is_error:
        wrong = problems.read(response, FIELDS)
        at = {f"settings-{name}": {"error": text} for name, text in wrong.fields.items()}
        return None, {
            **fine,
            **at,
            "settings-status": said(f"Not saved. {wrong.rest}".strip(), is_error=True),
        }
    now = decode(response.content, WatchedPair)
    await stream_follower.refresh_once(site.client, site.market)
    return state(now), {**fine, "settings-status": said(confirmed(now, changed, site.market))}


def confirmed(now: WatchedPair, changed: dict[str, Any], market: LiveState) -> str:
    """Return what a saved change means for the numbers to come."""
    if now.paused:
        return "Saved. The pair is paused: this holds once it is resumed."
    if not any(name in REFILLS for name in changed):
        return "Saved. It holds from the next closed second on; the window stays as it is."
    first = min(now.window, now.min_samples)
    return (
        f"Saved. The window fills again: the first z-score after {samples(first, market)}, "
        f"a full window after {samples(now.window, market)}."
    )


def samples(count: int, market: LiveState) -> str:
    """Return a number of samples and how long they take; a replay has its own pace.

    >>> samples(300, LiveState(feed="live")), samples(30, LiveState(feed="replay"))
    ('300 samples, about 5 min', '30 samples')
    """
    return f"{count} samples" if market.feed == "replay" else f"{count} samples, about {duration(count)}"


def duration(seconds: float) -> str:
    """Return a time in its largest unit, rounded up.

    >>> duration(30), duration(300), duration(301), duration(86_400)
    ('30 s', '5 min', '6 min', '24 h')
    """
    if seconds < 120:
        return f"{seconds:g} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 7_200 else f"{math.ceil(seconds / 3600)} h"


def said(text: str, *, is_error: bool = False) -> dict[str, str]:
    """Return the properties of a status line."""
    return {"children": text, "className": "panel-status is-error" if is_error else "panel-status"}


def state(pair: WatchedPair) -> dict[str, Any]:
    """Return what the page's script has to know of a pair."""
    return {name: getattr(pair, name) for name in ("pair", "paused", *FIELDS)}


def value_of(name: str) -> str:
    """Return which property of a control holds its value."""
    return "checked" if name in CHECKED else "value"


def _field(name: str) -> Component:
    common: dict[str, Any] = {"id": f"settings-{name}", "label": LABELS[name], "size": "xs"}
    control: Component
    if name in CHECKED:
        control = dmc.Checkbox(checked=name == "intercept", **common)
    elif name in CHOICES:
        options = [{"value": value, "label": label} for value, label in CHOICES[name].items()]
        control = dmc.Select(data=options, allowDeselect=False, **common)
    else:
        control = dmc.NumberInput(hideControls=True, **common)
    return control
