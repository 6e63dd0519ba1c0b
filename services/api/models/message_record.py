"""API models of messages: their fields, their descriptions, and each time in ISO 8601 beside it."""

from collections.abc import Collection
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct
from pydantic import Field, create_model

from services.api.models.base import IsoTime, Record


def record_of(message: type[Struct], without: Collection[str] = ()) -> type[Record]:
    """Return a model with the fields of `message`, all required, but for those `without`.

    A field that the message does not describe is to be described by the class that inherits it.
    """
    fields: dict[str, Any] = {}
    for name, hint in get_type_hints(message, include_extras=True).items():
        if name in without:
            continue
        fields[name] = _described(hint)
        if name.endswith("_us"):
            fields[f"{name[:-2]}time"] = IsoTime | None if _may_be_null(hint) else IsoTime
    return create_model(f"{message.__name__}Fields", __base__=Record, **fields)


def _may_be_null(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return _may_be_null(get_args(hint)[0])
    return get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint)


@cache
def _nested(message: type[Struct]) -> type[Record]:
    """Return the model of a message in a message."""
    return create_model(message.__name__, __base__=record_of(message), __doc__=message.__doc__)


def _as_model(hint: Any) -> Any:
    """Return a hint in which each message is its model; what messages may be, as bounds, is not said of answers."""
    if isinstance(hint, type) and get_origin(hint) is None:
        return _nested(hint) if issubclass(hint, Struct) else hint
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _as_model(arguments[0])
    if origin in (Union, UnionType):
        return Union[tuple(map(_as_model, arguments))]  # noqa: UP007  # made of a list
    if origin is tuple:
        return list[_as_model(arguments[0])]  # type: ignore[misc]
    if origin is dict:
        return dict[_as_model(arguments[0]), _as_model(arguments[1])]  # type: ignore[misc]
    return hint


def _has_messages(hint: Any) -> bool:
    if isinstance(hint, type) and get_origin(hint) is None:
        return issubclass(hint, Struct)
    return get_origin(hint) is tuple or any(map(_has_messages, get_args(hint)))


def _described(hint: Any) -> Any:
    metas = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    for meta in metas:
        if isinstance(meta, Meta) and meta.description:
            deprecated = True if (meta.extra_json_schema or {}).get("deprecated") else None
            told = Field(description=meta.description, examples=meta.examples, deprecated=deprecated)
            kind = get_args(hint)[0]
            return Annotated[_as_model(kind) if _has_messages(kind) else kind, told]
    return _as_model(hint) if _has_messages(hint) else hint
