"""Dates and times of day as people and programs write them, and the order of day and month by evidence."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from services.common import clock
from services.datasets import zones
from services.datasets.options import DateOrder
from services.datasets.questions import UnclearError

_YEARS = "(?P<year>[0-9]{4})"
_WEEKDAY = "(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +)?"
_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
_NUMBERED = "(?P<{}>[0-9]{{1,2}})[-./](?P<{}>[0-9]{{1,2}})[-./](?P<{}>[0-9]{{4}}|[0-9]{{2}})"
_PLACES: dict[DateOrder, tuple[str, str, str]] = {
    "dmy": ("day", "month", "year"),
    "mdy": ("month", "day", "year"),
    "ymd": ("year", "month", "day"),
}
_TIME = (
    r"(?:(?:[T_;]|,? +|, ?)(?P<hour>[0-9]{1,2})(?::?(?P<minute>[0-9]{2})"
    r"(?::?(?P<second>[0-9]{2})(?:[.,:](?P<fraction>[0-9]{1,9}))?)?)?(?:[ -]?(?P<half>[AaPp])\.?[Mm]\.?)?"
    + zones.PATTERN
    + ")?"
)
_COMPACT = (
    "(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
    "(?:(?P<hour>[0-9]{2})(?:(?P<minute>[0-9]{2})(?:(?P<second>[0-9]{2})(?P<fraction>[0-9]{3})?)?)?)?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ORDERLESS = re.compile(
    rf"{_WEEKDAY}([0-9]{{1,2}})([-./])([0-9]{{1,2}})[-./]([0-9]{{4}}|[0-9]{{2}})(?:[^0-9].*)?"
)
_PARTS = ("year", "month", "day", "hour", "minute", "second", "fraction")
_DAY_US = 86_400_000_000


def _forms(order: DateOrder | None) -> tuple[str, ...]:
    dates = [
        rf"{_YEARS}[-./](?P<month>[0-9]{{1,2}})[-./](?P<day>[0-9]{{1,2}})",
        rf"{_YEARS}(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}})",
        rf"{_WEEKDAY}(?P<day>[0-9]{{1,2}})[- ./]?{_NAME}[-, /.]*(?P<year>[0-9]{{4}}|[0-9]{{2}})",
        rf"{_WEEKDAY}{_NAME}[- ]+(?P<day>[0-9]{{1,2}})[-, ]+{_YEARS}",
        *([_WEEKDAY + _NUMBERED.format(*_PLACES[order])] if order else []),
    ]
    return _COMPACT, *(date + _TIME for date in dates)


@lru_cache(maxsize=8)
def _patterns(order: DateOrder | None) -> tuple["re.Pattern[str]", ...]:
    return tuple(map(re.compile, _forms(order)))


def parse(text: str, order: DateOrder | None) -> datetime:
    """Return the date and time in `text`, with its zone if it has one; ValueError if there is none."""
    found = next((match for one in _patterns(order) if (match := one.fullmatch(text))), None)
    if found is None:
        if _ORDERLESS.fullmatch(text):
            raise ValueError(f"expected a date whose order of day and month is known, received {text!r}")
        return datetime.fromisoformat(text)
    parts = found.groupdict()
    values = {name: int(parts.get(name) or 0) for name in _PARTS[:-1]}
    if parts.get("name"):
        values["month"] = _month(parts["name"])
    if len(parts["year"]) == 2:
        values["year"] += 2000
    if parts.get("half"):
        values["hour"] = _hour(values["hour"], parts["half"])
    fraction = (parts.get("fraction") or "").ljust(6, "0")[:6]
    date = values["year"], values["month"], values["day"]
    moment = datetime(*date, values["hour"], values["minute"], values["second"], int(fraction))  # noqa: DTZ001
    return moment.replace(tzinfo=zones.zone_of(parts["zone"])) if parts.get("zone") else moment


def parse_all(texts: pa.Array, order: DateOrder | None) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Return the times in `texts`, all in one form, as µs since 1970, and what is to be taken off for their zones.

    None where they have no zone; ValueError where `parse` is to be asked line by line.
    """
    first = texts[0].as_py()
    form = next((one.pattern for one in _patterns(order) if one.fullmatch(first)), None)
    if form is None:
        raise ValueError("expected times in a form that is known")
    found = pc.extract_regex(texts, f"^(?:{form})$")
    if found.null_count:
        raise ValueError("expected times in one form")
    parts = {field.name: pc.struct_field(found, field.name) for field in found.type}
    values = {name: _whole(parts[name], len(texts)) if name in parts else 0 for name in _PARTS[:-1]}
    if "name" in parts:
        values["month"] = _mapped(parts["name"], _month)
    year, month, day, hour = (np.asarray(values[name], np.int64) for name in _PARTS[:4])
    year = np.where(year < 100, year + 2000, year)
    if "half" in parts and pc.any(pc.not_equal(parts["half"], "")).as_py():
        afternoon = _mapped(parts["half"], lambda half: {"a": 0, "p": 12}[half.lower()])
        if not ((hour >= 1) & (hour <= 12)).all():
            raise ValueError("expected hours from 1 to 12")
        hour = hour % 12 + afternoon
    minute, second = (np.asarray(values[name], np.int64) for name in ("minute", "second"))
    months = (year - 1970) * 12 + month - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]") + (day - 1)
    if not (
        ((month >= 1) & (month <= 12) & (day >= 1)).all()
        and (days.astype("datetime64[M]").astype(np.int64) == months).all()
        and (hour < 24).all()
        and (minute < 60).all()
        and (second < 60).all()
    ):
        raise ValueError("expected dates and times that there are")
    fraction = parts.get("fraction")
    micro = (
        0
        if fraction is None
        else _whole(pc.utf8_slice_codeunits(pc.utf8_rpad(fraction, 6, "0"), 0, 6), len(texts))
    )
    of_day = (hour * 3600 + minute * 60 + second) * 1_000_000
    us = np.asarray(days.astype(np.int64) * _DAY_US + of_day + micro, np.int64)
    zoned = "zone" in parts and pc.not_equal(parts["zone"], "")
    if zoned is False or not pc.any(zoned).as_py():
        return us, None
    if not pc.all(zoned).as_py():
        raise ValueError("expected a zone behind each time or behind none")
    return us, _mapped(parts["zone"], _offset)


def recognise_order(texts: Iterable[str]) -> DateOrder | None:
    """Return the order of day, month and year in `texts`, None if they tell it; UnclearError if nothing does."""
    found = [match for text in texts if (match := _ORDERLESS.fullmatch(text))]
    if not found:
        return None
    possible = [order for order in _PLACES if all(_is_date(match, order) for match in found)]
    if not possible:
        # Some line is damaged: what most lines are.
        counted = {order: sum(_is_date(match, order) for match in found) for order in _PLACES}
        most = max(counted.values())
        possible = [order for order, count in counted.items() if count == most and 2 * count > len(found)]
    dotted = all(match[2] == "." for match in found)
    if dotted and "dmy" in possible:
        return "dmy"
    if len(possible) == 1 or len({_as_date(found[0], order) for order in possible}) == 1 == len(found):
        return possible[0]
    raise UnclearError(
        "date_order",
        possible or tuple(_PLACES),
        f"expected a date that tells day from month, or date_order=, received {found[0][0]!r}",
    )


def _is_date(match: "re.Match[str]", order: DateOrder) -> bool:
    if order == "ymd" and len(match[4]) == 4:
        return False
    try:
        date = _as_date(match, order)
    except ValueError:
        return False
    # Of a year in two digits only one that bars are likely of.
    return len(match[4]) == 4 or 2009 <= date.year <= clock.to_datetime(clock.now_us()).year + 1


def _as_date(match: "re.Match[str]", order: DateOrder) -> datetime:
    parts = dict(zip(_PLACES[order], map(int, (match[1], match[3], match[4])), strict=True))
    year = parts["year"]
    return datetime(year + 2000 if year < 100 else year, parts["month"], parts["day"])  # noqa: DTZ001


def _month(name: str) -> int:
    if (short := name[:3].lower()) not in _MONTHS:
        raise ValueError(f"expected the English name of a month, received {name!r}")
    return _MONTHS.index(short) + 1


def _hour(hour: int, half: str) -> int:
    if not 1 <= hour <= 12:
        raise ValueError(f"expected an hour from 1 to 12 with am and pm, received {hour}")
    return hour % 12 + (12 if half.lower() == "p" else 0)


def _offset(name: str) -> int:
    offset = zones.zone_of(name).utcoffset(None)
    if offset is None:
        raise ValueError("expected zones of one offset")
    return int(offset.total_seconds()) * 1_000_000


def _whole(texts: pa.Array, count: int) -> NDArray[np.int64]:
    filled = pc.if_else(pc.equal(texts, ""), "0", texts)
    return np.asarray(filled.cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64).reshape(count)


def _mapped(texts: pa.Array, value: Callable[[str], int]) -> NDArray[np.int64]:
    encoded = texts.dictionary_encode()
    known = np.array([value(text) for text in encoded.dictionary.to_pylist()], np.int64)
    return np.asarray(known[encoded.indices.to_numpy()], np.int64)
