"""Rules as rows of a table: what each measures, of what, and how often it fired in the last day."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from services.common import clock
from services.contracts.conditions import Condition
from services.contracts.rules import Rule
from services.ui.api.client import ApiClient
from services.ui.api.types import HandledAlert, Listing
from services.ui.state.page_context import PageContext
from services.ui.widgets.batched_elements import Row
from services.ui.widgets.formatting import plain

PATH = "/v1/rules"
TABLE = "rules-table"
READ_EVERY_S = 5.0
COUNTED_EVERY_S = 30.0
COUNTED = 1_000
DAY_US = 24 * clock.HOUR

COLUMNS: list[dict[str, Any]] = [
    {"field": "name", "headerName": "Name", "width": 130, "tooltipField": "id"},
    {"field": "what", "headerName": "What", "flex": 1, "minWidth": 190, "tooltipField": "what"},
    {"field": "scope", "headerName": "Scope", "width": 96, "tooltipField": "scope"},
    {"field": "severity", "headerName": "Severity", "width": 78},
    {"field": "origin", "headerName": "Origin", "width": 72},
    {"field": "state", "headerName": "State", "width": 66, "tooltipField": "warnings"},
    {
        "field": "fired",
        "headerName": "Fired, 1 d",
        "headerTooltip": "How often it fired in the last day",
        "width": 82,
        "type": "rightAligned",
        "valueFormatter": {"function": "params.data.text"},
    },
]


class ListedRule(Rule, frozen=True, kw_only=True, omit_defaults=True):
    """A rule as the API lists it."""

    built_in: bool = False
    warnings: tuple[str, ...] = ()

    def stored(self) -> dict[str, Any]:
        """Return the rule as the API takes it, without what has its default, and whether it is built in."""
        own = set(Rule.__struct_fields__) - {
            one.name for one in msgspec.structs.fields(Rule) if getattr(self, one.name) == one.default
        }
        rule = {name: one for name, one in msgspec.to_builtins(self).items() if name in own}
        return {"rule": rule, "built_in": self.built_in}


class Fired(msgspec.Struct, frozen=True):
    """How often each rule fired; `is_whole` unless only the newest were counted."""

    counts: Mapping[str, int]
    is_whole: bool


def newest_us(site: PageContext) -> int:
    """Return the end of the newest signal, which a replay has in the past; now without one."""
    seen = [one.message.event_us for one in site.market.signals.values()]
    return max(seen) + 1 if seen else site.now().us


async def read(client: ApiClient) -> tuple[ListedRule, ...]:
    """Return every rule."""
    return (await client.read(PATH, Listing[ListedRule])).data


async def count(client: ApiClient, end_us: int) -> Fired:
    """Count what fired in the day before `end_us`, and holds."""
    asked = {"state": "firing", "start": end_us - DAY_US, "end": end_us, "limit": COUNTED}
    found = await client.read("/v1/alerts", Listing[HandledAlert], **asked)
    counts = Counter(alert.rule for alert in found.data if alert.retracted_by is None)
    return Fired(counts, found.next_cursor is None)


def rows(rules: tuple[ListedRule, ...], fired: Fired | None, snoozed: Collection[str] = ()) -> dict[str, Row]:
    """Return a row for each rule, by its id; `snoozed` are the ids of those that nobody is notified of."""
    return {rule.id: _row(rule, fired, rule.id in snoozed) for rule in rules}


def what(rule: Rule) -> str:
    """Return when a rule fires, in words."""
    told = f" {'and' if rule.match == 'all' else 'or'} ".join(_condition(one) for one in rule.conditions)
    return told + (f" for {plain(rule.for_s)} s" if rule.for_s else "")


def _condition(one: Condition) -> str:
    fire, _, low, _ = one.levels
    level = f"{plain(low)} to {plain(fire)}" if one.operator in ("outside", "inside") else plain(fire)
    unit = " %" if one.percent else ""
    over = f" over {plain(one.over_s)} s" if one.over_s else ""
    return f"{one.metric} {one.operator.replace('_', ' ')} {level}{unit}{over}"


def _row(rule: ListedRule, fired: Fired | None, is_snoozed: bool) -> Row:
    times = None if fired is None else fired.counts.get(rule.id, 0)
    text = "" if times is None else str(times)
    return {
        "id": rule.id,
        "name": rule.name,
        "what": what(rule),
        "scope": ", ".join(rule.scope),
        "severity": rule.severity,
        "origin": "built-in" if rule.built_in else "own",
        "state": _state(rule, is_snoozed),
        "warnings": " ".join(rule.warnings),
        "fired": times,
        "text": text if fired is None or fired.is_whole else f"≥ {text}",
    }


def _state(rule: ListedRule, is_snoozed: bool) -> str:
    if rule.paused:
        return "paused"
    if is_snoozed:
        return "snoozed"
    return "warning" if rule.warnings else "on"
