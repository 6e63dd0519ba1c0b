"""View of the delivery page in one session."""

from functools import partial
from typing import Any

from services.ui.api import downloads
from services.ui.api.poll_cache import PolledAnswer
from services.ui.api.types import Target
from services.ui.charts import updates
from services.ui.pages.delivery import log, targets
from services.ui.pages.delivery.log import LogFilter
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Props, Selection, View
from services.ui.widgets import batched_elements
from services.ui.widgets.batched_elements import Row

READ_EVERY_S = 3.0
EVERY_TARGET = "All targets"


def known_targets(site: PageContext, every_s: float = READ_EVERY_S) -> PolledAnswer[tuple[Target, ...]]:
    """Return every target, as all sessions share them."""
    return site.readings.get((targets.PATH,), partial(targets.read, site.client), every_s)


class DeliveryView(View):
    """Every target, and the deliveries that are asked for."""

    def __init__(self, site: PageContext, mark: Any = None) -> None:
        super().__init__(site, mark)
        self._targets: dict[str, Row] = {}
        self._log: dict[str, Row] = {}

    def step(self, selection: Selection, now: Now) -> Props:
        """Return what the page shows now."""
        known = known_targets(self.site)
        wanted = LogFilter.read(selection)
        found = self.site.readings.get(
            (log.PATH, wanted), partial(log.read, self.site.client, wanted), READ_EVERY_S
        )
        before, self._targets = self._targets, targets.rows(known.value or ())
        was, self._log = self._log, log.rows(found.value or ())
        names = sorted({*self._targets, *([wanted.target] if wanted.target else [])})
        return {
            **updates.empty("targets-empty", _why(known, "targets")),
            **updates.empty("deliveries-empty", _why(found, "log")),
            **batched_elements.changes(targets.TABLE, before, self._targets),
            **batched_elements.changes(log.TABLE, was, self._log),
            "log-target": {"data": [{"value": "", "label": EVERY_TARGET}, *names]},
            "log-alert": {"children": f"Of the alert {wanted.alert}" if wanted.alert else ""},
            "log-csv": {
                "href": downloads.link(log.PATH, **wanted.params(), format="csv", limit=log.CSV_ROWS)
            },
        }


def _why(reading: PolledAnswer[Any], what: str) -> str:
    if reading.value is not None:
        return ""
    return f"The {what} cannot be read: {reading.error}" if reading.error else "Reading…"
