"""Page context: what a page is, what its session has selected, and what is to be shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeVar

from dash import Dash
from dash.development.base_component import Component

from services.ui.api.client import ApiClient
from services.ui.api.poll_cache import PollCache
from services.ui.series.cache import SeriesCache
from services.ui.state.live_state import LiveState, Now
from services.ui.widgets.formatting import UTC

Props = dict[str, dict[str, Any]]
"""Component id to the properties it should have."""

T = TypeVar("T")


@dataclass(frozen=True)
class Selection:
    """Selection in one browser tab, as its script reports it.

    ``tab`` tells tabs apart, ``opened`` one opening of a page from the next, ``zone`` is an IANA time zone,
    ``asks`` is what the page's own controls say, and ``polled`` changes when an answer to a poll has been shown.
    """

    tab: str
    page: str
    opened: int = 0
    zone: str = UTC
    asks: Mapping[str, Any] = field(default_factory=dict)
    polled: Any = None

    @classmethod
    def read(cls, store: Any) -> "Selection | None":
        """Read the tab's store; None while the page has not filled it, defaults for impossible values."""
        if not isinstance(store, dict) or not store.get("tab") or not store.get("page"):
            return None
        asks, opened = store.get("asks"), store.get("opened")
        return cls(
            tab=str(store["tab"]),
            page=str(store["page"]),
            opened=opened if isinstance(opened, int) else 0,
            zone=str(store.get("zone") or UTC),
            asks=asks if isinstance(asks, dict) else {},
            polled=store.get("polled"),
        )

    @property
    def is_read(self) -> bool:
        """Tell whether the page has reported what its address asked for when it was opened."""
        return isinstance(self.asks.get("address"), dict)

    def opened_with(self, name: str) -> str | None:
        """Return what a control says or, before it says anything, the address; None if that says nothing either."""
        address = self.asks["address"].get(name) if self.is_read else None
        return self.text(name) or (address if isinstance(address, str) and address else None)

    def text(self, name: str) -> str | None:
        """Return what a control says, None if it says nothing."""
        value = self.asks.get(name)
        return value if isinstance(value, str) and value else None

    def one_of(self, name: str, allowed: tuple[T, ...], otherwise: T) -> T:
        """Return what a control says if it is `allowed`."""
        value = self.asks.get(name)
        return value if value in allowed else otherwise


@dataclass(frozen=True)
class PageContext:
    """Context of every page: the live state, the series cache, the poll cache, and the client of the API.

    ``readings`` are answers that are read again now and then; ``brokers`` are for programs, the dashboard asks none.
    """

    market: LiveState
    tracks: SeriesCache
    client: ApiClient
    now: Callable[[], Now]
    readings: PollCache = field(default_factory=PollCache)
    brokers: str = "127.0.0.1:9092"


class View:
    """View of a page in one session: made when the page is opened, and when a new stream resumes an open page."""

    cleared: ClassVar[tuple[str, ...]] = ()
    """Components whose text and class the page's own script changes when another thing is chosen on it."""

    def __init__(self, site: PageContext, mark: Any = None) -> None:
        """`mark` is what an earlier view of the same opening had reached, None for a new one."""
        self.site = site
        self.mark: Any = mark
        """Position of the page, in JSON: a new stream continues there."""
        self.title: str | None = None
        """Return the tab's title, None for the page's name."""
        self.dropped: dict[str, int] = {}
        """Chart id to how many points left its left end in the last step."""

    def step(self, selection: Selection, now: Now) -> Props:
        """Return what the page shows now; only what differs from the last step is sent."""
        return {}


@dataclass(frozen=True)
class Page:
    """A page of the dashboard: where it is, how it begins, what brings it up to date, and its own callbacks.

    One that is not `in_menu` has no header either.
    """

    name: str
    path: str
    title: str
    layout: Callable[[], Component]
    view: type[View] = View
    register: Callable[[Dash, PageContext], None] = lambda _app, _site: None
    in_menu: bool = True
    """Whether the menu names it; one that it does not name is reached from the pages that it belongs to."""


def attributes(prefix: Literal["aria", "data"], **values: str) -> dict[str, Any]:
    """Return ``aria-...`` or ``data-...`` attributes of a component.

    >>> attributes("aria", label="Services")
    {'aria-label': 'Services'}
    """
    return {f"{prefix}-{name}": value for name, value in values.items()}
