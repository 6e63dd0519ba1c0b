"""Query panel: asks the API whenever one of its controls or its subject changes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, set_props

from services.ui.state.page_context import Props

AGAIN = "Recompute"


def register(
    app: Dash,
    prefix: str,
    controls: Sequence[tuple[str, str]],
    answer: Callable[[dict[str, Any]], Awaitable[Props]],
) -> None:
    """Wire the panel whose ids begin with `prefix`.

    `controls` are the ids of its controls with the property that holds the value; `answer` returns what is shown for
    what is asked. The page fills the store ``<prefix>-subject``.
    """
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("analysis", "route"),
        *(Output(*control) for control in controls),
        Input(f"{prefix}-panel", "data"),
        Input("zone-select", "error"),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("analysis", "asks"),
        Output(f"{prefix}-asks", "data"),
        Input(f"{prefix}-subject", "data"),
        Input(f"{prefix}-again", "n_clicks"),
        *(Input(*control) for control in controls),
        State(f"{prefix}-panel", "data"),
    )

    @app.callback(
        Output(f"{prefix}-done", "data"),
        Input(f"{prefix}-asks", "data"),
        running=[(Output(f"{prefix}-again", "children"), "Computing…", AGAIN)],
        prevent_initial_call=True,
    )
    async def ask(asks: dict[str, Any] | None) -> Any:
        if not asks:
            return None
        for element, props in (await answer(asks)).items():
            set_props(element, props)
        return asks
