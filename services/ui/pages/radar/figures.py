"""Heatmaps of the radar, by Plotly: one trace, so that 500 symbols stay fluent."""

from typing import Any

from services.ui.api.types import ScanMatrix
from services.ui.charts import palette

MATRICES = {"evidence": "Evidence", "returns": "Returns", "levels": "Levels"}
# The middle is seen on both themes, and blue is not good, nor red bad.
_SIGNED = [[0.0, "#cf7a20"], [0.5, "rgba(122,135,148,0.12)"], [1.0, "#3d82f0"]]
_ZEROS = [[0.0, "rgba(122,135,148,0.12)"], [0.4, "#3d82f0"], [1.0, "#1f9d6b"]]
_MOST_ZEROS = 8.0
# More names than that cannot be read.
_NAMED = 60


def heatmap(found: ScanMatrix) -> dict[str, Any]:
    """Return the figure of a matrix."""
    is_evidence = found.of == "evidence"
    cells = {
        "type": "heatmap",
        "x": found.symbols,
        "y": found.symbols,
        "z": found.cells,
        "zmin": 0.0 if is_evidence else -1.0,
        "zmax": _MOST_ZEROS if is_evidence else 1.0,
        "colorscale": _ZEROS if is_evidence else _SIGNED,
        "hoverongaps": False,
        "hovertemplate": "%{y} and %{x}: %{z:.2f}<extra></extra>",
        "colorbar": {"thickness": 8, "outlinewidth": 0, "len": 0.9},
    }
    axis = {
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "automargin": True,
        "showticklabels": len(found.symbols) <= _NAMED,
        "tickfont": {"size": 9},
    }
    return {
        "data": [cells],
        "layout": {
            "xaxis": {**axis, "side": "top", "tickangle": -90},
            "yaxis": {**axis, "autorange": "reversed"},
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": palette.FONT, "size": 11},
            "hoverlabel": {
                "bgcolor": palette.HOVER,
                "font": {"color": "#ffffff"},
                "bordercolor": palette.HOVER,
            },
            # What a reader has zoomed to stays while the radar goes on.
            "uirevision": found.of,
        },
    }
