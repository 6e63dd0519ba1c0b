"""Columns of a table: the fields of its model; a nested record gives one column per field."""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from services.api.serialization.rows import JsonRecords, encode


class Column(NamedTuple):
    """A column, what its values are, and how they are reached in a row: ``last_signal_zscore``."""

    name: str
    kind: type
    path: tuple[str, ...]

    def values(self, records: JsonRecords) -> Sequence[Any]:
        """Return the value of each record, a map or a list as JSON; what is no finite number is None, as in JSON."""
        first, *within = self.path
        values = records.columns[first]
        for name in within:
            values = [None if value is None else value[name] for value in values]
        if self.kind in (dict, list):
            return [None if value is None else encode(value).decode() for value in values]
        if self.kind is float:
            return [value if value is not None and math.isfinite(value) else None for value in values]
        return values


@cache
def columns(model: type[BaseModel]) -> tuple[Column, ...]:
    """Return the columns of `model`; TypeError if a field is neither bool, int, float, str, dict, list nor a model."""
    return tuple(_columns(model))


def _columns(model: type[BaseModel]) -> Iterator[Column]:
    for name, field in model.model_fields.items():
        kind = _kind(field.annotation)
        if issubclass(kind, BaseModel):
            yield from (Column(f"{name}_{one.name}", one.kind, (name, *one.path)) for one in columns(kind))
        elif kind in (list, tuple):
            yield Column(name, list, (name,))
        elif kind in (bool, int, float, str, dict):
            yield Column(name, kind, (name,))
        else:
            raise TypeError(f"{model.__name__}.{name}: expected what a table can hold, received {kind}")


def _kind(annotation: Any) -> type:
    """Return what a value is that is not null."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return type(arguments[0])
    if origin is Annotated:
        return _kind(arguments[0])
    if origin in (Union, UnionType):
        return next((_kind(one) for one in arguments if one is not NoneType), NoneType)
    return origin or NoneType
