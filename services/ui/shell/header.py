"""Header values of all pages: feed name, connection, clock, notices, services."""

from services.ui.shell.notices import banner, firing, notices, strip
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import Props, Selection
from services.ui.widgets.formatting import NONE, moment

NAME = "pairstream"
FEEDS = {
    "live": ("LIVE", "Trades as the exchange reports them, now."),
    "replay": ("REPLAY", "Recorded trades, played again. Times are those of the recording, not of now."),
    "synthetic": (
        "SYNTHETIC",
        "Trades from a seeded generator, not a market. For trying things out only.",
    ),
}
NO_FEED = ("NO FEED", "The feed is not known yet.")


def frame(market: LiveState, selection: Selection, now: Now) -> Props:
    """Return the properties of the shell around the pages."""
    found, alerts = notices(market, now), firing(market, selection.zone, now)
    label, meaning = FEEDS.get(market.feed or "", NO_FEED)
    newest = max((seen.message.event_us for seen in market.ticks.values()), default=None)
    link = "Connected" if market.connected else "Reconnecting" if market.connected_before else "Connecting"
    return {
        "feed-badge": {"children": label, "className": f"feed is-{market.feed or 'none'}"},
        "feed-tip": {"children": meaning},
        "connection-state": {"children": link, "className": f"link is-{link.lower()}"},
        "clock": {"children": NONE if newest is None else moment(newest, selection.zone)},
        "banner": {"children": banner(found), "className": "banner is-shown" if found else "banner"},
        "firing": {"children": alerts, "className": "firing is-shown" if alerts else "firing"},
        "services": {"children": strip(market)},
    }


def title(about: str | None) -> str:
    """Return the tab's title: the most urgent notice is legible even when the tab is not in front."""
    return NAME if about is None else f"{about} · {NAME}"
