"""Role of a page: buttons are hidden from a reader who may change nothing, and the page says why."""

from dash import Dash, Input, Output

from services.ui.api.roles import why_reader
from services.ui.state.page_context import PageContext


def for_reader(classes: str) -> str:
    """Return the classes of a page without buttons, which it has until it is known that its reader may write."""
    return f"{classes} is-reader"


def register(app: Dash, site: PageContext, page: str, reason: str, classes: str) -> None:
    """Ask the API once the element `page` is there, set its `classes`, and show why it is read only in `reason`."""

    @app.callback(Output(page, "className"), Output(reason, "children"), Input(page, "id"))
    async def opened(_: str) -> tuple[str, str]:
        why = await why_reader(site.client)
        return (for_reader(classes) if why else classes), why
