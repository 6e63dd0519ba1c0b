"""Tiles of the wall: a pair's z-score, its state and its age in few words."""

from typing import Literal, NamedTuple

from services.ui.state.pair_state import PairState
from services.ui.widgets.formatting import NONE, age, moment, zscore

Level = Literal["quiet", "beyond", "firing", "old", "none"]


class Tile(NamedTuple):
    """Content of a tile."""

    name: str
    level: Level
    z: str = NONE
    state: str = ""
    note: str = ""
    age: str = ""
    is_firing: bool = False


def unknown(name: str, is_known: bool) -> Tile:
    """Return the tile of a name that is no watched pair, as far as is known."""
    return Tile(name, "none", state="not watched" if is_known else "waiting for the API")


def tile(one: PairState, zone: str) -> Tile:
    """Return the tile of a pair."""
    pair, signal = one.pair, one.signal
    z = NONE if one.zscore is None else zscore(one.zscore, pair.entry_z, pair.exit_z)
    known = [signal.reversion] if signal and signal.reversion and one.condition == "ok" else []
    note = one.reason if one.condition == "stale" else ", ".join([*known, f"entry ±{pair.entry_z:g}"])
    state, level = _state(one, zone)
    # A stale pair has a new signal every second, which says that it is stale.
    is_silent = one.condition == "stale" and (one.age_s or 0.0) <= pair.stale_after_s
    shown_age = "" if one.age_s is None or is_silent else age(one.age_s)
    return Tile(pair.pair, level, z, state, note, shown_age, one.firing is not None)


def _state(one: PairState, zone: str) -> tuple[str, Level]:
    match one.condition:
        case "lost":
            return "LAST KNOWN", "old"
        case "stale":
            return "STALE", "old"
        case "paused":
            return "PAUSED", "old"
        case "waiting" | "collecting":
            return one.reason, "none"
    if one.firing is not None:
        return f"FIRING since {moment(one.firing.event_us, zone)[11:16]}", "firing"
    if one.zscore is not None and abs(one.zscore) >= one.pair.entry_z:
        return "beyond entry", "beyond"
    return "quiet", "quiet"
