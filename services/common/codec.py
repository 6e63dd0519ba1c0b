"""Codec of messages from and to JSON: one bad message is reported and costs the others nothing."""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from services.common.errors import BadMessageError
from services.common.unreadable import Unreadable
from services.contracts.pairs import is_pair, is_symbol

encode = msgspec.json.Encoder().encode

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NUL = re.compile(r"\x00")
# Told to people, in lines or not.
_TEXTS = frozenset({"reason", "message", "detail"})

_EXAMPLES = {"symbol": "BTCUSDT", "pair": "ETHUSDT-BTCUSDT"}
_OF_NO_SYMBOL = "messages_lost"
_NAMELESS = frozenset({None})
# What a kind of message requires beyond types (ValueError).
_REQUIRE = "require_known"

T = TypeVar("T", bound=Struct)


class _Decoders(dict[type[Struct], msgspec.json.Decoder[Struct]]):
    def __missing__(self, kind: type[Struct]) -> msgspec.json.Decoder[Struct]:
        self[kind] = msgspec.json.Decoder(kind)
        return self[kind]


_decoders = _Decoders()


class Decoded(NamedTuple, Generic[T]):
    """Messages of a batch in their order, and the errors of the others by position."""

    messages: list[T]
    bad: dict[int, BadMessageError]


def decode_all(raws: Sequence[bytes | None], kind: type[T]) -> Decoded[T]:
    """Return the messages in `raws`; one that is bad takes nothing from the others."""
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError):
        found = [*map(_decoders[kind].decode, raws)]  # type: ignore[arg-type]
        if _is_plain(b"".join(raws)) and _are_named(found, kind):  # type: ignore[arg-type]
            return Decoded(found, {})  # type: ignore[arg-type]
    messages: list[T] = []
    bad: dict[int, BadMessageError] = {}
    for place, raw in enumerate(raws):
        try:
            messages.append(decode(raw, kind))
        except BadMessageError as error:
            bad[place] = error
    return Decoded(messages, bad)


def decode(raw: bytes | None, kind: type[T]) -> T:
    """Return the message in `raw`; the BadMessageError tells the error in it, or in the bytes in its place."""
    if isinstance(raw, Unreadable):
        raise BadMessageError(raw.reason)
    received = raw or b""
    try:
        message: T = _decoders[kind].decode(received)  # type: ignore[assignment]
        if not _is_plain(received):
            _require_printed(message)
        _require_named(message)
        getattr(message, _REQUIRE, _nothing)()
    # A RecursionError is what hostile nesting ends in.
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise BadMessageError(f"expected a {kind.__name__}, received {received[:80]!r}: {error}") from error
    return message


@cache
def _names(kind: type[Struct]) -> tuple[str, Callable[[str], bool], Callable[[Struct], Any]] | None:
    """Return the field with which messages name what they are of, what tells whether it is a name, and its getter."""
    for field, is_name in (("symbol", is_symbol), ("pair", is_pair)):
        if field in kind.__struct_fields__:
            return field, is_name, attrgetter(field)
    return None


def _are_named(messages: list[Struct], kind: type[Struct]) -> bool:
    """Tell whether all names are such, looking once at those that many messages share, and nothing else is required."""
    if (names := _names(kind)) is None:
        return True
    if hasattr(kind, _REQUIRE):
        return False
    _, is_name, get = names
    return all(map(is_name, {*map(get, messages)} - _NAMELESS))


def _require_named(message: Struct) -> None:
    """Refuse names of another form than ours (ValueError); what is of no symbol has none."""
    if (names := _names(type(message))) is not None:
        field, is_name, get = names
        name = get(message)
        if name is None:  # as an alert of no pair
            return
        if not (is_name(name) or (name == "" and getattr(message, "kind", None) == _OF_NO_SYMBOL)):
            raise ValueError(
                f"expected {field} as in {_EXAMPLES[field]}, received {name[:80]!r} - at `$.{field}`"
            )


def _nothing() -> None:
    """Require nothing more."""


def _is_plain(raw: bytes) -> bool:
    """Tell whether JSON can hold nothing but printed characters: those that are not are escaped, or not ASCII."""
    return b"\\" not in raw and raw.isascii() and b"\x7f" not in raw


def _require_printed(message: Struct) -> None:
    """Refuse control characters in names, and in texts what no database stores (ValueError)."""
    for field in message.__struct_fields__:
        value = getattr(message, field)
        if isinstance(value, tuple) and (found := _CONTROLS.search("".join(_strings(value)))):
            raise ValueError(f"expected printed characters, received {found[0]!r} - at `$.{field}`")
        if isinstance(value, str) and (found := (_NUL if field in _TEXTS else _CONTROLS).search(value)):
            raise ValueError(f"expected printed characters, received {found[0]!r} - at `$.{field}`")
        if isinstance(value, tuple):
            for one in value:
                if isinstance(one, Struct):
                    _require_printed(one)
        if isinstance(value, dict) and (found := _CONTROLS.search("".join(_texts(value)))):
            raise ValueError(f"expected printed characters, received {found[0]!r} - at `$.{field}`")


def _strings(values: tuple[Any, ...]) -> Iterator[str]:
    return (value for value in values if isinstance(value, str))


def _texts(mapping: Mapping[str, Any]) -> Iterator[str]:
    yield from mapping
    yield from (value for value in mapping.values() if isinstance(value, str))
