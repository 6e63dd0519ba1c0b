"""State of one rule and subject, and the moves from one state to the next."""

from typing import Literal, NamedTuple

from msgspec import Struct

from services.contracts.alert_messages import AlertState
from services.rules.observation import Observation

Phase = Literal["normal", "pending", "open", "recovering", "ended"]
Kind = Literal["firing", "no_data", "error"]


class State(Struct, frozen=True, gc=False, array_like=True, omit_defaults=True):
    """State of one rule and subject; that of a new one has all defaults.

    An incident is of one `kind`. It is `pending` since `since_us`, when its ``incident_us`` begins, then `open` since
    `opened_us`, and `recovering` while it is clear and has not ended yet; `count` is of seconds in a row.
    """

    phase: Phase = "normal"
    kind: Kind = "firing"
    since_us: int = 0
    opened_us: int = 0
    count: int = 0
    cool_until_us: int = 0

    @property
    def is_open(self) -> bool:
        """Tell whether an incident is open: it fires, or there is no data or an error."""
        return self.phase in ("open", "recovering")

    @property
    def name(self) -> str:
        """Return what people call the state."""
        return self.kind if self.phase == "open" else self.phase


class Past(NamedTuple):
    """What is known of a subject before an observation: when it was first seen, and last usable."""

    first_us: int
    usable_us: int


class Move(Struct, frozen=True, array_like=True, omit_defaults=True):
    """One transition of a rule and subject; `seen` is the observation that caused it."""

    state: AlertState
    event_us: int
    incident_us: int
    seen: Observation
    measured: dict[str, float] = {}
    """What was measured, by the name it has in alerts."""
    duration_us: int | None = None
    reason: str | None = None
    suffix: str = ""
    """Tells it from one of the same name that was retracted."""
