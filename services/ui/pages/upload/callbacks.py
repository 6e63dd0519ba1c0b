"""Callbacks of the upload page."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, set_props

from services.common.errors import TransientError
from services.ui.analysis import panel
from services.ui.api import problems
from services.ui.api.client import segment
from services.ui.charts import lightweight
from services.ui.pages.upload import bars, forms, result
from services.ui.pages.upload.layout import STUDIED, STUDY, layout
from services.ui.state.page_context import PageContext


def register(app: Dash, site: PageContext) -> None:
    """Add what the page does; its functions are in ``upload.js`` and ``datasets.js`` of ``assets/pages``."""
    laid_out = panel.ids(layout())
    panel.register(app, site, STUDY, STUDIED, laid_out)
    lightweight.paint(app, bars.CHART)
    _register_script(app)

    @app.callback(
        Output("upload-done", "data"),
        Input("upload-answer", "data"),
        State("zone-select", "value"),
        prevent_initial_call=True,
    )
    async def answered(answer: dict[str, Any] | None, zone: str | None) -> Any:
        for element, props in result.shown(answer, zone or "UTC").items() if answer else ():
            set_props(element, props)
        return answer["status"] if answer else None

    @app.callback(
        Output("delete-wrong", "children"),
        Input("delete-yes", "n_clicks"),
        State("dataset", "data"),
        running=[(Output("delete-yes", "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def delete(clicks: int, dataset: str | None) -> str:
        if not clicks or dataset is None:
            return ""
        try:
            response = await site.client.send("DELETE", f"/v1/datasets/{segment(dataset)}")
        except TransientError as error:
            return f"Not deleted. {error}"
        if response.is_error:
            return f"Not deleted. {problems.read(response).rest}"
        set_props("delete-modal", {"opened": False})
        set_props("dataset", {"data": None})
        return ""


def _register_script(app: Dash) -> None:
    def bind_clientside(name: str, *dependencies: Any, initially: bool = False) -> None:
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction(*name.split(".")), *dependencies, prevent_initial_call=not initially
        )

    controls = ("symbol", "y", "x", "interval", "bars", "before", "kind")
    bind_clientside(
        "dataset.route",
        Output("dataset", "data"),
        Output("dataset-show", "value"),
        *(Output(f"dataset-{name}", "value") for name in controls),
        Input("page-upload", "id"),
        initially=True,
    )
    bind_clientside(
        "dataset.select",
        Output("upload-shown", "className"),
        Output(f"{STUDY}-subject", "data"),
        Output("dataset-before", "error"),
        Input("dataset", "data"),
        Input("dataset-show", "value"),
        *(Input(f"dataset-{name}", "value") for name in controls),
        Input("zone-select", "value"),
        initially=True,
    )
    bind_clientside(
        "upload.opened", Output("upload-panel", "className"), Input("page-upload", "id"), initially=True
    )
    bind_clientside(
        "upload.again",
        Output("upload-drop", "title"),
        *(Input(option, "value") for option in forms.options()),
    )
    bind_clientside(
        "dataset.legend", Output("dataset-legend", "children"), Input(bars.CHART, "crosshair"), initially=True
    )
    for button in ("new", "choose", "go", "discard", "cancel", "copy"):
        bind_clientside(
            "upload.press", Output(f"upload-{button}", "title"), Input(f"upload-{button}", "n_clicks")
        )
    bind_clientside(
        "dataset.ask_delete",
        Output("delete-modal", "opened"),
        Input("dataset-delete", "n_clicks"),
        Input("delete-no", "n_clicks"),
    )
