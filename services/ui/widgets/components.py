"""Components that several pages share."""

from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from services.ui.state.page_context import attributes

# The colours are the page's own, so that a table follows its theme.
TABLE_THEME = """themeBalham.withParams({
    backgroundColor: 'var(--panel)', foregroundColor: 'var(--ink)', headerBackgroundColor: 'var(--panel)',
    headerTextColor: 'var(--ink-3)', borderColor: 'var(--line)', rowHoverColor: 'var(--raised)',
    oddRowBackgroundColor: 'var(--panel)', accentColor: 'var(--accent)', fontFamily: 'var(--font)', fontSize: 12,
    headerFontWeight: 500, headerHeight: 28, rowHeight: 26, wrapperBorder: false, headerColumnBorder: false,
    headerColumnResizeHandleColor: 'transparent', cellHorizontalPadding: 12
})"""
MOMENT = {
    "input": {
        "data-moment": "",
        "placeholder": "YYYY-MM-DD HH:MM",
        "autoComplete": "off",
        "spellCheck": "false",
    }
}
"""Attributes of a field for a time in the zone of the page; ``assets/time_fields.js`` says what is none."""
TIME_COLUMN = {"valueFormatter": {"function": "pairstreamMoment(params.value)"}, "width": 172}
"""A column whose values are milliseconds since the epoch, shown in the reader's time zone."""


def page(name: str, title: str, children: Sequence[Component]) -> Component:
    """Return the main part of a page; `title` is for those who hear the page."""
    main: Component = html.Main(
        [html.H2(title, className="unseen"), *children],
        id=f"page-{name}",
        className=f"page-main is-{name}",
        tabIndex=-1,
    )
    return main


def pane(
    title: Any, body: Sequence[Component] | Component, name: str, tools: Sequence[Component] = ()
) -> Component:
    """Return a titled panel; its title has the id ``<name>-title``."""
    head = html.Div(
        [html.H3(title, id=f"{name}-title", className="pane-title"), *tools], className="pane-head"
    )
    section: Component = html.Section(
        [head, html.Div(body, className="pane-body")],
        className=f"pane is-{name}",
        **attributes("aria", labelledby=f"{name}-title"),
    )
    return section


def cover(element: str, text: str = "") -> Component:
    """Return what lies over a chart that has nothing to show, and says why; see `steps.empty`."""
    shown = "pane-empty is-shown" if text else "pane-empty"
    covering: Component = html.Div(text, id=element, className=shown, role="status")
    return covering


def segmented(element: str, label: str, data: Sequence[Any], value: str) -> Component:
    """Return a choice of few things, all in sight."""
    control: Component = dmc.SegmentedControl(
        id=element, data=list(data), value=value, size="xs", **attributes("aria", label=label)
    )
    return control


def chooser(element: str, label: str, width: int = 210) -> Component:
    """Return a searchable select; its options come later."""
    control: Component = dmc.Select(
        id=element,
        data=[],
        size="xs",
        allowDeselect=False,
        searchable=True,
        selectFirstOptionOnChange=True,  # typed and Enter: the first match is taken
        limit=100,
        nothingFoundMessage="No match",
        w=width,
        **attributes("aria", label=label),
    )
    return control


def table(element: str, columns: Sequence[dict[str, Any]], nothing: str, **more: Any) -> Component:
    """Return a table without rows that says `nothing` then; rows are told apart by their ``id``.

    `more` are grid options (``dashGridOptions``).
    """
    grid: Component = dag.AgGrid(
        id=element,
        columnDefs=list(columns),
        defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True},
        rowData=[],
        getRowId="params.data.id",
        style={"height": "100%", "width": "100%"},
        dashGridOptions={
            "theme": {"function": TABLE_THEME},
            "localeText": {"noRowsToShow": nothing},
            "animateRows": False,
            "enableCellTextSelection": True,
            **more,
        },
    )
    return grid


def code(label: str, text: str = "", element: str = "") -> Component:
    """Return a text with a button that copies it; `element` is the id of the text."""
    shown = html.Code(text, id=element) if element else html.Code(text)
    block: Component = html.Div(
        [
            html.Pre(shown, tabIndex=0, role="region", **attributes("aria", label=label)),
            html.Button("Copy", className="copy", **attributes("aria", label=f"Copy: {label}")),
        ],
        className="code",
    )
    return block


def download(element: str, label: str = "CSV") -> Component:
    """Return a link that saves a table; its ``href`` is made by ``downloads.link``."""
    link: Component = html.A(label, id=element, className="download", download="", href="")
    return link


def to_delivery() -> Component:
    """Return the way to the page of delivery, which is not in the menu."""
    link: Component = html.A("Delivery", href="/delivery", className="inside")
    return link
