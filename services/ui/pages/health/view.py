"""View of the health page in one session."""

from typing import Any

from services.ui.pages.health import delivery, gaps, services, tapes
from services.ui.pages.health.diagram import nodes
from services.ui.series import gap_shading
from services.ui.shell import header
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Props, Selection, View
from services.ui.widgets import batched_elements
from services.ui.widgets.formatting import number


class HealthView(View):
    """View of the health page, updated once a second, as services report once a second."""

    def __init__(self, site: PageContext, mark: Any = None) -> None:
        super().__init__(site, mark)
        self._second: object = None
        self._props: Props = {}
        self._rows: dict[str, batched_elements.Row] = {}
        self._lags: dict[str, batched_elements.Row] = {}

    def step(self, selection: Selection, now: Now) -> Props:
        """Return what the page shows now."""
        second = (int(now.s), self.site.market.services_s, selection)
        if second != self._second:
            self._second, self._props = second, self._show(selection, now)
        return self._props

    def _show(self, selection: Selection, now: Now) -> Props:
        market = self.site.market
        label, meaning = header.FEEDS.get(market.feed or "", header.NO_FEED)
        shown = nodes(market, now)
        wrong = sum(node.level in ("error", "warning") for node in shown)
        self.title = f"{wrong} not well" if wrong else None
        filters = gaps.asked(selection)
        found = gap_shading.reading(self.site, filters)
        symbols = sorted(tape.symbol for tape in market.tapes)
        return {
            "health-feed": {"children": label},
            "health-meaning": {"children": meaning},
            "health-left-out": {"children": _left_out(market.left_out)},
            "stations": {"children": services.drawn(shown, now.s)},
            **self._tapes(now),
            **self._delivery(),
            "gaps-said": {"children": gaps.words(found)},
            "gaps-symbol": {"data": [{"value": gaps.ANY, "label": "Every symbol"}, *symbols]},
            "gaps-csv": {"href": gaps.link(filters)},
            "gaps-table": {"rowData": gaps.rows(found.value.data) if found.value else []},
        }

    def _tapes(self, now: Now) -> Props:
        before, self._rows = self._rows, tapes.rows(self.site.market, now)
        return batched_elements.changes("tapes-table", before, self._rows)

    def _delivery(self) -> Props:
        before, self._lags = self._lags, delivery.rows(self.site.market)
        return batched_elements.changes(delivery.TABLE, before, self._lags)


def _left_out(heartbeats: int) -> str:
    if not heartbeats:
        return ""
    return f"{number(heartbeats, 0)} heartbeats came of services or processes that are too many to list."
