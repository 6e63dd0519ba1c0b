"""Query panel: asks the API whenever one of its controls or its subject changes, and shows what is refused."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from dash import ClientsideFunction, Dash, Input, Output, State, set_props

from services.common.errors import TransientError
from services.ui.api import problems
from services.ui.api.client import ApiClient
from services.ui.api.decoding import decode
from services.ui.state.page_context import Props

AGAIN = "Recompute"

T = TypeVar("T")


class Question(Protocol):
    """Query of a panel."""

    @property
    def path(self) -> str:
        """The route."""

    @property
    def params(self) -> dict[str, Any]:
        """Its parameters."""


async def answered(
    client: ApiClient,
    prefix: str,
    question: Question,
    kind: type[T],
    expected: str,
    fields: Mapping[str, str],
    timeout_s: float,
    refused: Callable[[str], Props],
) -> tuple[T | None, Props]:
    """Ask the API; return its answer and no error at any control, or None and what the panel shows without one.

    `expected` names the answer, `fields` are the parameters that have a control, and its name; `refused` makes the
    properties of a refusal.
    """
    fine: Props = {f"{prefix}-{name}": {"error": ""} for name in fields.values()}
    try:
        response = await client.send("GET", question.path, params=question.params, timeout=timeout_s)
    except TransientError as error:
        return None, {**fine, **refused(str(error))}
    if response.is_error:
        wrong = problems.read(response, tuple(fields))
        at = {f"{prefix}-{fields[field]}": {"error": text} for field, text in wrong.fields.items()}
        return None, {**fine, **at, **refused(wrong.rest or "Not asked: one of the values is refused.")}
    try:
        return decode(response.content, kind), fine
    except msgspec.DecodeError as error:
        return None, {**fine, **refused(f"Expected {expected}, received another answer: {error}")}


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
