"""Alert history: its filter, and its rows in the table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from dash.development.base_component import Component

from services.contracts.messages import AlertState
from services.contracts.pairs import is_pair
from services.ui.alerts import actions, wording
from services.ui.alerts.actions import SNOOZES
from services.ui.api import downloads
from services.ui.api.poll_cache import PolledAnswer
from services.ui.api.types import HandledAlert, Listing
from services.ui.state.page_context import PageContext, Selection
from services.ui.widgets import components
from services.ui.widgets.formatting import NONE, moment, threshold

PATH = "/v1/alerts"
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
READ_EVERY_S = 30.0
RETRY_EVERY_S = 2.0

Row = dict[str, Any]

_OF_ALERTS = get_args(AlertState)
_IS_STATE = {
    **{name: f"params.data.state == '{name}'" for name in ("firing", "resolved", "ended")},
    "retracted": "params.data.state == 'retracted'",
    "was-retracted": "params.data.state.endsWith(', retracted')",
}
_INSIDE = {"suppressKeyboardEvent": {"function": "pairstreamInside(params)"}}
COLUMNS: list[dict[str, Any]] = [
    {"field": "time", "headerName": "Time", "sort": "desc", **components.TIME_COLUMN, "width": 140},
    {"field": "subject", "headerName": "Subject", "width": 142, "cellRenderer": "SubjectLink", **_INSIDE},
    {
        "field": "state",
        "headerName": "State",
        "width": 84,
        "cellClassRules": _IS_STATE,
        # The style says of one that was retracted that it does not hold, its message says why.
        "valueFormatter": {"function": "params.value.split(',')[0]"},
    },
    {
        "field": "value",
        "headerName": "Value",
        "width": 72,
        "type": "rightAligned",
        "valueFormatter": {"function": "params.data.text.value"},
        "tooltipValueGetter": {"function": "params.data.metric"},
    },
    {
        "field": "threshold",
        "headerName": "Threshold",
        "width": 78,
        "type": "rightAligned",
        "valueFormatter": {"function": "params.data.text.threshold"},
    },
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
    {"field": "message", "headerName": "Message", "flex": 1, "minWidth": 104, "tooltipField": "message"},
]


@dataclass(frozen=True)
class HistoryFilter:
    """Filter of the alert history; times in microseconds since the epoch, the end is exclusive.

    ``snoozed`` is whether nobody is told of them now, None for both.
    """

    subject: str | None = None
    state: str = "all"
    snoozed: bool | None = None
    start_us: int | None = None
    end_us: int | None = None

    @classmethod
    def read(cls, selection: Selection) -> "HistoryFilter":
        """Read what the page's controls say; times are milliseconds there."""
        return cls(
            selection.text("pair"),
            selection.one_of("state", tuple(STATES), "all"),
            {"yes": True, "no": False}.get(selection.text("snoozed") or ""),
            _us(selection.asks.get("from")),
            _us(selection.asks.get("to")),
        )

    def params(self) -> dict[str, str | int]:
        """Return what the API is asked with."""
        asked: dict[str, str | int | None] = {
            "pair" if is_pair(self.subject or "") else "subject": self.subject,
            "state": self.state if self.state in _OF_ALERTS else None,
            "acked": "true" if self.state == "acknowledged" else None,
            "snoozed": None if self.snoozed is None else str(self.snoozed).lower(),
            "start": self.start_us,
            "end": self.end_us,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def includes(self, alert: HandledAlert, now_us: int) -> bool:
        """Return whether the API would list an alert at `now_us`."""
        return (
            self.subject in (None, alert.subject, alert.pair)
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
    return components.table("alerts-table", COLUMNS, "No alert.", tooltipShowDelay=300)


def reading(site: PageContext, wanted: HistoryFilter) -> PolledAnswer[Listing[HandledAlert]]:
    """Return the newest page for a filter; sessions with the same filter share it."""

    async def ask() -> Listing[HandledAlert]:
        return await page(site, wanted)

    key = ("alerts-page", wanted)
    known = site.readings.get(key, ask, READ_EVERY_S)
    return known if known.error is None else site.readings.get(key, ask, RETRY_EVERY_S)


async def page(site: PageContext, wanted: HistoryFilter, cursor: str | None = None) -> Listing[HandledAlert]:
    """Read one page, the newest first, or the one after `cursor`."""
    params: dict[str, str | int] = {**wanted.params(), "limit": PAGE_ROWS}
    if cursor is not None:
        params["cursor"] = cursor
    return await site.client.read(PATH, Listing[HandledAlert], **params)


def csv(wanted: HistoryFilter) -> str:
    """Return the link to everything that is wanted."""
    return downloads.link(PATH, **wanted.params(), limit=CSV_ROWS)


def rows(alerts: Iterable[HandledAlert]) -> list[Row]:
    """Return a row for each alert; times in milliseconds."""
    return [
        {
            "id": alert.alert_id,
            "time": alert.event_us // 1000,
            "subject": alert.subject,
            "href": wording.subject_href(alert),
            # One that does not hold is none that fires: nothing can be done about it.
            "state": f"{alert.state}, retracted" if alert.retracted_by else alert.state,
            "metric": alert.metric,
            "value": wording.number_of(alert),
            "threshold": alert.threshold,
            "message": _message(alert),
            "acked": _ms(alert.acked_us),
            "by": alert.acked_by,
            "until": _ms(alert.snoozed_until_us),
            # The table draws a cell again when its value has changed.
            "handling": f"{alert.acked_us} {alert.snoozed_until_us} {alert.retracted_by}",
            "text": {
                "value": wording.measured(alert),
                "threshold": NONE if alert.threshold is None else threshold(alert.threshold),
            },
        }
        for alert in alerts
    ]


def live(
    recent: Iterable[HandledAlert], handled: Mapping[str, HandledAlert], wanted: HistoryFilter, now_us: int
) -> list[Row]:
    """Return the rows of what the stream brought; ``is_old`` are those that only change rows that are shown."""
    new = rows(alert for alert in recent if wanted.includes(alert, now_us))
    shown = {row["id"] for row in new}
    old = rows(alert for alert in handled.values() if alert.alert_id not in shown)
    return [*new, *({**row, "is_old": True} for row in old)]


def _message(alert: HandledAlert) -> str:
    # First what is to be seen where the column is narrow.
    is_firing = alert.state == "firing" and not alert.retracted_by
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
