"""Answers of the API with what they must have, so that a test names only what it is about."""

from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from services.ui.api.types import Snapshot, SymbolStats, SymbolTape, Update

T = TypeVar("T", bound=msgspec.Struct)


def answer(kind: type[T], /, **fields: Any) -> T:
    """Return an answer with these fields; others that it must have are zero or empty."""
    missing = (one for one in msgspec.structs.fields(kind) if one.required and one.name not in fields)
    return kind(**{one.name: _least(one.type) for one in missing}, **fields)


def _least(kind: Any) -> Any:
    origin = get_origin(kind) or kind
    if origin is Literal:
        return get_args(kind)[0]
    if origin is Union:
        return _least(get_args(kind)[0])
    return answer(origin) if issubclass(origin, msgspec.Struct) else origin()


def snapshot(feed: str | None = None, **fields: Any) -> Snapshot:
    return answer(Snapshot, feed=feed, **fields)


def update(**fields: Any) -> Update:
    return answer(Update, **fields)


def stats(symbol: str, **fields: Any) -> SymbolStats:
    return answer(SymbolStats, symbol=symbol, **{"collected": True, **fields})


def tape(symbol: str, **fields: Any) -> SymbolTape:
    return answer(SymbolTape, symbol=symbol, **{"collected": True, **fields})
