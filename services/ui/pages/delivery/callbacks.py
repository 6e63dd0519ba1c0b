"""Callbacks of the delivery page: choose, save, test, pause, rotate, replay and remove a target; filter the log."""

from collections.abc import Awaitable, Callable
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update, set_props

from services.ui.pages.delivery import actions, layout, targets
from services.ui.pages.rules.actions import said
from services.ui.pages.rules.silences import until_us
from services.ui.state import role_of_page
from services.ui.state.page_context import PageContext, Props
from services.ui.widgets.formatting import UTC, moment

_VALUES = [f"target-{name}" for name in targets.FIELDS]
_FILTERS = [f"log-{name}" for name in ("target", "state", "from", "to")]


def register(app: Dash, site: PageContext) -> None:
    """Add what the fields, the tables and the buttons do; the log's filters are in ``assets/pages/delivery.js``."""

    def bind_clientside(function: str, *dependencies: Any) -> None:
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction("delivery", function), *dependencies
        )

    bind_clientside(
        "route",
        *(Output(control, "value") for control in _FILTERS),
        Output("target-wanted", "data"),
        Input("page-delivery", "id"),
        Input("zone-select", "error"),
    )
    bind_clientside(
        "select", Output("log-title", "title"), *(Input(control, "value") for control in _FILTERS)
    )
    bind_clientside("chosen", Output("target-title", "title"), Input("target-stored", "data"))

    role_of_page.register(app, site, "page-delivery", "delivery-reader", layout.CLASSES)
    _register_form(app, site)
    _register_buttons(app, site)


def _register_form(app: Dash, site: PageContext) -> None:
    @app.callback(
        *(Output(element, "value") for element in _VALUES),
        Output("target-stored", "data"),
        Input(targets.TABLE, "selectedRows"),
        Input("target-new", "n_clicks"),
        Input("target-wanted", "data"),
        State("target-stored", "data"),
        prevent_initial_call=True,
    )
    async def choose(rows: Any, _clicks: int, wanted: str | None, stored: Any) -> Any:
        nothing = [no_update] * (len(_VALUES) + 1)
        if ctx.triggered_id == "target-new":
            set_props(targets.TABLE, {"selectedRows": []})
            set_props("target-status", said(""))
            _show(actions.SECRET_AWAY)
            return [*targets.DEFAULTS.values(), None]
        marked = rows["ids"] if isinstance(rows, dict) else [row["id"] for row in rows or ()]
        target_id = wanted if ctx.triggered_id == "target-wanted" else next(iter(marked), None)
        # The table says it again when it changes the row, which must not undo what is typed.
        if not target_id or (stored and stored["id"] == target_id):
            return nothing
        found, why = await actions.read_target(site, target_id)
        set_props("target-status", said(why, is_error=True))
        _show(actions.SECRET_AWAY)
        return nothing if found is None else [*targets.values_of(found), found]

    @app.callback(
        Output("target-title", "children"),
        Output("target-about", "children"),
        Output("target-pause", "children"),
        *(Output(f"target-{name}", "disabled") for name in ("test", "pause", "rotate", "remove")),
        Output("target-replay", "hidden"),
        Output("target-url", "placeholder"),
        Input("target-stored", "data"),
        State("zone-select", "value"),
    )
    def show(stored: Any, zone: str | None) -> Any:
        if not stored:
            return layout.NEW, "", "Pause", True, True, True, True, True, ""
        return (
            stored["name"] + ("" if stored["state"] == "ready" else f", {stored['state']}"),
            _about(stored, zone or UTC),
            "Resume" if stored["paused"] else "Pause",
            stored["state"] == "disabled",
            False,
            stored["kind"] != "webhook",
            False,
            False,
            stored.get("url") or "",
        )


def _about(stored: Any, zone: str) -> str:
    told = [f"Changed {moment(stored['changed_us'], zone)}."]
    if stored.get("reason"):
        told.append(f"Disabled: {stored['reason']}. Save it to have it tried again.")
    if stored.get("failing_us"):
        told.append(f"Nothing has arrived since {moment(stored['failing_us'], zone)}.")
    if stored.get("blocked_until_us"):
        told.append(f"The receiver asks to be left alone until {moment(stored['blocked_until_us'], zone)}.")
    if stored["rotating"]:
        told.append("Messages are signed with the secret of before, too.")
    return " ".join(told)


def _register_buttons(app: Dash, site: PageContext) -> None:
    @app.callback(
        Output("target-save", "title"),
        Input("target-save", "n_clicks"),
        State("target-stored", "data"),
        *(State(element, "value") for element in _VALUES),
        running=[(Output("target-save", "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def save(_: int, stored: Any, *values: Any) -> str:
        _show(await actions.save(site, dict(zip(targets.FIELDS, values, strict=True)), stored or None))
        return ""

    _on_click(app, site, "test", actions.test)
    _on_click(app, site, "pause", actions.pause)
    _on_click(app, site, "rotate", actions.rotate)

    @app.callback(
        Output("replay-do", "title"),
        Input("replay-do", "n_clicks"),
        State("target-stored", "data"),
        State("replay-from", "value"),
        State("replay-to", "value"),
        State("replay-states", "value"),
        State("zone-select", "value"),
        prevent_initial_call=True,
    )
    async def replay(_: int, stored: Any, start: str, end: str, states: Any, zone: str | None) -> str:
        if stored:
            start_us, end_us = (until_us(one, zone or UTC) for one in (start, end))
            _show(await actions.replay(site, stored["id"], start_us, end_us, list(states or ())))
        return ""

    @app.callback(
        Output("target-confirm", "opened"),
        Output("target-remove-what", "children"),
        Input("target-remove", "n_clicks"),
        Input("target-keep", "n_clicks"),
        Input("target-remove-do", "n_clicks"),
        State("target-stored", "data"),
        prevent_initial_call=True,
    )
    async def remove(_: int, _keep: int, _do: int, stored: Any) -> tuple[bool, str]:
        if not stored:
            return False, ""
        if ctx.triggered_id == "target-remove-do":
            _show(await actions.remove(site, stored["id"]))
        return ctx.triggered_id == "target-remove", f"Nothing will be delivered to {stored['name']}."


def _on_click(
    app: Dash, site: PageContext, name: str, do: Callable[[PageContext, str], Awaitable[Props]]
) -> None:
    """Have a button do something with the target that is stored."""

    @app.callback(
        Output(f"target-{name}", "title"),
        Input(f"target-{name}", "n_clicks"),
        State("target-stored", "data"),
        prevent_initial_call=True,
    )
    async def clicked(_: int, stored: Any) -> str:
        if stored:
            _show(await do(site, stored["id"]))
        return ""


def _show(props: Props) -> None:
    for element, values in props.items():
        set_props(element, values)
