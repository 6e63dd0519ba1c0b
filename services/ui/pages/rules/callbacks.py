"""Callbacks of the rules page: choose, try, save, pause and remove a rule; begin and end a silence."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update, set_props

from services.ui.pages.rules import actions, form, layout, listing, silences
from services.ui.pages.rules.actions import said
from services.ui.state.page_context import PageContext, Props

_VALUES = [f"rule-{name}" for name in form.FIELDS]


def register(app: Dash, site: PageContext) -> None:
    """Add what the fields, the tables and the buttons do; ``assets/pages/rules.js`` waits while somebody types."""
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("rules", "ask"),
        Output("rule-tried", "title"),
        Input("rule-stored", "data"),
        *(Input(element, "value") for element in _VALUES),
    )

    @app.callback(
        Output("page-rules", "className"), Output("rules-reader", "children"), Input("page-rules", "id")
    )
    async def opened(_: str) -> tuple[str, str]:
        why = await actions.why_reader(site.client)
        return (layout.READER if why else layout.WRITER), why

    _register_form(app, site)
    _register_rule(app, site)
    _register_silences(app, site)


def _register_form(app: Dash, site: PageContext) -> None:
    @app.callback(
        *(Output(element, "value") for element in _VALUES),
        Output("rule-stored", "data"),
        Input(listing.TABLE, "selectedRows"),
        Input("rule-new", "n_clicks"),
        State("rule-stored", "data"),
        prevent_initial_call=True,
    )
    async def choose(rows: Any, _clicks: int, stored: Any) -> Any:
        nothing = [no_update] * (len(_VALUES) + 1)
        if ctx.triggered_id == "rule-new":
            set_props(listing.TABLE, {"selectedRows": []})
            set_props("rule-status", said(""))
            return [*form.DEFAULTS.values(), None]
        # The table says it again when it changes the row, which must not undo what is typed.
        if not rows or (stored and stored["rule"]["id"] == rows[0]["id"]):
            return nothing
        found, why = await actions.read_rule(site.client, rows[0]["id"])
        set_props("rule-status", said(why, is_error=True))
        return nothing if found is None else [*form.values_of(found["rule"]), found]

    @app.callback(
        Output("rule-title", "children"),
        Output("rule-unshown", "children"),
        Output("rule-pause", "children"),
        Output("rule-pause", "disabled"),
        Output("rule-remove", "disabled"),
        Input("rule-stored", "data"),
    )
    def show(stored: Any) -> tuple[str, str, str, bool, bool]:
        if not stored:
            return layout.NEW, "", "Pause", True, True
        rule = stored["rule"]
        kept = ", ".join(form.unshown(rule))
        paused = bool(rule.get("paused"))
        return (
            rule["name"] + (", paused" if paused else ""),
            f"Kept as it is: {kept}." if kept else "",
            "Resume" if paused else "Pause",
            False,
            bool(stored["built_in"]),
        )

    @app.callback(
        Output("rule-tried", "children"),
        Output("rule-firings", "children"),
        *(Output(element, "error") for element in _VALUES),
        Input("rule-asks", "data"),
        State("zone-select", "value"),
        prevent_initial_call=True,
    )
    async def attempt(asks: Any, zone: str | None) -> Any:
        rule = form.rule_of(
            dict(zip(form.FIELDS, asks["values"], strict=True)), actions.rule_in(asks["stored"])
        )
        told, firings, wrong = await actions.attempt(site, rule, zone or "UTC")
        return [told, firings, *(wrong.get(name, "") for name in form.FIELDS)]


def _register_rule(app: Dash, site: PageContext) -> None:
    @app.callback(
        Output("rule-save", "title"),
        Input("rule-save", "n_clicks"),
        State("rule-stored", "data"),
        *(State(element, "value") for element in _VALUES),
        running=[(Output("rule-save", "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def save(_: int, stored: Any, *values: Any) -> str:
        before = actions.rule_in(stored)
        rule = form.rule_of(dict(zip(form.FIELDS, values, strict=True)), before)
        _show(await actions.save(site, rule, is_new=before is None))
        return ""

    @app.callback(
        Output("rule-pause", "title"),
        Input("rule-pause", "n_clicks"),
        State("rule-stored", "data"),
        prevent_initial_call=True,
    )
    async def pause(_: int, stored: Any) -> str:
        if stored:
            rule = stored["rule"]
            _show(await actions.pause(site, rule["id"], paused=not rule.get("paused")))
        return ""

    @app.callback(
        Output("rule-confirm", "opened"),
        Output("rule-remove-what", "children"),
        Input("rule-remove", "n_clicks"),
        Input("rule-keep", "n_clicks"),
        Input("rule-remove-do", "n_clicks"),
        State("rule-stored", "data"),
        prevent_initial_call=True,
    )
    async def remove(_: int, _keep: int, _do: int, stored: Any) -> tuple[bool, str]:
        if not stored:
            return False, ""
        rule = stored["rule"]
        if ctx.triggered_id == "rule-remove-do":
            _show(await actions.remove(site, rule["id"]))
        return ctx.triggered_id == "rule-remove", f"{rule['name']} will no longer watch."


def _register_silences(app: Dash, site: PageContext) -> None:
    @app.callback(
        Output("silence-add", "title"),
        Input("silence-add", "n_clicks"),
        State("silence-of", "value"),
        State("silence-pattern", "value"),
        State("silence-until", "value"),
        State("zone-select", "value"),
        prevent_initial_call=True,
    )
    async def add(_: int, of: str, pattern: str | None, until: str | None, zone: str | None) -> str:
        end_us = silences.until_us(until, zone or "UTC")
        _show(await actions.silence(site, of, (pattern or "").strip(), end_us))
        return ""

    @app.callback(
        Output("silence-end", "title"),
        Input("silence-end", "n_clicks"),
        State(silences.TABLE, "selectedRows"),
        prevent_initial_call=True,
    )
    async def end(_: int, rows: Any) -> str:
        _show(await actions.end_silence(site, rows[0]["id"] if rows else None))
        return ""


def _show(props: Props) -> None:
    for element, values in props.items():
        set_props(element, values)
