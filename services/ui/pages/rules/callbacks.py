"""Callbacks of the rules page: choose, try, save, pause and remove a rule; begin and end a silence."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update, set_props

from services.ui.alerts.actions import SNOOZES
from services.ui.charts import lightweight
from services.ui.pages.rules import (
    actions,
    form,
    layout,
    listing,
    options,
    preview,
    record,
    silences,
    sliders,
    trying,
)
from services.ui.pages.rules.actions import said
from services.ui.state import role_of_page
from services.ui.state.page_context import PageContext, Props
from services.ui.widgets.formatting import UTC

_VALUES = [f"rule-{name}" for name in form.FIELDS]
_SNOOZES = [*(seconds for _, seconds in SNOOZES), 0]
_OF_SLIDER = ("value", "min", "max", "step", "disabled")
_OF_TRIAL = (
    ("rule-tried", "children"),
    ("rule-firings", "children"),
    ("rule-message-preview", "children"),
    ("rule-caption", "children"),
    ("rule-chart-empty", "children"),
    ("rule-chart-empty", "className"),
    ("rule-bounds", "data"),
    (preview.CHART, "series"),
    (preview.CHART, "visibleLogicalRange"),
)


def register(app: Dash, site: PageContext) -> None:
    """Add what the fields, the tables and the buttons do; ``assets/pages/rules.js`` waits while somebody types."""
    lightweight.paint(app, preview.CHART)

    def bind_clientside(function: str, *dependencies: Any) -> None:
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction("rules", function), *dependencies
        )

    bind_clientside("route", Output("rule-wanted", "data"), Input("page-rules", "id"))
    bind_clientside(
        "chosen",
        Output("rule-title", "title"),
        Input("rule-stored", "data"),
        Input(listing.TABLE, "rowData"),
    )
    bind_clientside(
        "ask",
        Output("rule-tried", "title"),
        Input("rule-stored", "data"),
        Input("rule-pair", "value"),
        *(Input(element, "value") for element in _VALUES),
    )
    bind_clientside(
        "place",
        *(Output(f"rule-{name}-slide", of) for name in sliders.LEVELS for of in _OF_SLIDER),
        *(Input(f"rule-{name}", "value") for name in sliders.LEVELS),
        Input("rule-bounds", "data"),
    )
    bind_clientside(
        "slide",
        Output("rule-slid", "data"),
        *(Input(f"rule-{name}-slide", "value") for name in sliders.LEVELS),
    )
    bind_clientside(
        "unfold",
        Output("rule-more", "title"),
        *(Input(f"rule-{name}", "error") for name in options.OPTIONS),
    )

    role_of_page.register(app, site, "page-rules", "rules-reader", layout.CLASSES)
    _register_form(app, site)
    _register_trial(app, site)
    _register_rule(app, site)
    _register_record(app, site)
    _register_silences(app, site)


def _register_form(app: Dash, site: PageContext) -> None:
    @app.callback(
        *(Output(element, "value") for element in _VALUES),
        Output("rule-stored", "data"),
        Input(listing.TABLE, "selectedRows"),
        Input("rule-new", "n_clicks"),
        Input("rule-wanted", "data"),
        State("rule-stored", "data"),
        State("zone-select", "value"),
        prevent_initial_call=True,
    )
    async def choose(rows: Any, _clicks: int, wanted: str | None, stored: Any, zone: str | None) -> Any:
        nothing = [no_update] * (len(_VALUES) + 1)
        if ctx.triggered_id == "rule-new":
            set_props(listing.TABLE, {"selectedRows": []})
            set_props("rule-status", said(""))
            return [*form.DEFAULTS.values(), None]
        # The table names a rule by its row, or, when a script has marked it, by its id alone.
        marked = rows["ids"] if isinstance(rows, dict) else [row["id"] for row in rows or ()]
        rule_id = wanted if ctx.triggered_id == "rule-wanted" else next(iter(marked), None)
        # The table says it again when it changes the row, which must not undo what is typed.
        if not rule_id or (stored and stored["rule"]["id"] == rule_id):
            return nothing
        found, why = await actions.read_rule(site.client, rule_id)
        set_props("rule-status", said(why, is_error=True))
        return nothing if found is None else [*form.values_of(found["rule"], zone or UTC), found]

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


def _register_trial(app: Dash, site: PageContext) -> None:
    def asked(asks: Any, zone: str | None) -> tuple[form.Json, str, str]:
        """Return the rule in the form, the time zone, and the pair to try it on."""
        values = dict(zip(form.FIELDS, asks["values"], strict=True))
        rule = form.rule_of(values, actions.rule_in(asks["stored"]), zone or UTC)
        return rule, zone or UTC, asks["pair"] or ""

    @app.callback(
        *(Output(*one) for one in _OF_TRIAL),
        *(Output(element, "error") for element in _VALUES),
        Input("rule-asks", "data"),
        State("zone-select", "value"),
        prevent_initial_call=True,
    )
    async def attempt(asks: Any, zone: str | None) -> Any:
        shown, wrong = await trying.attempt(site, *asked(asks, zone), asks["drawn"])
        told = [shown.get(element, {}).get(name, no_update) for element, name in _OF_TRIAL]
        return [*told, *(wrong.get(name, "") for name in form.FIELDS)]

    @app.callback(
        Output("rule-why", "children"),
        Input("rule-asks", "data"),
        Input("rule-at", "value"),
        State("zone-select", "value"),
        prevent_initial_call=True,
    )
    async def why(asks: Any, at: str | None, zone: str | None) -> Any:
        at_us = silences.until_us(at, zone or UTC)
        return [] if at_us is None or not asks else await trying.why(site, *asked(asks, zone), at_us)


def _register_rule(app: Dash, site: PageContext) -> None:
    @app.callback(
        Output("rule-save", "title"),
        Input("rule-save", "n_clicks"),
        State("rule-stored", "data"),
        State("zone-select", "value"),
        *(State(element, "value") for element in _VALUES),
        running=[(Output("rule-save", "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def save(_: int, stored: Any, zone: str | None, *values: Any) -> str:
        before = actions.rule_in(stored)
        rule = form.rule_of(dict(zip(form.FIELDS, values, strict=True)), before, zone or UTC)
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


def _register_record(app: Dash, site: PageContext) -> None:
    @app.callback(
        Output("rule-record", "children"), Output("rule-snoozes", "hidden"), Input("rule-stored", "data")
    )
    async def read(stored: Any) -> Any:
        return (await record.read(site, stored["rule"]["id"]), False) if stored else ([], True)

    @app.callback(
        Output("rule-snoozes", "title"),
        *(Input(f"rule-snooze-{seconds}", "n_clicks") for seconds in _SNOOZES),
        State("rule-stored", "data"),
        prevent_initial_call=True,
    )
    async def snooze(*clicked: Any) -> str:
        stored, for_s = clicked[-1], int(ctx.triggered_id.rpartition("-")[2])
        if stored:
            _show(await actions.snooze(site, stored["rule"]["id"], for_s))
        return ""


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
