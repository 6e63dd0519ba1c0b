"""Alerts as a table and as toasts."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import dash_ag_grid as dag
from dash.development.base_component import Component

from services.common.messages import Alert
from services.ui.formatting import number, utc_moment, utc_time

TOASTS_AT_ONCE = 3
TOAST_MS = 8000
SEEN_KEPT = 1000

COLUMNS: list[dict[str, Any]] = [
    {"field": "time", "headerName": "Time (UTC)", "width": 92, "tooltipField": "moment"},
    {"field": "pair", "headerName": "Pair", "width": 158},
    {
        "field": "state",
        "headerName": "State",
        "width": 92,
        "cellClassRules": {name: f"params.value == '{name}'" for name in ("firing", "resolved")},
    },
    {"field": "z", "headerName": "z", "width": 64, "type": "rightAligned"},
    {"field": "threshold", "headerName": "Threshold", "width": 92, "type": "rightAligned"},
    {"field": "message", "headerName": "Message", "flex": 1, "minWidth": 160, "tooltipField": "message"},
]
# The colours are the page's own, so that the table follows its theme.
THEME = """themeBalham.withParams({
    backgroundColor: 'var(--panel)', foregroundColor: 'var(--ink)', headerBackgroundColor: 'var(--panel)',
    headerTextColor: 'var(--ink-3)', borderColor: 'var(--line)', rowHoverColor: 'var(--raised)',
    oddRowBackgroundColor: 'var(--panel)', accentColor: 'var(--accent)', fontFamily: 'var(--font)', fontSize: 12,
    headerFontWeight: 500, headerHeight: 28, rowHeight: 26, wrapperBorder: false, headerColumnBorder: false,
    headerColumnResizeHandleColor: 'transparent', cellHorizontalPadding: 12
})"""


def table() -> Component:
    """Return the table, without alerts."""
    grid: Component = dag.AgGrid(
        id="alerts-table",
        columnDefs=COLUMNS,
        defaultColDef={"sortable": False, "resizable": False, "suppressMovable": True},
        rowData=[],
        getRowId="params.data.id",
        style={"height": "100%", "width": "100%"},
        dashGridOptions={
            "theme": {"function": THEME},
            "localeText": {"noRowsToShow": "No alert has fired yet."},
            "suppressCellFocus": False,
            "animateRows": False,
            "enableCellTextSelection": True,
        },
    )
    return grid


@lru_cache(maxsize=8)
def rows(alerts: tuple[Alert, ...]) -> list[dict[str, str]]:
    """Return a row for each alert; the same alerts give the same object."""
    return [
        {
            "id": alert.alert_id,
            "time": utc_time(alert.event_us),
            "moment": utc_moment(alert.event_us),
            "pair": alert.pair,
            "state": alert.state,
            "z": number(alert.value, 2, sign=True),
            "threshold": number(alert.threshold, 2),
            "message": alert.message,
        }
        for alert in alerts
    ]


def toasts(alerts: Sequence[Alert], seen: set[str]) -> list[dict[str, Any]]:
    """Return the toasts of firing alerts that are not in `seen`, and add all of them to it."""
    fresh = [alert for alert in alerts if alert.alert_id not in seen]
    if len(seen) > SEEN_KEPT:
        seen.intersection_update(alert.alert_id for alert in alerts)
    seen.update(alert.alert_id for alert in fresh)
    firing = [alert for alert in fresh if alert.state == "firing"]
    shown = [_toast(alert) for alert in reversed(firing[:TOASTS_AT_ONCE])]
    if len(firing) > TOASTS_AT_ONCE:
        shown[0]["message"] += f" And {len(firing) - TOASTS_AT_ONCE} more, in the table."
    return shown


def _toast(alert: Alert) -> dict[str, Any]:
    return {
        "action": "show",
        "id": alert.alert_id,
        "title": f"{alert.pair}  z {number(alert.value, 2, sign=True)}",
        "message": f"{utc_time(alert.event_us)} UTC. {alert.message}",
        "color": "var(--bad)",
        "autoClose": TOAST_MS,
        "className": "toast",
    }
