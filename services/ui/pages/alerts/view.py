"""View of the alerts page in one session."""

from typing import Any

from services.contracts.alert_messages import DEFAULT_RULE
from services.ui.alerts.bulk_actions import to_acknowledge
from services.ui.api.types import Incident, Listing
from services.ui.charts import updates
from services.ui.pages.alerts import history, thresholds
from services.ui.pages.alerts.history import HistoryFilter, Row
from services.ui.pages.alerts.layout import EVERY_PAIR, EVERY_RULE
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import PageContext, Props, Selection, View
from services.ui.widgets import batched_elements


class AlertsView(View):
    """Thresholds beside live z-scores, and the history that is asked for."""

    cleared = ("alerts-empty",)

    def __init__(self, site: PageContext, mark: Any = None) -> None:
        super().__init__(site, mark)
        self._thresholds: dict[str, Row] = {}
        self._listed: tuple[int, int, str] = (-1, -1, "")
        self._live: tuple[Any, list[Row]] = (None, [])
        self._first: tuple[Any, list[Row]] = (None, [])

    def step(self, selection: Selection, now: Now) -> Props:
        """Return what the page shows now."""
        market = self.site.market
        firing = len(market.alarms.firing())
        self.title = f"{firing} firing" if firing and market.connected else None
        props = self._list(selection.zone, now) | _choice(market, selection)
        turn = selection.asks.get("turn")
        if turn is None:
            return props
        wanted = HistoryFilter.read(selection)
        reading = history.reading(self.site, wanted)
        props["alerts-csv"] = {"href": history.csv(wanted, market)}
        props |= _bulk(market, wanted)
        found = reading.value
        live = self._rows_live(wanted, turn, now, () if found is None else found.data)
        props["alerts-live"] = {"data": {"turn": turn, "rows": live}}
        if found is None:
            why = f"The history cannot be read: {reading.error}" if reading.error else "Reading…"
            return props | updates.empty("alerts-empty", why)
        rows = self._rows_first(found, turn)
        props["alerts-first"] = {"data": {"turn": turn, "rows": rows, "cursor": found.next_cursor}}
        gone = {row["id"] for row in live if row.get("is_gone")}
        shown = [row for row in (*rows, *live) if row["id"] not in gone and not row.get("is_old")]
        is_empty = not shown
        return props | updates.empty("alerts-empty", wanted.nothing(selection.zone) if is_empty else "")

    def _list(self, zone: str, now: Now) -> Props:
        market = self.site.market
        listed = (int(now.s), market.alarms.version, zone)
        if listed == self._listed:
            return {}
        self._listed = listed
        before, self._thresholds = self._thresholds, thresholds.rows(market, zone)
        return batched_elements.changes(thresholds.TABLE, before, self._thresholds)

    def _rows_live(
        self, wanted: HistoryFilter, turn: Any, now: Now, listed: tuple[Incident, ...]
    ) -> list[Row]:
        alarms = self.site.market.alarms
        key = (turn, alarms.version, id(listed))
        if self._live[0] != key:
            self._live = (key, history.live(alarms, listed, wanted, now.us))
        return self._live[1]

    def _rows_first(self, found: Listing[Incident], turn: Any) -> list[Row]:
        key = (turn, found)
        if self._first[0] is None or self._first[0][0] != turn or self._first[0][1] is not found:
            self._first = (key, history.rows(found.data))
        return self._first[1]


def _bulk(market: LiveState, wanted: HistoryFilter) -> Props:
    count = len(to_acknowledge(market.alarms, wanted.subject))
    return {
        "alerts-ack-all": {"children": f"Acknowledge {count} firing", "hidden": count == 0},
        "alerts-snooze-box": {"hidden": wanted.subject is None},
        "alerts-snooze-all": {"placeholder": f"Snooze {wanted.subject}…"},
    }


def _choice(market: LiveState, selection: Selection) -> Props:
    if market.pairs is None:
        return {}
    chosen = selection.text("pair")
    known = sorted(market.pairs)
    told = sorted({alert.subject for alert in market.alerts} - market.pairs.keys())
    others = [chosen] if chosen and chosen not in {*known, *told} else []
    names = known + told + others
    options = [{"value": "", "label": EVERY_PAIR}, *({"value": one, "label": one} for one in names)]
    rules = {alert.rule for alert in market.alerts} | {selection.text("rule") or DEFAULT_RULE, DEFAULT_RULE}
    known_rules = [{"value": one, "label": one} for one in sorted(rules)]
    return {
        "alerts-pair": {"data": options},
        "alerts-rule": {"data": [{"value": "", "label": EVERY_RULE}, *known_rules]},
    }
