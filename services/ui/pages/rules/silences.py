"""Silences: their table, and the form of a new one."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from services.common import clock
from services.contracts.silences import Silence
from services.ui.api.client import ApiClient, segment
from services.ui.api.types import Listing
from services.ui.widgets.batched_elements import BatchedRows, Row
from services.ui.widgets.components import MOMENT, TIME_COLUMN, cover, pane, table

PATH = "/v1/silences"
TABLE = "silences-table"
PLACES = {"matchers": "silence-pattern", "end_us": "silence-until"}
"""The control of each field of a silence."""
OF = ("pair", "rule")
NOTE = "A silence holds notifications back. The topic and the dashboard show all alerts."

COLUMNS: list[dict[str, Any]] = [
    {"field": "of", "headerName": "Silent", "flex": 1, "minWidth": 150, "tooltipField": "comment"},
    {"field": "end", "headerName": "Until", **TIME_COLUMN, "width": 148},
    {"field": "by", "headerName": "By", "width": 80},
    {"field": "state", "headerName": "State", "width": 70},
]


def layout() -> Component:
    """Return the pane: the table, and the form of a new silence."""
    end = html.Button("End silence", id="silence-end", n_clicks=0, className="button for-writers")
    choice = {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True}
    form = html.Div(
        [
            dmc.Select(
                id="silence-of", label="Silence a", data=list(OF), value=OF[0], allowDeselect=False, size="xs"
            ),
            dmc.Autocomplete(
                id="silence-pattern", label="Which, * for any letters", data=[], value="", limit=50, size="xs"
            ),
            dmc.TextInput(
                id="silence-until",
                label="Until",
                value="",
                size="xs",
                attributes=MOMENT,
            ),
            html.Button("Silence", id="silence-add", n_clicks=0, className="button is-first"),
        ],
        className="form silence-form for-writers",
    )
    below = html.Div(
        [
            html.Div(NOTE, className="pane-note"),
            form,
            html.Div(id="silence-status", className="panel-status", role="status"),
        ],
        className="silence-foot",
    )
    listed = [
        table(TABLE, COLUMNS, "No silence.", rowSelection=choice),
        BatchedRows(TABLE),
        cover("silences-empty"),
    ]
    whole: Component = html.Div([pane("Silences", listed, "silences", [end]), below], className="silences")
    return whole


async def read(client: ApiClient) -> tuple[Silence, ...]:
    """Return every silence, those that are over too."""
    return (await client.read(PATH, Listing[Silence])).data


def rows(silences: tuple[Silence, ...], now_us: int) -> dict[str, Row]:
    """Return a row for each silence, by its id."""
    return {one.id: _row(one, now_us) for one in silences}


def of(silence_id: str) -> str:
    """Return the route of a silence."""
    return f"{PATH}/{segment(silence_id)}"


def is_snooze(one: Silence, rule_id: str) -> bool:
    """Tell whether a silence is of this rule, and of all of its alerts."""
    return one.matchers == {"rule": rule_id}


def until_us(text: str | None, zone: str) -> int | None:
    """Return the moment of a local time, None if it is none.

    >>> until_us("2026-01-31T12:00", "Europe/Berlin"), until_us("", "UTC")
    (1769857200000000, None)
    """
    try:
        return clock.from_datetime(datetime.fromisoformat(text or "").replace(tzinfo=ZoneInfo(zone)))
    except ValueError:
        return None


def _row(one: Silence, now_us: int) -> Row:
    state = "active" if one.is_active(now_us) else "over" if one.end_us <= now_us else "later"
    return {
        "id": one.id,
        "of": ", ".join(f"{field} {pattern}" for field, pattern in one.matchers.items()),
        "end": one.end_us // 1000,
        "by": one.by,
        "comment": one.comment,
        "state": state,
    }
