"""Constants that the scripts in ``assets`` share with the server: an attribute of the document, as JSON."""

import html
import json
from typing import Any

from services.common.clock import SECOND
from services.contracts.intervals import ALL_WIDTHS_US, WIDTHS_US
from services.ui.pages.market.layout import USUAL
from services.ui.pages.overview.columns import FIRST, SORTED, STATES
from services.ui.pages.pairs.lines import PANES
from services.ui.pages.pairs.past import LONGEST_S

PLACE = "{constants}"
CONSTANTS: dict[str, Any] = {
    "widths": {interval: width_us // SECOND for interval, width_us in WIDTHS_US.items()},
    "chart_widths": {interval: width_us // SECOND for interval, width_us in ALL_WIDTHS_US.items()},
    "charts": USUAL,
    "panes": PANES,
    "overview": {"columns": SORTED, "first": FIRST, "states": tuple(STATES)},
    "longest_past": LONGEST_S,
}
"""The width (s) of each interval of bars, the stored ones and all that charts have; the intervals of the charts of the
market, the panes of a pair, what the table of all pairs can be sorted and filtered by, the longest range of a pair's
past (s)."""


def filled(document: str) -> str:
    """Return `document` with the constants in their place."""
    assert PLACE in document
    return document.replace(PLACE, html.escape(json.dumps(CONSTANTS)))
