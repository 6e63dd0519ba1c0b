"""Silences: alerts that match are not notified of until an end."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Annotated

from msgspec import Meta, Struct

from services.contracts.alert_messages import Alert
from services.contracts.fields import Id, Microseconds, Name, WrongFieldError

FIELDS = ("rule", "subject", "pair", "metric", "severity")
_LABEL = "labels."
MATCHED = f"{', '.join(FIELDS)}, {_LABEL}x"
"""What matchers may name, in words."""


class Silence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A silence: alerts of which every matcher matches are not notified of; compacted topic ``silences``, key: id.

    A matcher is a field of alerts, or ``labels.`` and the name of a label, with a pattern of `*` and `?`. A message
    without a value ends the silence.
    """

    id: Annotated[Name, Meta(description="Names it.", examples=["maintenance"])]
    matchers: Annotated[
        dict[Name, Id],
        Meta(
            min_length=1,
            max_length=16,
            description=f"Patterns by field: {MATCHED}.",
            examples=[{"subject": "ETHUSDT-*"}],
        ),
    ]
    start_us: Annotated[Microseconds, Meta(description="From when on.")] = 0
    end_us: Annotated[Microseconds, Meta(description="Until before when.")]
    by: Annotated[Name, Meta(description="Who has asked for it: the name of a key.", examples=["desk"])] = ""
    comment: Annotated[Id, Meta(description="Why.")] = ""

    def __post_init__(self) -> None:
        """Refuse unknown matchers, and one that ends before it begins (ValueError)."""
        require_matchers(self.matchers)
        if self.end_us <= self.start_us:
            raise WrongFieldError("end_us", f"a time after start_us {self.start_us}", self.end_us)

    def matches(self, alert: Alert) -> bool:
        """Tell whether it is of an alert, whenever."""
        return mismatch(self.matchers, alert) is None

    def is_active(self, now_us: int) -> bool:
        """Tell whether it holds at a time."""
        return self.start_us <= now_us < self.end_us


def require_matchers(matchers: Iterable[str], field: str = "matchers") -> None:
    """Refuse a name that no field of alerts has (ValueError)."""
    for name in matchers:
        if name not in FIELDS and not (name.startswith(_LABEL) and len(name) > len(_LABEL)):
            raise WrongFieldError(field, f"one of {', '.join(FIELDS)} or {_LABEL}x", repr(name))


def mismatch(matchers: Mapping[str, str], alert: Alert) -> tuple[str, str, str] | None:
    """Return the first field whose pattern does not match, the pattern and the value; None if all match."""
    for name, pattern in matchers.items():
        if not fnmatchcase(value := value_of(alert, name), pattern):
            return name, pattern, value
    return None


def value_of(alert: Alert, name: str) -> str:
    """Return the value of a field, or of a label, as matchers name it; empty if there is none."""
    if name.startswith(_LABEL):
        return alert.labels.get(name.removeprefix(_LABEL), "")
    return getattr(alert, name) or ""
