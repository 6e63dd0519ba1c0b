"""Thresholds of each pair, editable in place, beside its current z-score."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from services.common.errors import TransientError
from services.contracts.alert_messages import ZSCORE
from services.ui.api import problems
from services.ui.api.client import segment
from services.ui.api.decoding import decode
from services.ui.api.types import HandledAlert, WatchedPair
from services.ui.state.live_state import LiveState
from services.ui.state.page_context import PageContext
from services.ui.widgets import components
from services.ui.widgets.batched_elements import BatchedRows, Row
from services.ui.widgets.formatting import NONE, moment, zscore

TABLE = "thresholds-table"
HINT = "Click a threshold to change it. An alert fires when |z| reaches entry and resolves when it falls below exit."
FIELDS = {"entry": "entry_z", "exit": "exit_z"}


def _column(field: str, name: str, width: int, tip: str, **more: Any) -> dict[str, Any]:
    return {
        "field": field,
        "headerName": name,
        "headerTooltip": tip,
        "width": width,
        "type": "rightAligned",
        **more,
    }


_EDITED = {
    "editable": True,
    "cellClass": ["ag-right-aligned-cell", "is-editable"],
    "cellEditor": "agNumberCellEditor",
    "cellEditorParams": {"step": "any", "showStepperButtons": False},
    "valueFormatter": {"function": "pairstreamNumber(params.value, 8)"},
}
COLUMNS: list[dict[str, Any]] = [
    {
        "field": "id",
        "headerName": "Pair",
        "width": 140,
        "cellRenderer": "PairLink",
        "suppressKeyboardEvent": {"function": "pairstreamInside(params)"},
    },
    _column(
        "z",
        "|z|",
        54,
        "The z-score now, without its sign",
        valueFormatter={"function": "params.data.text.z"},
        cellClassRules={"is-stale": "params.data.is_stale"},
    ),
    _column("entry", "Entry", 60, "An alert fires when |z| reaches it", **_EDITED),
    _column("exit", "Exit", 54, "A firing alert resolves when |z| falls below it", **_EDITED),
    {
        "field": "state",
        "headerName": "Now",
        "flex": 1,
        "minWidth": 126,
        "tooltipField": "state",
        "cellClassRules": {"firing": "params.data.is_firing"},
    },
]


def layout() -> list[Component]:
    """Return the table, without pairs, and the place for the outcome of a change."""
    grid: Any = components.table(
        TABLE,
        COLUMNS,
        "No pair is watched.",
        singleClickEdit=True,
        stopEditingWhenCellsLoseFocus=True,
        tooltipShowDelay=300,
        domLayout="autoHeight",
    )
    grid.style = {"width": "100%"}
    return [grid, BatchedRows(TABLE), html.P(HINT, id="thresholds-said", className="said", role="status")]


def rows(market: LiveState, zone: str) -> dict[str, Row]:
    """Return a row for each pair."""
    firing = {
        alert.pair: alert
        for alert in reversed(market.alarms.firing())
        if alert.pair is not None and alert.metric == ZSCORE
    }
    return {name: row(pair, market, firing, zone) for name, pair in sorted((market.pairs or {}).items())}


def row(pair: WatchedPair, market: LiveState, firing: Mapping[str, HandledAlert], zone: str) -> Row:
    """Return the row of a pair; `firing` are the alerts that hold, by pair."""
    seen, alert = market.signals.get(pair.pair), firing.get(pair.pair)
    signal = seen.message if seen and not pair.paused else None
    is_stale = not market.connected or (signal is not None and signal.quality == "stale")
    size = None if signal is None or signal.zscore is None else abs(signal.zscore)
    if pair.paused:
        state = "Paused"
    elif alert is not None:
        began = moment(alert.event_us, zone)
        is_today = signal is not None and began[:10] == moment(signal.event_us, zone)[:10]
        state = f"Firing since {began[11:16] if is_today else began[:16]}"
    elif signal is None:
        state = "No signal yet"
    elif signal.quality != "ok":
        state = signal.reason or "Not known"
    else:
        state = "Quiet"
    return {
        "id": pair.pair,
        "pair": pair.pair,
        "z": size,
        "entry": pair.entry_z,
        "exit": pair.exit_z,
        "state": state if market.connected else f"{state} (last known)",
        "is_firing": alert is not None and not pair.paused,
        "is_stale": is_stale,
        "text": {"z": NONE if size is None else zscore(size, pair.entry_z, pair.exit_z, sign=False)},
    }


def register(app: Dash, site: PageContext) -> None:
    """Save a value typed into a cell."""

    @app.callback(
        Output(f"{TABLE}-changed", "rows", allow_duplicate=True),
        Output("thresholds-said", "children"),
        Output("thresholds-said", "className"),
        Input(TABLE, "cellValueChanged"),
        State("zone-select", "value"),
        prevent_initial_call=True,
    )
    async def save(changes: Any, zone: str) -> tuple[Any, str, str]:
        change = changes[-1]
        name, column = str(change["rowId"]), str(change["colId"])
        wrong = await store(site, name, FIELDS[column], change.get("value"))
        market = site.market
        update = [known] if (known := rows(market, zone).get(name)) else []
        if wrong:
            return update, f"{name}, {column} not changed. {wrong}", "said is-wrong"
        saved = number_of(known, column) if known else NONE
        return update, f"{name}: {column} is {saved} now.", "said"


def number_of(known: Row, column: str) -> str:
    """Return a threshold as it is shown.

    >>> number_of({"entry": 2.5}, "entry")
    '2.5'
    """
    return f"{known[column]:g}"


async def store(site: PageContext, pair: str, field: str, value: Any) -> str:
    """Set the level at which a pair fires or resolves; return why the API refuses, empty if it does not."""
    try:
        response = await site.client.send("PATCH", f"/v1/pairs/{segment(pair)}", json={field: value})
    except TransientError as error:
        return str(error)
    if not response.is_success:
        wrong = problems.read(response, tuple(FIELDS.values()))
        return " ".join([*wrong.fields.values(), wrong.rest]).strip()
    saved = decode(response.content, WatchedPair)
    if site.market.pairs is not None:
        site.market.pairs[saved.pair] = saved
    return ""
