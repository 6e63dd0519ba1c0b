"""Wall: which pairs are on it, and what it says before any number is read."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.ui.api.types import WatchedPair
from services.ui.pages.wall.layout import MOST
from services.ui.pages.wall.view import WallView
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import PageContext, Selection
from tests.unit.ui.answers import update
from tests.unit.ui.conftest import PAIR, START_S, Make


def shown(site: PageContext, now: Now, pairs: str | None = None) -> dict[str, Any]:
    address = {} if pairs is None else {"pairs": pairs}
    return WallView(site).step(Selection("tab", "wall", 1, asks={"address": address}), now)


def texts(props: dict[str, Any], place: int = 0) -> dict[str, str]:
    return {part: props[f"wall-{place}-{part}"]["children"] for part in ("name", "z", "state", "note", "age")}


def test_a_tile_says_z_state_and_age(site: PageContext, signal: Make, now: Now) -> None:
    site.market.apply(update(signals=(signal(START_S, zscore=-0.25, reversion="reverting"),)), now)
    props = shown(site, now)
    assert texts(props) == {
        "name": PAIR,
        "z": "\N{MINUS SIGN}0.25",
        "state": "quiet",
        "note": "reverting, entry ±2",
        "age": "now",
    }
    assert props["wall-0"]["className"] == "wall-tile is-quiet"
    assert props["wall-1"]["className"] == "wall-tile is-away"
    assert props["wall-tiles"]["className"] == "wall-tiles of-1"
    assert props["wall-said"]["children"] == ""


def test_beyond_entry_and_firing_are_told_apart(
    site: PageContext, signal: Make, alert: Make, now: Now
) -> None:
    site.market.apply(update(signals=(signal(START_S, zscore=2.5),)), now)
    assert texts(shown(site, now))["state"] == "beyond entry"
    site.market.apply(update(alerts=(alert(1),)), now)
    fired = shown(site, now)
    assert texts(fired)["state"] == "FIRING since 22:13"
    assert fired["wall-0"]["className"] == "wall-tile is-firing"


def test_stale_is_said_large_with_its_reason(site: PageContext, signal: Make, now: Now) -> None:
    old = signal(START_S, zscore=1.0, quality="stale", reason="BTCUSDT went quiet")
    site.market.apply(update(signals=(old,)), now)
    props = shown(site, now)
    assert (texts(props)["state"], texts(props)["note"], texts(props)["age"]) == (
        "STALE",
        "BTCUSDT went quiet",
        "",
    )
    assert props["wall-0"]["className"] == "wall-tile is-old"


def test_a_lost_stream_is_said_above_all_and_on_every_tile(site: PageContext, now: Now) -> None:
    site.market.link(False, now, "gone")
    props = shown(site, Now(now.us + 65_000_000, now.s + 65))
    assert props["wall-said"]["children"] == "Stream lost for 1 min 5 s: last known numbers"
    assert props["wall-all"]["className"] == "wall is-lost"
    assert (texts(props)["state"], texts(props)["age"]) == ("LAST KNOWN", "1 min ago")


def test_the_address_names_the_pairs_each_once_in_its_order(
    site: PageContext, pair: WatchedPair, now: Now
) -> None:
    site.market.watch([pair, replace(pair, pair="A-B")], [])
    props = shown(site, now, f"a-b, {PAIR},A-B,none-x,")
    assert [texts(props, place)["name"] for place in range(3)] == ["A-B", PAIR, "NONE-X"]
    assert texts(props, 0)["state"] == "no signal yet"
    assert texts(props, 2)["state"] == "not watched"
    assert props["wall-tiles"]["className"] == "wall-tiles of-3"
    assert props["wall-note"]["children"] == ""


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            None,
            "The wall has room for 12 pairs: the first 12 of 15. Name others in the address: /wall?pairs=Y-X,Y-X",
        ),
        (13, "The wall has room for 12 pairs: the first 12 of the 13 in the address."),
        (12, ""),
    ],
)
def test_there_is_room_for_twelve(
    asked: int | None, said: str, site: PageContext, pair: WatchedPair, now: Now
) -> None:
    names = [f"C{number:02}-B" for number in range(15)]
    site.market.watch([replace(pair, pair=name) for name in names], [])
    props = shown(site, now, None if asked is None else ",".join(names[:asked]))
    assert props["wall-note"]["children"] == said
    assert texts(props, MOST - 1)["name"] == "C11-B"


def test_a_wall_without_pairs_says_why(site: PageContext, now: Now) -> None:
    site.market.watch([], [])
    props = shown(site, now)
    assert (props["wall-said"]["children"], props["wall-all"]["className"]) == (
        "No pair is watched",
        "wall is-warned",
    )


def test_a_wall_that_knows_nothing_yet_waits(site: PageContext, now: Now) -> None:
    new = PageContext(LiveState(error="refused"), site.tracks, site.client, site.now)
    props = shown(new, now, PAIR)
    assert props["wall-said"]["children"] == "Waiting for the API. refused"
    assert texts(props)["state"] == "waiting for the API"
