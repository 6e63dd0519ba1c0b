"""Rules that are there from the beginning: of the tape and of the services' health."""

from collections.abc import Mapping

from services.contracts.conditions import Condition
from services.contracts.messages import Rule

FEED_STALE = "built-in.feed-stale"

_ALL = (
    Rule(
        id=FEED_STALE,
        name="Feed stale",
        conditions=(Condition(metric="stream_stale", operator="above", fire=1.0),),
        severity="critical",
        message="{subject}: {name}, {state}: its stream is silent though its connection lives",
    ),
    Rule(
        id="built-in.gap",
        name="Gap in the tape",
        conditions=(Condition(metric="missing_trades", operator="above", fire=1.0, clear=0.0),),
        for_s=60.0,
        message="{subject}: {name}, {state}: {missing_trades:.0f} trades are missing",
    ),
    Rule(
        id="built-in.service-silent",
        name="Service silent",
        conditions=(Condition(metric="silent_s", operator="above", fire=15.0, clear=5.0),),
        severity="critical",
        message="{subject}: {name}, {state}: no heartbeat for {silent_s:.0f} s",
    ),
    Rule(
        id="built-in.messages-lost",
        name="Messages lost",
        conditions=(Condition(metric="lost_messages", operator="changes_by", fire=1.0, over_s=60.0),),
        severity="critical",
        message="{subject}: {name}, {state}: {value:.0f} more within a minute",
    ),
    Rule(
        id="built-in.disk",
        name="Disk nearly full",
        conditions=(Condition(metric="disk_free", operator="below", fire=0.05, clear=0.1),),
        severity="critical",
        message="{subject}: {name}, {state}: {disk_free:.1%} free",
    ),
)
BUILT_IN: Mapping[str, Rule] = {rule.id: rule for rule in _ALL}
"""By id. One that somebody has written under the same id is in its place."""


def effective(written: Mapping[str, Rule]) -> dict[str, Rule]:
    """Return all rules: those that are written, and the built in ones that nobody has changed."""
    return {**BUILT_IN, **written}
