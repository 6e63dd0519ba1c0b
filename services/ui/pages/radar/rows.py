"""Table of the radar's pairs: evidence, reversion, size of the spread, and since when each is confirmed."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dash.development.base_component import Component

from services.contracts.pairs import Pair
from services.ui.api.types import Confirmation, ScanPair
from services.ui.state.page_context import Selection
from services.ui.widgets import components
from services.ui.widgets.formatting import NONE, age, correlation, number, significant_decimals

STAGES = {
    "tried": "All",
    "significant": "p < 5 %",
    "corrected": "Corrected",
    "confirmed": "Confirmed",
}
WORDS = {"tried": "–", "significant": "p < 5 %", "corrected": "corrected", "confirmed": "confirmed"}
SHOWN = 500
"""Pairs in the table: of those the spread is there to be drawn."""
# A p-value below it is 0 in the test.
_LEAST_P = 1e-12
_HEIGHT = 100

Row = dict[str, Any]


def _column(field: str, name: str, width: int, tip: str, **more: Any) -> dict[str, Any]:
    return {
        "field": field,
        "headerName": name,
        "headerTooltip": tip,
        "width": width,
        "type": "rightAligned",
        "valueFormatter": {"function": f"params.data.text.{field}"},
        **more,
    }


COLUMNS: list[dict[str, Any]] = [
    {"field": "rank", "headerName": "#", "width": 44, "type": "rightAligned"},
    {"field": "id", "headerName": "Pair", "width": 150, "pinned": "left"},
    _column("evidence", "Evidence", 74, "-log10 of the p-value, the greater one of both ways round"),
    _column("adjusted", "Adjusted p", 86, "The p-value for the number of pairs tried"),
    _column("halfLife", "Half-life", 72, "Of the spread, in bars; as likely too short as too long"),
    _column(
        "interval", "95 %", 92, "Interval of the half-life; without an end, a random walk is not excluded"
    ),
    _column("crossings", "Crossings", 78, "How often the spread changed its side of the line"),
    _column(
        "bp",
        "Spread bp",
        86,
        "Standard deviation of the spread in basis points: what costs are compared with",
    ),
    _column("returns", "Returns", 68, "Correlation of returns"),
    _column("since", "Confirmed", 82, "How long ago the radar confirmed the pair first"),
    {
        "field": "spread",
        "headerName": "Spread",
        "headerTooltip": "The spread over all bars, the part held out too",
        "width": 92,
        "sortable": False,
        "valueFormatter": {"function": "''"},
        "cellRenderer": "RadarSpread",
    },
    {
        "field": "stage",
        "headerName": "Stage",
        "width": 96,
        "valueFormatter": {"function": "params.data.text.stage"},
        "cellClassRules": {"up": "params.value == 'confirmed'"},
    },
    {"field": "reason", "headerName": "Why not", "flex": 1, "minWidth": 120, "tooltipField": "reason"},
]


@dataclass(frozen=True)
class PairFilter:
    """Filter of the table: a stage at least, a part of a name, and the least spread in basis points."""

    stage: str = "tried"
    name: str = ""
    least_bp: float = 0.0

    @classmethod
    def read(cls, selection: Selection) -> "PairFilter":
        """Read what the page's controls say."""
        least = selection.asks.get("bp")
        return cls(
            selection.one_of("stage", tuple(STAGES), "tried"),
            (selection.text("name") or "").strip().upper(),
            float(least) if isinstance(least, int | float) and least > 0 else 0.0,
        )

    def includes(self, pair: ScanPair) -> bool:
        """Return whether a pair of the stage is shown."""
        return (
            pair.stage != "refused"
            and self.name in str(Pair(pair.y, pair.x))
            and (pair.spread_bp or 0.0) >= self.least_bp
        )


def table() -> Component:
    """Return the table, without pairs."""
    selection = {"mode": "singleRow", "checkboxes": False, "enableClickSelection": False}
    return components.table("radar-table", COLUMNS, "No pair.", rowSelection=selection, tooltipShowDelay=300)


def rows(pairs: Iterable[ScanPair], since_us: Mapping[frozenset[str], int], now_us: int) -> list[Row]:
    """Return a row for each pair; `since_us` tells when those that are confirmed were so first."""
    return [_row(pair, since_us.get(frozenset((pair.y, pair.x))), now_us) for pair in pairs]


def since(confirmations: Iterable[Confirmation]) -> dict[frozenset[str], int]:
    """Return when each pair was confirmed first."""
    return {frozenset((one.y, one.x)): one.confirmed_us for one in confirmations}


def evidence(p_value: float | None) -> float | None:
    """Return the zeros of a p-value.

    >>> evidence(0.001), evidence(0.0)
    (3.0, 12.0)
    """
    return None if p_value is None else round(-math.log10(max(p_value, _LEAST_P)), 3)


def _row(pair: ScanPair, since_us: int | None, now_us: int) -> Row:
    zeros = evidence(pair.p_value)
    return {
        "id": str(Pair(pair.y, pair.x)),
        "rank": pair.rank,
        "evidence": zeros,
        "adjusted": pair.adjusted_p_value,
        "halfLife": pair.half_life_corrected_bars,
        "interval": pair.half_life_high_bars,
        "crossings": pair.zero_crossings,
        "bp": pair.spread_bp,
        "returns": pair.return_correlation,
        "since": since_us,
        "stage": pair.stage,
        "reason": pair.reason or "",
        "spread": _line(pair.spread or ()),
        "text": {
            "evidence": _told(zeros, 1),
            "adjusted": NONE
            if pair.adjusted_p_value is None
            else number(pair.adjusted_p_value, significant_decimals(pair.adjusted_p_value, 2)),
            "halfLife": _told(pair.half_life_corrected_bars, 1),
            "interval": _interval(pair),
            "crossings": _told(pair.zero_crossings, 0),
            "bp": _told(pair.spread_bp, 1),
            "returns": NONE if pair.return_correlation is None else correlation(pair.return_correlation),
            "since": NONE if since_us is None else age(max(0.0, (now_us - since_us) / 1e6)),
            "stage": WORDS.get(pair.stage, pair.stage),
        },
    }


def _told(value: float | None, decimals: int) -> str:
    return NONE if value is None else number(value, decimals)


def _interval(pair: ScanPair) -> str:
    if pair.half_life_low_bars is None:
        return NONE
    high = "no end" if pair.half_life_high_bars is None else number(pair.half_life_high_bars, 1)
    return f"{number(pair.half_life_low_bars, 1)} to {high}"


def _line(spread: tuple[float, ...]) -> list[int]:
    """Return heights from 0 to 100.

    >>> _line((1.0, -1.0, 0.0))
    [100, 0, 50]
    """
    if not spread:
        return []
    low, high = min(spread), max(spread)
    return [round(_HEIGHT * (value - low) / (high - low)) if high > low else _HEIGHT // 2 for value in spread]
