"""API models of messages: their fields, their descriptions, and each time in ISO 8601 beside it."""

from collections.abc import Collection
from typing import Annotated, Any, get_args, get_origin, get_type_hints

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
            fields[f"{name[:-2]}time"] = IsoTime
    return create_model(f"{message.__name__}Fields", __base__=Record, **fields)


def _described(hint: Any) -> Any:
    metas = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    for meta in metas:
        if isinstance(meta, Meta) and meta.description:
            deprecated = True if (meta.extra_json_schema or {}).get("deprecated") else None
            told = Field(description=meta.description, examples=meta.examples, deprecated=deprecated)
            return Annotated[get_args(hint)[0], told]
    return hint
