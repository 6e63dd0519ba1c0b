"""Frames on the wire; their form depends on how the client has connected."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

Frame = str | bytes


class Frames(NamedTuple):
    """The same event as a combined connection gets it, with its stream's name, and as a raw one does."""

    combined: Frame
    raw: Frame


def frames(stream: str, payload: Mapping[str, Any]) -> Frames:
    """Return the frames of a payload."""
    raw = json.dumps(payload, separators=(",", ":"))
    return Frames(f'{{"stream":"{stream}","data":{raw}}}', raw)


def trade_stream(symbol: str) -> str:
    """Return the name of a symbol's stream of aggregated trades."""
    return f"{symbol.lower()}@aggTrade"
