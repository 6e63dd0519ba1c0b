"""Columns of a stored message: one for each field, of the type that PostgreSQL has for the field's values."""

from collections.abc import Collection

from msgspec import Struct, inspect

_END_OF_INT4 = 2**31


def columns_of(message: type[Struct], without: Collection[str] = ()) -> dict[str, str]:
    """Return the columns of the fields of `message` and their types, in order, but for those `without`.

    TypeError if values of a field are neither bool, int, float, str nor a dict, which is stored as JSON.

    >>> from services.contracts.alert_messages import Alert
    >>> columns = columns_of(Alert, without={"subject", "event_us"})
    >>> list(columns)[:4], columns["value"], columns["retracts"]
    (['alert_id', 'rule_id', 'pair', 'state'], 'float8', 'text')
    """
    info = inspect.type_info(message)
    assert isinstance(info, inspect.StructType)
    return {
        field.name: _type(f"{message.__name__}.{field.name}", field.type)
        for field in info.fields
        if field.name not in without
    }


def _type(name: str, told: inspect.Type) -> str:
    match told:
        case inspect.Metadata(type=inner):
            return _type(name, inner)
        case inspect.UnionType(types=(one, inspect.NoneType()) | (inspect.NoneType(), one)):
            return _type(name, one)
        case inspect.BoolType():
            return "bool"
        case inspect.FloatType():
            return "float8"
        case inspect.IntType(lt=lt, le=le):
            bounds = [bound for bound in (lt, None if le is None else le + 1) if bound is not None]
            return "int4" if bounds and min(bounds) <= _END_OF_INT4 else "int8"
        case inspect.StrType():
            return "text"
        case inspect.DictType():
            return "jsonb"
        case inspect.LiteralType(values=values) if all(isinstance(value, str) for value in values):
            return "text"
    raise TypeError(f"{name}: expected a field that a column can hold, received {told}")
