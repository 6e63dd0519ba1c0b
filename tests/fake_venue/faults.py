"""Faults of the fake venue, one message each: JSON on the control port, structs in a test."""

from typing import Literal, get_args

import msgspec
from msgspec import Struct


class _Fault(Struct, frozen=True, kw_only=True, tag_field="fault"):
    """Base of all."""


class _OfSymbol(_Fault, frozen=True, kw_only=True):
    """On the trades of one symbol, whoever is subscribed; without a symbol, on those of every one."""

    symbol: str | None = None


class Drop(_OfSymbol, frozen=True, kw_only=True, tag="drop"):
    """End the connections that carry the symbol: by a close frame with `code`, or without a word.

    With `half` the last thing sent is the beginning of a frame that promises more.
    """

    code: int | None = None
    half: bool = False


class Silence(_OfSymbol, frozen=True, kw_only=True, tag="silence"):
    """Send nothing more on these streams: until they are subscribed anew, or for `seconds` whatever the client does."""

    seconds: float | None = None


class Skip(_OfSymbol, frozen=True, kw_only=True, tag="skip"):
    """Leave out the next `count` trades on the stream; REST has them."""

    count: int


class Repeat(_OfSymbol, frozen=True, kw_only=True, tag="repeat"):
    """Send the next `count` trades twice."""

    count: int


class Reorder(_OfSymbol, frozen=True, kw_only=True, tag="reorder"):
    """Send the next `count` trades backwards."""

    count: int


Damage = Literal[
    "garbage",
    "half",
    "huge",
    "binary",
    "empty",
    "nested",
    "null",
    "price_zero",
    "price_negative",
    "price_nan",
    "price_1e300",
    "price_number",
    "size_zero",
    "id_text",
    "id_negative",
    "time_text",
    "time_future",
    "maker_number",
    "no_price",
    "no_id",
    "no_time",
    "no_event",
    "other_symbol",
]
DAMAGES: tuple[Damage, ...] = get_args(Damage)


class Mangle(_OfSymbol, frozen=True, kw_only=True, tag="mangle"):
    """Send the next `count` trades damaged, all that follow if it is None; REST has them whole."""

    damage: Damage
    count: int | None = 1


class Decorate(_OfSymbol, frozen=True, kw_only=True, tag="decorate"):
    """Send the next `count` trades with fields nobody has heard of."""

    count: int


class Jump(_OfSymbol, frozen=True, kw_only=True, tag="jump"):
    """Never issue the next `count` ids: not on the stream, and REST does not have them either."""

    count: int


class Refuse(_Fault, frozen=True, kw_only=True, tag="refuse"):
    """Refuse every new TCP connection for a while; those that are open stay."""

    seconds: float


class RefuseUpgrade(_Fault, frozen=True, kw_only=True, tag="refuse_upgrade"):
    """Answer the next `count` WebSocket handshakes with an HTTP status."""

    status: int
    count: int = 1
    retry_after_s: int | None = None


class Deaf(_Fault, frozen=True, kw_only=True, tag="deaf"):
    """Read nothing more on the open connections, pings included; what is to be sent still is."""


class Rest(_Fault, frozen=True, kw_only=True, tag="rest"):
    """Answer the next `count` REST requests after `delay_s`, with another status, or with garbage."""

    status: int = 200
    count: int = 1
    retry_after_s: int | None = None
    delay_s: float = 0.0
    garbage: bool = False


class Slow(_Fault, frozen=True, kw_only=True, tag="slow"):
    """Send every frame `delay_s` late from now on."""

    delay_s: float


class Calm(_Fault, frozen=True, kw_only=True, tag="calm"):
    """Be a good venue again."""


Fault = (
    Drop
    | Silence
    | Skip
    | Repeat
    | Reorder
    | Mangle
    | Decorate
    | Jump
    | Refuse
    | RefuseUpgrade
    | Deaf
    | Rest
    | Slow
    | Calm
)

decode = msgspec.json.Decoder(Fault).decode
