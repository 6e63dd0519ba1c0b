"""Layout of the upload page before data arrives."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from services.ui.analysis import panel
from services.ui.api import downloads
from services.ui.charts import lightweight
from services.ui.pages.upload import bars, forms, listing, report
from services.ui.state.page_context import attributes
from services.ui.widgets.components import chooser, cover, download, page, pane, segmented

SHOWN = {"candles": "Candles", "pair": "Pair", "report": "Report"}
STUDY = "study"
STUDIED = ("method", "window", "transform", "intercept", "trend", "lags")


def layout() -> Component:
    """Return the page."""
    upload = html.Button("Upload files", id="upload-new", n_clicks=0, className="button is-first")
    saved: Any = download("datasets-csv")
    saved.href = downloads.link("/v1/datasets")
    listed = pane(
        "Datasets", [listing.listed(), cover("datasets-empty", "Connecting…")], "datasets", [upload, saved]
    )
    stores = [dcc.Store(id=store) for store in ("dataset", "upload-answer", "upload-done")]
    shown = html.Div([forms.layout(), _dataset()], id="upload-shown", className="upload-shown is-new")
    return page("upload", "Upload", [*stores, listed, shown, _deletion()])


def _dataset() -> Component:
    tabs = segmented(
        "dataset-show",
        "What to show",
        [{"value": name, "label": label} for name, label in SHOWN.items()],
        "candles",
    )
    delete = html.Button("Delete", id="dataset-delete", n_clicks=0, className="button is-last")
    sections = [_toolbar(), _candles(), _pair(), _report(), cover("dataset-empty", "Loading…")]
    return pane("Dataset", html.Div(sections, className="dataset-body"), "dataset", [tabs, delete])


def _toolbar() -> Component:
    before = dmc.TextInput(
        id="dataset-before",
        placeholder="before: the end",
        size="xs",
        w=150,
        debounce=500,
        **attributes("aria", label="Bars before this time"),
    )
    counts = [{"value": count, "label": f"{int(count):,}".replace(",", "\u202f")} for count in bars.COUNTS]
    counts.append({"value": bars.ALL, "label": "all"})
    return html.Div(
        [
            html.Div(chooser("dataset-symbol", "Symbol", 130), className="of-candles"),
            html.Div(
                [
                    chooser("dataset-y", "Y", 130),
                    html.Span("on", className="pane-note"),
                    chooser("dataset-x", "X", 130),
                ],
                className="of-pair legs",
            ),
            segmented("dataset-interval", "Interval", [{"value": bars.OWN, "label": "own"}], bars.OWN),
            segmented("dataset-bars", "How many bars", counts, bars.COUNTS[1]),
            before,
            html.Span(id="dataset-coverage", className="pane-note num of-candles", role="status"),
            html.Span(download("dataset-csv"), className="of-candles"),
        ],
        className="dataset-tools",
    )


def _candles() -> Component:
    return html.Div(
        [
            lightweight.chart(bars.CHART, 5, crosshair=True),
            html.Div(id="dataset-legend", className="legend num"),
            cover("candles-none", "Loading…"),
        ],
        className="pane-body of-candles",
    )


def _pair() -> Component:
    side = html.Div(
        [
            html.Div(panel.controls(STUDY, STUDIED)),
            panel.status(STUDY),
            panel.evidence(STUDY),
            panel.numbers(STUDY),
        ],
        className="study-side",
    )
    return html.Div([panel.chart(STUDY), side], className="study of-pair")


def _report() -> Component:
    kinds = [{"value": kind, "label": label} for kind, label in report.KINDS.items()]
    return html.Div(
        [
            html.P(id="dataset-done", className="dataset-done", role="status"),
            html.P(id="dataset-facts", className="num"),
            html.Div(id="dataset-counts", className="cards"),
            html.Div(id="dataset-symbols"),
            html.Div(id="dataset-readings"),
            html.Div(
                [
                    html.H4("Findings"),
                    segmented("dataset-kind", "Which findings", kinds, "all"),
                    html.Span(id="dataset-findings-note", className="pane-note"),
                    download("dataset-report-csv"),
                ],
                className="dataset-tools",
            ),
            html.Div(report.findings(), className="findings"),
        ],
        className="dataset-report of-report",
    )


def _deletion() -> Component:
    modal: Component = dmc.Modal(
        [
            html.P(id="delete-words"),
            html.P(id="delete-wrong", className="panel-status is-error", role="alert"),
            html.Div(
                [
                    html.Button("Keep", id="delete-no", n_clicks=0, className="button"),
                    html.Button("Delete", id="delete-yes", n_clicks=0, className="button is-last"),
                ],
                className="form-foot",
            ),
        ],
        id="delete-modal",
        title="Delete this dataset?",
        centered=True,
        closeButtonProps=attributes("aria", label="Close"),
        opened=False,
    )
    return modal
