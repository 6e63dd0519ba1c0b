"""Event of a radar: a pair is confirmed, or is so no longer."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from services.contracts.fields import Id, Microseconds, Name, PairName, Share

RadarEventKind = Literal["confirmed", "ended"]


class RadarEvent(Struct, frozen=True, kw_only=True):
    """A pair that a standing scan has confirmed, or confirms no longer; topic ``radar``, key: pair.

    Unique by ``event_id``. ``at_us`` is the end of the history that tells it, ``confirmed_us`` that of the first scan
    that confirmed the pair. Numbers are those of the last scan that did.
    """

    event_id: Id
    radar: Name
    kind: Annotated[RadarEventKind, Meta(description="What has happened.", examples=["confirmed"])]
    pair: PairName
    at_us: Microseconds
    confirmed_us: Microseconds
    p_value: Share
    hedge_ratio: float | None = None
    half_life_bars: float | None = None
    spread_bp: float | None = None
    reason: Annotated[
        str | None,
        Meta(description="Why it is confirmed no longer.", examples=["p = 0.3 in the part held out"]),
    ] = None
