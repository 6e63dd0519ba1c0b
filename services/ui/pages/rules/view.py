"""View of the rules page in one session."""

from functools import partial
from typing import Any

from services.contracts.silences import Silence
from services.ui.api.poll_cache import PolledAnswer
from services.ui.charts import updates
from services.ui.pages.rules import listing, silences
from services.ui.pages.rules.layout import EVERY_PAIR
from services.ui.pages.rules.listing import ListedRule
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Props, Selection, View
from services.ui.widgets import batched_elements
from services.ui.widgets.batched_elements import Row
from services.ui.widgets.formatting import moment


def rules(site: PageContext, every_s: float = listing.READ_EVERY_S) -> PolledAnswer[tuple[ListedRule, ...]]:
    """Return every rule, as all sessions share them."""
    return site.readings.get((listing.PATH,), partial(listing.read, site.client), every_s)


def silent(site: PageContext, every_s: float = listing.READ_EVERY_S) -> PolledAnswer[tuple[Silence, ...]]:
    """Return every silence, as all sessions share them."""
    return site.readings.get((silences.PATH,), partial(silences.read, site.client), every_s)


class RulesView(View):
    """Every rule with how often it fired, and every silence."""

    def __init__(self, site: PageContext, mark: Any = None) -> None:
        super().__init__(site, mark)
        self._rules: dict[str, Row] = {}
        self._silences: dict[str, Row] = {}

    def step(self, selection: Selection, now: Now) -> Props:
        """Return what the page shows now."""
        known = rules(self.site)
        if known.value is None:
            why = f"The rules cannot be read: {known.error}" if known.error else "Reading…"
            return updates.empty("rules-empty", why)
        end_us = listing.newest_us(self.site)
        count = partial(listing.count, self.site.client, end_us)
        fired = self.site.readings.get(("rules-fired",), count, listing.COUNTED_EVERY_S)
        quiet = silent(self.site)
        snoozed = {one.id for one in known.value if _snoozes(quiet.value or (), one.id, now.us)}
        before, self._rules = self._rules, listing.rows(known.value, fired.value, snoozed)
        was, self._silences = self._silences, silences.rows(quiet.value or (), now.us)
        unknown = f"The silences cannot be read: {quiet.error}" if quiet.error else "Reading…"
        return {
            **updates.empty("rules-empty", ""),
            **updates.empty("silences-empty", unknown if quiet.value is None else ""),
            **batched_elements.changes(listing.TABLE, before, self._rules),
            **batched_elements.changes(silences.TABLE, was, self._silences),
            "rule-snoozed": {"children": self._snoozed(quiet.value or (), selection, now.us)},
            "rule-pair": {
                "data": [{"value": "", "label": EVERY_PAIR}, *sorted(self.site.market.pairs or ())]
            },
            "silence-pattern": {"data": sorted({*self._rules, *(self.site.market.pairs or ())})},
        }

    def _snoozed(self, quiet: tuple[Silence, ...], selection: Selection, now_us: int) -> str:
        held = _snoozes(quiet, selection.text("rule") or "", now_us)
        if not held:
            return ""
        return f"Snoozed until {moment(max(one.end_us for one in held), selection.zone)}."


def _snoozes(quiet: tuple[Silence, ...], rule_id: str, now_us: int) -> list[Silence]:
    return [one for one in quiet if silences.is_snooze(one, rule_id) and one.is_active(now_us)]
