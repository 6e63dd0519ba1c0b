"""What a tab looks at, and what is to be shown on it."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

Leg = Literal["y", "x"]
Interval = Literal["1s", "1m", "5m", "1h"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)

Props = dict[str, dict[str, Any]]
"""Component id to the properties it should have."""


@dataclass(frozen=True)
class Selection:
    """The choices of one tab; ``tab`` tells tabs apart, ``pair`` is None until one is chosen."""

    tab: str
    pair: str | None
    leg: Leg
    interval: Interval

    @classmethod
    def read(cls, store: Any) -> "Selection | None":
        """Read the page's store; None while the page has not filled it, defaults for what it cannot mean."""
        if not isinstance(store, dict) or not store.get("tab"):
            return None
        interval = store.get("interval")
        return cls(
            tab=str(store["tab"]),
            pair=str(store["pair"]) if store.get("pair") else None,
            leg="x" if store.get("leg") == "x" else "y",
            interval=interval if interval in INTERVALS else "1m",
        )


def attributes(prefix: Literal["aria", "data"], **values: str) -> dict[str, Any]:
    """Return ``aria-...`` or ``data-...`` attributes of a component.

    >>> attributes("aria", label="Services")
    {'aria-label': 'Services'}
    """
    return {f"{prefix}-{name}": value for name, value in values.items()}
