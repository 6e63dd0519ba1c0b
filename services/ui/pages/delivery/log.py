"""Log of deliveries: its filter, its rows, and why each did not arrive."""

from dataclasses import dataclass
from typing import Any

from services.ui.api.client import ApiClient
from services.ui.api.types import Delivery, Listing
from services.ui.state.page_context import Selection
from services.ui.widgets.batched_elements import Row
from services.ui.widgets.components import TIME_COLUMN

PATH = "/v1/deliveries"
TABLE = "deliveries-table"
SHOWN = 200
CSV_ROWS = 1_000_000
STATES = ("all", "waiting", "failed", "delivered", "dead", "skipped")
COLUMNS: list[dict[str, Any]] = [
    {"field": "made", "headerName": "Made", "sort": "desc", **TIME_COLUMN, "width": 140},
    {"field": "target", "headerName": "Target", "width": 100},
    {"field": "state", "headerName": "State", "width": 80},
    {"field": "why", "headerName": "Why", "flex": 1, "minWidth": 140, "tooltipField": "why"},
    {"field": "tries", "headerName": "Tries", "width": 62, "type": "rightAligned"},
    {"field": "next", "headerName": "Next try", **TIME_COLUMN, "width": 140},
    {"field": "title", "headerName": "Alert", "flex": 1, "minWidth": 140, "tooltipField": "title"},
    {"field": "kind", "headerName": "Tells of", "width": 84},
    {"field": "ended", "headerName": "Ended", **TIME_COLUMN, "width": 140},
    {"field": "took", "headerName": "Took, ms", "width": 78, "type": "rightAligned"},
]


@dataclass(frozen=True)
class LogFilter:
    """Filter of the log; `alert` is one that a delivery tells of, times are microseconds since the epoch."""

    target: str | None = None
    state: str | None = None
    alert: str | None = None
    start_us: int | None = None
    end_us: int | None = None

    @classmethod
    def read(cls, selection: Selection) -> "LogFilter":
        """Read what the page's controls say; times are milliseconds there."""
        state = selection.one_of("state", STATES, "all")
        start, end = (selection.asks.get(name) for name in ("from", "to"))
        return cls(
            selection.text("target"),
            None if state == "all" else state,
            selection.text("alert"),
            start * 1000 if isinstance(start, int) else None,
            end * 1000 if isinstance(end, int) else None,
        )

    def params(self) -> dict[str, Any]:
        """Return what the API is asked with."""
        asked = {
            "target": self.target,
            "state": self.state,
            "alert": self.alert,
            "start": self.start_us,
            "end": self.end_us,
        }
        return {name: one for name, one in asked.items() if one is not None}


async def read(client: ApiClient, wanted: LogFilter) -> tuple[Delivery, ...]:
    """Return the newest deliveries that are wanted."""
    return (await client.read(PATH, Listing[Delivery], **wanted.params(), limit=SHOWN)).data


def rows(deliveries: tuple[Delivery, ...]) -> dict[str, Row]:
    """Return a row for each delivery, by its id; times in milliseconds."""
    return {one.delivery_id: _row(one) for one in deliveries}


def _row(one: Delivery) -> Row:
    status = "" if one.status is None else f"status {one.status}"
    return {
        "id": one.delivery_id,
        "made": one.made_us // 1000,
        "target": one.target,
        "state": one.state,
        "kind": one.kind.replace("_", " "),
        "title": one.title,
        "why": "" if one.state == "delivered" else one.reason or status,
        "tries": one.tries,
        "next": _ms(one.next_us),
        "ended": _ms(one.ended_us),
        "took": one.took_ms,
    }


def _ms(us: int | None) -> int | None:
    return None if us is None else us // 1000
