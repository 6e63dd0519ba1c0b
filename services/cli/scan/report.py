"""Report of a scan: one HTML file with the funnel, the first pairs and two heatmaps, which needs no network."""

from html import escape
from itertools import islice
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from services.cli.scan.table import funnel, interval
from services.contracts.pairs import Pair
from services.research.scan.pair_rows import PairRow, rows
from services.research.scan.run import FoundPairs

SHOWN = 200
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #8884; white-space: nowrap; }
th:first-child, td:first-child, td:last-child, th:last-child { text-align: left; }
.table { overflow-x: auto; }
"""
_HEAD = (
    "pair",
    "p",
    "adjusted",
    "held out",
    "hedge ratio",
    "half-life, bars",
    "95 %",
    "crossings",
    "spread, bp",
    "returns",
    "stage",
)
# -log10 of a p-value: below it nothing can be told apart.
_LEAST_P = 1e-12


def document(scanned: FoundPairs) -> str:
    """Return the report."""
    told = funnel(scanned)
    found = list(rows(scanned))
    body = [
        "<h1>Scan of all pairs</h1>",
        *(f"<p>{escape(line)}</p>" for line in told),
        _figure(_funnel(scanned), "funnel"),
        "<h2>Pairs</h2>",
        _table([row for row in found if row.stage != "refused"]),
        "<h2>Evidence: -log10 of the p-value</h2>",
        _figure(heatmap(scanned, found, "evidence"), "evidence"),
        "<h2>Correlation of returns</h2>",
        _figure(heatmap(scanned, found, "returns"), "returns"),
        _left_out(scanned, [row for row in found if row.stage == "refused"]),
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Scan of all pairs</title>'
        f'<meta name="viewport" content="width=device-width">\n<style>{_STYLE}</style>\n'
        f"<script>{get_plotlyjs()}</script>\n</head>\n<body>\n{chr(10).join(body)}\n</body>\n</html>\n"
    )


def heatmap(scanned: FoundPairs, found: list[PairRow], of: str) -> go.Figure:
    """Return a matrix of all symbols in clustered order."""
    symbols = scanned.summary.symbols
    places = {symbol: number for number, symbol in enumerate(symbols)}
    cells = np.full((len(symbols), len(symbols)), np.nan)
    for row in found:
        value = row.return_correlation
        if of == "evidence":
            value = None if row.p_value is None else -np.log10(max(row.p_value, _LEAST_P))
        if value is not None:
            cells[places[row.y], places[row.x]] = cells[places[row.x], places[row.y]] = round(value, 3)
    scale: dict[str, Any] = {"colorscale": "Viridis", "zmin": 0}
    if of == "returns":
        scale = {"colorscale": "RdBu", "zmin": -1, "zmax": 1, "reversescale": True}
    figure = go.Figure(go.Heatmap(z=cells, x=symbols, y=symbols, hoverongaps=False, **scale))
    figure.update_yaxes(autorange="reversed", scaleanchor="x")
    figure.update_layout(height=720, margin={"t": 10}, **_PAPER)
    return figure


_PAPER: dict[str, Any] = {
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"color": "#888"},
}


def _funnel(scanned: FoundPairs) -> go.Figure:
    summary = scanned.summary
    figure = go.Figure(
        go.Bar(
            x=[summary.tried, summary.significant, summary.corrected, summary.confirmed],
            y=["tried", "p < 5 %", "corrected", "confirmed"],
            text=[
                f"{n:,}" for n in (summary.tried, summary.significant, summary.corrected, summary.confirmed)
            ],
            orientation="h",
        )
    )
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(type="log", title="pairs")
    figure.update_layout(height=240, margin={"t": 10, "b": 40}, **_PAPER)
    return figure


def _figure(figure: go.Figure, name: str) -> str:
    text: str = figure.to_html(full_html=False, include_plotlyjs=False, div_id=name)
    return text


def _table(found: list[PairRow]) -> str:
    if not found:
        return "<p>No pair could be tested.</p>"
    lines = [f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in _HEAD)}</tr>"]
    for row in islice(found, SHOWN):
        cells = (
            str(Pair(row.y, row.x)),
            _told(row.p_value, ".3g"),
            _told(row.adjusted_p_value, ".3g"),
            _told(row.held_out_p_value, ".3g"),
            _told(row.hedge_ratio, ".5g"),
            _told(row.half_life_corrected_bars, ".1f"),
            interval(row),
            _told(row.zero_crossings, ","),
            _told(row.spread_bp, ".1f"),
            _told(row.return_correlation, ".3f"),
            f"{row.stage}: {row.reason}" if row.reason else row.stage,
        )
        lines.append(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    more = f"<p>The first {SHOWN} of {len(found):,}.</p>" if len(found) > SHOWN else ""
    return f'<div class="table"><table>{"".join(lines)}</table></div>{more}'


def _told(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _left_out(scanned: FoundPairs, refused: list[PairRow]) -> str:
    told = [f"{symbol} is left out: {reason}" for symbol, reason in scanned.summary.left_out.items()]
    told += [
        f"{row.y if row.y == row.x else Pair(row.y, row.x)} was not tested: {row.reason}" for row in refused
    ]
    if not told:
        return ""
    more = f"<li>and {len(told) - SHOWN:,} more</li>" if len(told) > SHOWN else ""
    return f"<h2>Not tested</h2><ul>{''.join(f'<li>{escape(one)}</li>' for one in told[:SHOWN])}{more}</ul>"
