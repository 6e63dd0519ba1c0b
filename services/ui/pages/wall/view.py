"""View of the wall in one session."""

from services.ui.pages.wall.layout import MOST
from services.ui.pages.wall.tiles import Tile, tile, unknown
from services.ui.shell import header
from services.ui.shell.notices import SILENT_S
from services.ui.state import pair_state
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import Props, Selection, View
from services.ui.widgets.formatting import NONE, lasted, moment

MANY = f"The wall has room for {MOST} pairs"


class WallView(View):
    """The pairs that the address names, or the first there are."""

    def step(self, selection: Selection, now: Now) -> Props:
        """Return what the page shows now."""
        market = self.site.market
        states = pair_state.states(market, now)
        asked = _asked(selection)
        names = (asked or list(states))[:MOST]
        tiles = [
            tile(states[name], selection.zone) if name in states else unknown(name, market.pairs is not None)
            for name in names
        ]
        alerting = sum(one.is_firing for one in tiles)
        self.title = f"{alerting} alerting" if alerting and market.connected else None
        said, level = _said(market, now, bool(names))
        newest = max((seen.message.event_us for seen in market.ticks.values()), default=None)
        label, _ = header.FEEDS.get(market.feed or "", header.NO_FEED)
        props: Props = {
            "wall-all": {"className": f"wall is-{level}"},
            "wall-feed": {"children": label, "className": f"wall-feed feed is-{market.feed or 'none'}"},
            "wall-said": {"children": said},
            "wall-note": {"children": _note(asked, len(states))},
            "wall-clock": {"children": NONE if newest is None else moment(newest, selection.zone)},
            "wall-tiles": {"className": f"wall-tiles of-{len(tiles)}"},
        }
        for place in range(MOST):
            props |= _props(place, tiles[place] if place < len(tiles) else None)
        return props


def _asked(selection: Selection) -> list[str]:
    """Return the pairs of the address, each once."""
    names = (selection.opened_with("pairs") or "").upper().split(",")
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


def _note(asked: list[str], watched: int) -> str:
    if len(asked) > MOST:
        return f"{MANY}: the first {MOST} of the {len(asked)} in the address."
    if not asked and watched > MOST:
        return f"{MANY}: the first {MOST} of {watched}. Name others in the address: /wall?pairs=Y-X,Y-X"
    return ""


def _said(market: LiveState, now: Now, has_pairs: bool) -> tuple[str, str]:
    """Return what is to be known before any number is read, and how urgent that is."""
    if not market.connected:
        if market.connected_before:
            return f"Stream lost for {lasted(int(now.s - market.changed_s))}: last known numbers", "lost"
        return f"Waiting for the API. {market.error or ''}".strip(), "lost"
    if market.is_filling:
        return "Filling: the numbers are of the past", "warned"
    if market.pairs is not None and not has_pairs:
        return "No pair is watched", "warned"
    wrong = [
        service.service
        for service in market.services
        if service.healthy is False and (service.age_s is None or service.age_s > SILENT_S)
    ]
    if wrong:
        return f"No sign of life: {', '.join(wrong)}", "warned"
    if market.degraded:
        return "The stream is degraded: numbers may be old", "warned"
    return "", "live"


def _props(place: int, shown: Tile | None) -> Props:
    if shown is None:
        return {f"wall-{place}": {"className": "wall-tile is-away"}}
    return {
        f"wall-{place}": {
            "className": f"wall-tile is-{shown.level}",
            "style": {"--letters": str(len(shown.name))},
            "aria-label": shown.name,
        },
        f"wall-{place}-name": {"children": shown.name},
        f"wall-{place}-z": {"children": shown.z},
        f"wall-{place}-state": {"children": shown.state},
        f"wall-{place}-note": {"children": shown.note},
        f"wall-{place}-age": {"children": shown.age},
    }
