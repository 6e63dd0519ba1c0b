"""Alert history: its filter, and its rows in the table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dash.development.base_component import Component
from msgspec.structs import replace

from services.contracts.alert_messages import OPENING
from services.ui.alerts import actions, incidents, wording
from services.ui.alerts.actions import SNOOZES
from services.ui.alerts.wording import AnyAlert
from services.ui.api import downloads
from services.ui.api.poll_cache import PolledAnswer
from services.ui.api.types import Incident, Listing
from services.ui.state.alert_state import AlertState
from services.ui.state.live_state import LiveState
from services.ui.state.page_context import PageContext, Selection
from services.ui.widgets import components
from services.ui.widgets.formatting import NONE, lasted, moment, threshold

PATH = "/v1/incidents"
STATES = {
    "all": "All",
    "firing": "Firing",
    "resolved": "Resolved",
    "retracted": "Retracted",
    "ended": "Ended",
    "acknowledged": "Acknowledged",
}
SNOOZED = {"any": "Snoozed or not", "yes": "Snoozed", "no": "Not snoozed"}
PAGE_ROWS = 100
CSV_ROWS = 1_000_000
READ_EVERY_S = 15.0
RETRY_EVERY_S = 2.0

Row = dict[str, Any]

_OF_INCIDENTS = ("firing", "resolved", "retracted", "ended")
_IS_STATE = {
    "firing": "params.data.is_open",
    "was-retracted": "params.data.state == 'retracted'",
    **{name: f"params.data.state == '{name}'" for name in ("resolved", "ended")},
}
_INSIDE = {"suppressKeyboardEvent": {"function": "pairstreamInside(params)"}}
_BEGIN = {**components.TIME_COLUMN, "width": 140, "cellRenderer": "MomentLink", **_INSIDE}


def _number(field: str, name: str, width: int, tip: str, **more: Any) -> dict[str, Any]:
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
    {"field": "time", "headerName": "Begin", "sort": "desc", **_BEGIN},
    {"field": "subject", "headerName": "Subject", "width": 142, "cellRenderer": "SubjectLink", **_INSIDE},
    {"field": "rule", "headerName": "Rule", "width": 122, "cellRenderer": "RuleLink", **_INSIDE},
    {"field": "state", "headerName": "State", "width": 84, "cellClassRules": _IS_STATE},
    {
        "field": "handling",
        "headerName": "Handling",
        "width": 206,
        "sortable": False,
        "cellClass": "is-handling",
        "cellRenderer": "AlertHandling",
        "cellRendererParams": {"snoozes": SNOOZES},
        **_INSIDE,
    },
    _number("lasted", "Duration", 84, "From begin to end; none while it is open"),
    _number("value", "Value", 72, "At the begin", tooltipValueGetter={"function": "params.data.metric"}),
    _number("peak", "Peak", 72, "The z-score farthest from 0 while it lasted, of rules on a pair's z-score"),
    _number("threshold", "Threshold", 84, "What the value crossed at the begin"),
    {"field": "end", "headerName": "End", **components.TIME_COLUMN, "width": 140},
    {"field": "message", "headerName": "Message", "flex": 1, "minWidth": 160, "tooltipField": "message"},
    {
        "field": "id",
        "headerName": "Deliveries",
        "headerTooltip": "What became of it at each target",
        "width": 92,
        "sortable": False,
        "cellRenderer": "IncidentArrivals",
        **_INSIDE,
    },
    {
        "field": "judged",
        "headerName": "False alarm",
        "headerTooltip": "Whether somebody has called it a false alarm, and why",
        "width": 130,
        "sortable": False,
        "cellRenderer": "IncidentMark",
        **_INSIDE,
    },
]


@dataclass(frozen=True)
class HistoryFilter:
    """Filter of the alert history; times in microseconds since the epoch, the end is exclusive.

    ``snoozed`` is whether nobody is told of them now, None for both.
    """

    subject: str | None = None
    rule: str | None = None
    state: str = "all"
    snoozed: bool | None = None
    start_us: int | None = None
    end_us: int | None = None

    @classmethod
    def read(cls, selection: Selection) -> "HistoryFilter":
        """Read what the page's controls say; times are milliseconds there."""
        return cls(
            selection.text("pair"),
            selection.text("rule"),
            selection.one_of("state", tuple(STATES), "all"),
            {"yes": True, "no": False}.get(selection.text("snoozed") or ""),
            _us(selection.asks.get("from")),
            _us(selection.asks.get("to")),
        )

    def params(self, market: LiveState) -> dict[str, str | int]:
        """Return what the API is asked with; of a pair that is watched what it has to do with, too."""
        asked: dict[str, str | int | None] = {
            "pair" if self.subject in (market.pairs or ()) else "subject": self.subject,
            "rule": self.rule,
            "state": self.state if self.state in _OF_INCIDENTS else None,
            "acked": "true" if self.state == "acknowledged" else None,
            "snoozed": None if self.snoozed is None else str(self.snoozed).lower(),
            "start": self.start_us,
            "end": self.end_us,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def includes(self, alert: Incident, now_us: int) -> bool:
        """Return whether the API would list an alert at `now_us`."""
        return (
            self.subject in (None, alert.subject, alert.pair)
            and self.rule in (None, alert.rule)
            and (
                self.state in ("all", alert.state)
                or (self.state == "acknowledged" and alert.acked_us is not None)
            )
            and self.snoozed in (None, (alert.snoozed_until_us or 0) > now_us)
            and (self.start_us is None or alert.event_us >= self.start_us)
            and (self.end_us is None or alert.event_us < self.end_us)
        )

    def nothing(self, zone: str) -> str:
        """Return why there is no row."""
        kind = "" if self.state == "all" else f"{self.state} "
        said = f"No {kind}alert" + (f" of {self.subject}" if self.subject else "")
        said += f" by {self.rule}" if self.rule else ""
        said += {None: "", True: " that is snoozed", False: " that is not snoozed"}[self.snoozed]
        if self.start_us is not None:
            said += f" since {moment(self.start_us, zone)}"
        if self.end_us is not None:
            said += f" before {moment(self.end_us, zone)}"
        if self == HistoryFilter():
            return f"{said} so far. One fires when |z| of a pair reaches its entry threshold."
        return f"{said}."


def table() -> Component:
    """Return the table, without alerts."""
    return components.table(
        "alerts-table", COLUMNS, "No alert.", tooltipShowDelay=300, suppressColumnVirtualisation=True
    )


def reading(site: PageContext, wanted: HistoryFilter) -> PolledAnswer[Listing[Incident]]:
    """Return the newest page for a filter; sessions with the same filter share it."""

    async def ask() -> Listing[Incident]:
        return await page(site, wanted)

    key = ("alerts-page", wanted)
    known = site.readings.get(key, ask, READ_EVERY_S)
    return known if known.error is None else site.readings.get(key, ask, RETRY_EVERY_S)


async def page(site: PageContext, wanted: HistoryFilter, cursor: str | None = None) -> Listing[Incident]:
    """Read one page, the newest first, or the one after `cursor`."""
    params: dict[str, str | int] = {**wanted.params(site.market), "limit": PAGE_ROWS}
    if cursor is not None:
        params["cursor"] = cursor
    return await site.client.read(PATH, Listing[Incident], **params)


def csv(wanted: HistoryFilter, market: LiveState) -> str:
    """Return the link to everything that is wanted."""
    return downloads.link(PATH, **wanted.params(market), limit=CSV_ROWS)


def rows(incidents: Iterable[Incident]) -> list[Row]:
    """Return a row for each incident; times in milliseconds."""
    return [
        {
            "id": one.alert_id,
            "time": one.event_us // 1000,
            "end": _ms(one.end_us),
            "subject": one.subject,
            "href": wording.subject_href(one),
            "at_href": None if one.pair is None else wording.moment_href(one.pair, one.event_us),
            "rule": one.rule,
            "rule_href": wording.rule_href(one),
            "judged": _judged(one),
            "note": one.note,
            "state": one.state,
            "is_open": one.state in OPENING,
            "metric": one.metric,
            "value": wording.number_of(one),
            "peak": one.peak,
            "threshold": one.threshold,
            "lasted": one.duration_s,
            "message": _message(one),
            **_handling(one),
            "text": {
                "value": wording.measured(one),
                "peak": NONE
                if one.peak is None
                else wording.measured(replace(one, values={}, value=one.peak)),
                "threshold": NONE if one.threshold is None else threshold(one.threshold),
                "lasted": NONE if one.duration_s is None else lasted(one.duration_s),
            },
        }
        for one in incidents
    ]


def live(alarms: AlertState, listed: Sequence[Incident], wanted: HistoryFilter, now_us: int) -> list[Row]:
    """Return rows of what the stream has changed since `listed` was read.

    ``is_gone`` are those that the filter no longer includes, ``is_old`` parts of rows that only change one that is
    shown.
    """
    before = {one.alert_id: one for one in listed}
    known = incidents.as_of_now(alarms, listed)
    changed = [one for name, one in known.items() if one != before.get(name)]
    shown = rows(one for one in changed if wanted.includes(one, now_us))
    gone = [{"id": one.alert_id, "is_gone": True} for one in changed if not wanted.includes(one, now_us)]
    old = [
        {"id": name, "is_old": True, **_handling(alert), **(_RETRACTED if alert.retracted_by else {})}
        for name, alert in alarms.handled.items()
        if name not in known
    ]
    return [*shown, *gone, *old]


_RETRACTED = {"state": "retracted", "is_open": False}


def _handling(alert: AnyAlert) -> Row:
    return {
        "acked": _ms(alert.acked_us),
        "by": alert.acked_by,
        "until": _ms(alert.snoozed_until_us),
        # The table draws a cell again when its value has changed.
        "handling": f"{alert.acked_us} {alert.snoozed_until_us} {alert.retracted_by} {alert.state}",
    }


def _judged(one: Incident) -> str:
    """Return who has called it a false alarm, and why; empty if nobody has."""
    return "" if one.false_us is None else ": ".join(part for part in (one.false_by, one.note) if part)


def _message(alert: Incident) -> str:
    # First what is to be seen where the column is narrow.
    is_firing = alert.state == "firing"
    reversion = actions.reversion_words(alert) if is_firing else ""
    told = actions.message(alert).removeprefix(f"{alert.subject}: ")
    before = "".join(f"{part}; " for part in (wording.rule_words(alert), reversion) if part)
    parts = (f"{before}{told}", actions.leg_ages(alert))
    said = ", ".join(part for part in parts if part)
    return f"Retracted: {said}. {actions.RETRACTED}" if alert.retracted_by else said


def _ms(us: int | None) -> int | None:
    return None if us is None else us // 1000


def _us(ms: Any) -> int | None:
    return ms * 1000 if isinstance(ms, int) and not isinstance(ms, bool) else None
