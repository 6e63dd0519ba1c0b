"""Batched elements: many small parts as one component, as each Dash component costs time on every update."""

from collections.abc import Iterator, Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from services.ui.state.page_context import Props

Row = dict[str, Any]


class _Own(Component):
    """A component of ``assets/pairstream.js``."""

    id: str
    _namespace = "pairstream"
    _valid_wildcard_attributes = []  # noqa: RUF012
    available_wildcard_properties = []  # noqa: RUF012
    _children_props = []  # noqa: RUF012
    _base_nodes = []  # noqa: RUF012


class BatchedElement(_Own):
    """Elements without callbacks, drawn as one.

    `tree` is what they are, ``values`` what has become of those that have ids: id -> properties.
    """

    tree: Any
    _type = "BatchedElement"
    _prop_names = ["id", "tree", "values"]  # noqa: RUF012
    available_properties = _prop_names

    def __init__(self, element: str, tree: Component) -> None:
        super().__init__(id=element, tree=plain(tree))  # type: ignore[no-untyped-call]


class BatchedRows(_Own):
    """The ``rows`` that have changed in the AG Grid `table`, which takes them in where they are.

    The grid's own ``rowTransaction`` is not for a table that changes every second: dash-ag-grid and React keep
    something of each of them for as long as the page is open. With `keeps_order` no row moves because of a change: the
    page's own script sorts.
    """

    _type = "BatchedRows"
    _prop_names = ["id", "table", "rows", "keepsOrder"]  # noqa: RUF012
    available_properties = _prop_names

    def __init__(self, table: str, *, keeps_order: bool = False) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            id=f"{table}-changed", table=table, rows=[], keepsOrder=keeps_order
        )


def changes(table: str, before: Mapping[str, Row], after: Mapping[str, Row]) -> Props:
    """Return what brings the rows of a table with a `BatchedRows` from `before`, by their ids, to `after`."""
    if after.keys() != before.keys():
        return {table: {"rowData": list(after.values())}, f"{table}-changed": {"rows": []}}
    changed = [row for name, row in after.items() if row != before[name]]
    return {f"{table}-changed": {"rows": changed}} if changed else {}


def plain(value: Any) -> Any:
    """Return elements of HTML as JSON; TypeError for a component of another kind.

    >>> plain([html.B("rate", className="num"), "3"])
    [{'tag': 'b', 'props': {'children': 'rate', 'className': 'num'}}, '3']
    """
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if not isinstance(value, Component):
        return value
    kind, props = value._type, value.to_plotly_json()["props"]  # type: ignore[no-untyped-call]
    if getattr(html, kind, None) is not type(value):
        raise TypeError(f"expected an element of HTML, received {value!r}")
    return {"tag": kind.lower(), "props": {name: plain(one) for name, one in props.items()}}


def ids(layout: Component) -> dict[str, str]:
    """Return the ids of the elements drawn in `layout`, each with that of its batch."""
    drawings = (one for one in layout._traverse() if isinstance(one, BatchedElement))  # type: ignore[no-untyped-call]
    return {element: drawing.id for drawing in drawings for element in _ids(drawing.tree)}


class BatchedElements:
    """Batched elements that one session has been sent."""

    def __init__(self, owners: Mapping[str, str]) -> None:
        """`owners` are the `ids` of every page."""
        self._owners = owners
        self._values: dict[str, Props] = {}

    def gather(self, props: Props) -> Props:
        """Return `props` in which those of elements of one drawing are one property."""
        gathered: Props = {}
        for element, values in props.items():
            owner = self._owners.get(element)
            if owner is None:
                gathered[element] = values
                continue
            known = self._values.setdefault(owner, {})
            made = {name: plain(value) for name, value in values.items()}
            known[element] = {**known.get(element, {}), **made}
            gathered[owner] = {"values": known}
        return gathered


def _ids(tree: Any) -> Iterator[str]:
    if isinstance(tree, list):
        for one in tree:
            yield from _ids(one)
    elif isinstance(tree, dict):
        props = tree["props"]
        if "id" in props:
            yield props["id"]
        yield from _ids(props.get("children"))
