"""Decoding of the API's answers: words that a newer API has added, as states and kinds, are taken as they are."""

from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct
from msgspec.structs import fields

T = TypeVar("T")


def decode(raw: bytes | str, kind: type[T]) -> T:
    """Return the JSON text `raw` as a `kind`; DecodeError if it is none.

    A word that `kind` does not know makes structs of subtypes, in which the words are any text: a mapping by words
    needs an answer for the others.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError:
        wider: Any = kind
        found: T = msgspec.json.decode(raw, type=_with_any_words(wider))
        return found


@cache
def _with_any_words(kind: Any) -> Any:
    """Return a type like `kind` that has any text for each literal."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return Union[tuple({type(word) for word in arguments})]  # noqa: UP007
    if origin is Annotated:
        return Annotated[(_with_any_words(arguments[0]), *arguments[1:])]
    if origin in (Union, UnionType):
        return Union[tuple(map(_with_any_words, arguments))]  # noqa: UP007
    if isinstance(struct := origin or kind, type) and issubclass(struct, Struct):
        return _subtype(struct, arguments)
    return kind if origin is None else origin[tuple(map(_with_any_words, arguments))]


def _subtype(struct: type[Struct], arguments: tuple[Any, ...]) -> type[Struct]:
    known = dict(zip(getattr(struct, "__parameters__", ()), arguments, strict=False))
    hints = get_type_hints(struct, include_extras=True)
    changed = []
    for field in fields(struct):
        hint = hints[field.name]
        bound = hint[tuple(known[one] for one in hint.__parameters__)] if _is_generic(hint) else hint
        if (found := _with_any_words(bound)) != hint:
            default = {
                name: value
                for name in ("default", "default_factory")
                if (value := getattr(field, name)) is not msgspec.NODEFAULT
            }
            changed.append((field.name, found, msgspec.field(**default)))
    if not changed:
        return struct
    config = struct.__struct_config__
    return msgspec.defstruct(
        struct.__name__,
        changed,
        bases=(struct,),
        kw_only=True,
        frozen=config.frozen,
        tag=config.tag,
        tag_field=config.tag_field,
    )


def _is_generic(hint: Any) -> bool:
    return bool(getattr(hint, "__parameters__", ()))
