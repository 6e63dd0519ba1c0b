"""End of what the rule of every pair has told of pairs that are no more: its worker has forgotten them."""

from collections.abc import Sequence

from services.alerting.states import States
from services.contracts.alert_messages import DEFAULT_RULE, DEFAULT_RULE_ID, ZSCORE
from services.contracts.messages import Alert


async def ended(states: States, pairs: Sequence[str]) -> list[Alert]:
    """Return the end of what still fires of these pairs; the same end always has the same id."""
    return [
        Alert(
            alert_id=f"{DEFAULT_RULE_ID}:{pair}:{event_us}:ended",
            rule_id=DEFAULT_RULE_ID,
            pair=pair,
            event_us=event_us + 1,
            state="ended",
            message=f"{pair}: the pair was removed",
            rule=DEFAULT_RULE,
            metric=ZSCORE,
            subject=pair,
        )
        for pair, event_us in await states.firing(DEFAULT_RULE, pairs)
    ]
