"""Pipeline diagram drawn: its nodes in the order in which trades pass them, others beside what they exchange with."""

from dash import html
from dash.development.base_component import Component

from services.ui.pages.health.diagram import Node, age_words
from services.ui.state.page_context import attributes
from services.ui.state.service_rates import KEPT_S
from services.ui.widgets.formatting import number

# Columns that show the last minutes.
COLUMNS = 60
# A lag below this is drawn low, however small the others are.
LOW_LAG = 20


def drawn(nodes: list[Node], now_s: float) -> list[Component]:
    """Return the items of the list."""
    return [_item(node, now_s) for node in nodes]


def _item(node: Node, now_s: float) -> Component:
    numbers = [*node.rates, *(text for text in (node.lag, node.filling) if text)]
    parts = [
        html.Span(
            [html.B(node.name), html.Span(node.does, className="station-does")], className="station-name"
        ),
        html.Span(node.state, className="station-state"),
        html.Span([html.Span(text) for text in numbers], className="station-numbers num"),
        _spark(node, now_s),
        html.Span(
            [html.Span(age_words(node)), *([html.Span(node.version)] if node.version else [])],
            className="station-age num",
        ),
    ]
    told = "" if node.unacknowledged else " is-acknowledged"
    parts += [html.Span(text, className=f"station-lost{told}") for text in node.lost]
    if node.unacknowledged:
        parts.append(_acknowledge(node))
    if node.processes:
        processes = [html.Span(text) for text in node.processes]
        label = attributes("aria", label=f"Processes of {node.name}")
        parts.append(
            html.Span(processes, className="station-processes num", role="group", tabIndex=0, **label)
        )
    if node.detail:
        parts.append(html.Span(node.detail, className="station-detail", title=node.detail))
    stale = " is-stale" if node.is_stale else ""
    beside = f" is-beside is-beside-{node.beside}" if node.beside else ""
    item: Component = html.Li(parts, className=f"station is-{node.level}{stale}{beside}")
    return item


def _acknowledge(node: Node) -> Component:
    """Return the button that takes note of what was lost; what it asks goes by ``assets/pages/health.js``."""
    label = f"Acknowledge what {node.name} has lost: {number(node.unacknowledged, 0)} messages"
    button: Component = html.Button(
        "Acknowledge",
        className="action",
        **attributes("aria", label=label),
        **attributes("data", acknowledge=node.key),
    )
    return button


def _spark(node: Node, now_s: float) -> Component:
    if not node.lags:
        return html.Span(className="spark is-empty")
    highest = max(lag for _, lag in node.lags)
    text = f"lag of the last {KEPT_S // 60} minutes: at most {number(highest, 0)} messages"
    return html.Span(
        html.Span(style={"clipPath": shape(node.lags, now_s)}),
        className="spark",
        role="img",
        title=text,
        **attributes("aria", label=text),
    )


def shape(lags: tuple[tuple[float, int], ...], now_s: float) -> str:
    """Return the highest lag of each few seconds as the polygon of an area, the newest at the right.

    >>> shape(((0.0, 0), (297.0, 40), (300.0, 20)), 300.0)
    'polygon(98.3% 100%,98.3% 0%,100.0% 50%,100.0% 100%)'
    """
    width_s = KEPT_S / COLUMNS
    columns: dict[int, int] = {}
    for at_s, lag in lags:
        column = COLUMNS - int(now_s // width_s) + int(at_s // width_s)
        if column > 0:
            columns[column] = max(lag, columns.get(column, 0))
    if not columns:
        return "polygon(0 100%)"
    top = max(LOW_LAG, *columns.values())
    heights = sorted(
        (100 * column / COLUMNS, 100 - round(100 * lag / top)) for column, lag in columns.items()
    )
    (left, _), (right, _) = heights[0], heights[-1]
    points = [(left, 100), *heights, (right, 100)]
    return "polygon(" + ",".join(f"{x:.1f}% {y}%" for x, y in points) + ")"
