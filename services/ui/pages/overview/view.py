"""View of the overview page in one session."""

from typing import Any

from services.ui.api.poll_cache import PolledAnswer
from services.ui.api.types import HandledAlert, Listing, ZscoreLine
from services.ui.charts import updates
from services.ui.pages.overview import rows
from services.ui.pages.overview.columns import TABLE
from services.ui.state import pair_state
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import PageContext, Props, Selection, View
from services.ui.widgets import batched_elements
from services.ui.widgets.batched_elements import Row

LINES = "/v1/zscores"
# As long as a step of a line.
LINES_EVERY_S = 30.0
NO_PAIRS = (
    "No pair is watched. Add one on the page Pairs, in its tab Pairs, or confirm one on the page Radar."
)


class OverviewView(View):
    """Every watched pair, brought up to date once a second."""

    def __init__(self, site: PageContext, mark: Any = None) -> None:
        super().__init__(site, mark)
        self._rows: dict[str, Row] = {}
        self._listed: tuple[int, int, str] = (-1, -1, "")
        self._alerts: tuple[int, dict[str, HandledAlert]] = (-1, {})

    def step(self, selection: Selection, now: Now) -> Props:
        """Return what the page shows now."""
        market = self.site.market
        firing = len({alert.pair for alert in market.alarms.firing() if alert.pair in (market.pairs or {})})
        self.title = f"{firing} alerting" if firing and market.connected else None
        reading = self._lines()
        listed = (int(now.s), market.alarms.version, selection.zone)
        props: Props = {
            **updates.empty("overview-empty", _why_empty(market)),
            "overview-lines": {"children": _lines_missing(reading)},
        }
        if listed == self._listed or market.pairs is None:
            return props
        self._listed = listed
        lines = {line.pair: line for line in reading.value or ()}
        before = self._rows
        self._rows = rows.rows(pair_state.states(market, now), lines, self._newest(), selection.zone)
        return {**props, **batched_elements.changes(TABLE, before, self._rows)}

    def _lines(self) -> PolledAnswer[tuple[ZscoreLine, ...]]:
        client = self.site.client

        async def ask() -> tuple[ZscoreLine, ...]:
            return (await client.read(LINES, Listing[ZscoreLine])).data

        return self.site.readings.get(LINES, ask, LINES_EVERY_S)

    def _newest(self) -> dict[str, HandledAlert]:
        alarms = self.site.market.alarms
        if self._alerts[0] != alarms.version:
            self._alerts = (alarms.version, alarms.newest_of_pairs())
        return self._alerts[1]


def _why_empty(market: LiveState) -> str:
    if market.pairs is None:
        return f"Waiting for the API. {market.error or ''}".strip()
    return "" if market.pairs else NO_PAIRS


def _lines_missing(reading: PolledAnswer[Any]) -> str:
    if reading.error is None:
        return ""
    return f"The lines of z are {'not there' if reading.value is None else 'old'}: {reading.error}"
