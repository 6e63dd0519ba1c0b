"""Bodies of rules and silences: made into messages, or refused with the field, what was expected and received."""

import re
from collections.abc import Iterator
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from services.api.problems import ProblemError, invalid
from services.common.codec import decode, encode
from services.common.errors import BadMessageError
from services.contracts.fields import WrongFieldError

S = TypeVar("S", bound=Struct)

_MESSAGE = re.compile(r"(?P<text>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?", re.DOTALL)
_EXPECTED = re.compile(r"Expected (?P<expected>.*?)(?:, got (?P<received>.*))?", re.DOTALL)
_EXACT = 2.0**53
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def converted(body: dict[str, Any], kind: type[S]) -> S:
    """Return the message that a body is; ProblemError otherwise."""
    for path in _unknown(body, kind, ()):
        raise invalid(
            [{"type": "extra_forbidden", "loc": ("body", *path), "msg": "", "input": _at(body, path)}]
        )
    try:
        message = msgspec.convert(_whole(body), kind)
    except msgspec.ValidationError as error:
        raise _refused(body, error, kind) from None
    try:
        return decode(encode(message), kind)
    except BadMessageError as error:
        text = str(error).rpartition(": expected ")[2]
        raise invalid([_error(("body",), text or str(error), None)]) from None


def _whole(value: Any) -> Any:
    """Return a body in which numbers without a fraction are integers, which is what JSON Schema takes them for."""
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < _EXACT
    return int(value) if is_whole else value


def _refused(body: dict[str, Any], error: msgspec.ValidationError, kind: type[Struct]) -> ProblemError:
    found = _MESSAGE.fullmatch(str(error))
    assert found is not None
    path = _steps(found["path"] or "")
    if isinstance(cause := error.__cause__, WrongFieldError):
        path = (*_steps(str(error).rpartition("`$")[2].rstrip("`")), *_steps(cause.field))
        if str(error) == str(cause):
            path = _steps(cause.field)
        return invalid([_error(("body", *path), cause.expected, cause.received)])
    text = found["text"]
    if (missing := re.search(r"missing required field `(.*)`", text)) is not None:
        return invalid([{"type": "missing", "loc": ("body", *path, missing[1]), "msg": "", "input": None}])
    expected = _choices(kind, path)
    if expected is None:
        told = _EXPECTED.fullmatch(text)
        expected = told["expected"] if told else text
    return invalid([_error(("body", *path), expected, _at(body, path))])


def _choices(hint: Any, path: tuple[str | int, ...]) -> str | None:
    """Return which texts a field may be, None if it is no choice."""
    for step in path:
        if isinstance(step, str) and (kind := _struct(hint)) is not None:
            hint = get_type_hints(kind).get(step)
    found = _literal(hint)
    return None if found is None else f"one of {', '.join(found)}"


def _literal(hint: Any) -> tuple[str, ...] | None:
    if get_origin(hint) is Literal:
        return get_args(hint)
    return next((found for one in get_args(hint) if (found := _literal(one)) is not None), None)


def _error(loc: tuple[str | int, ...], expected: str, received: object) -> dict[str, Any]:
    return {"type": "value_error", "loc": loc, "msg": f"expected {expected}", "input": received}


def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(int(number) if number else name for number, name in _STEP.findall(path))


def _at(body: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body


def _unknown(body: Any, hint: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Yield the paths of fields that no message has."""
    if isinstance(body, list):
        for place, one in enumerate(body):
            yield from _unknown(one, hint, (*path, place))
    elif isinstance(body, dict) and (kind := _struct(hint)) is not None:
        hints = get_type_hints(kind)
        for name, value in body.items():
            if name not in hints:
                yield (*path, name)
            else:
                yield from _unknown(value, hints[name], (*path, name))


def _struct(hint: Any) -> type[Struct] | None:
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint
    return next((found for one in get_args(hint) if (found := _struct(one)) is not None), None)
