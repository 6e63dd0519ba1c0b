"""Formatting of numbers and times: the right digits, one minus sign, a constant width."""

import math
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.common import clock

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EM DASH}"
UTC = "UTC"
MAX_DECIMALS = 8
# A hedge ratio of a cheap leg on a dear one is as small as 1e-10.
MOST_DECIMALS = 15


def decimals_of(price: float) -> int:
    """Return how many decimals a venue's price has.

    >>> decimals_of(43210.1), decimals_of(0.07321), decimals_of(12.0), decimals_of(1e-7)
    (1, 5, 0, 7)
    """
    text = f"{price:.{MAX_DECIMALS}f}".rstrip("0")
    return len(text) - text.index(".") - 1


def significant_decimals(value: float, digits: int = 4) -> int:
    """Return how many decimals show `digits` significant digits of `value`.

    >>> significant_decimals(0.05231), significant_decimals(12.3), significant_decimals(98765.0)
    (5, 2, 0)
    """
    if value == 0 or not math.isfinite(value):
        return digits
    return min(MOST_DECIMALS, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def telling_decimals(value: float, decimals: int, *limits: float) -> int:
    """Return how many decimals, `decimals` or more, tell the size of `value` from each limit that it is not.

    `decimals` if 8 do not tell it either.

    >>> telling_decimals(-1.9962, 2, 2.0, 0.5), telling_decimals(2.0, 2, 2.0), telling_decimals(1 - 1e-12, 3, 1.0)
    (3, 2, 3)
    """
    size = abs(value)

    def tells(digits: int) -> bool:
        return all(size == limit or f"{size:.{digits}f}" != f"{limit:.{digits}f}" for limit in limits)

    return next((digits for digits in range(decimals, MAX_DECIMALS + 1) if tells(digits)), decimals)


def number(value: float, decimals: int, *, sign: bool = False) -> str:
    """Return `value` with thousands separated by thin spaces, as a power of ten if it takes more than 8 decimals.

    >>> number(-1234.5, 2), number(0.5, 2, sign=True), number(-0.001, 2), number(1.5385e-10, 14)
    ('−1\u202f234.50', '+0.50', '0.00', '1.5385e−10')
    """
    if decimals > MAX_DECIMALS and 0 < abs(value) < 1:
        digits = max(0, decimals + math.floor(math.log10(abs(value))))
        return f"{value:{'+' if sign else ''}.{digits}e}".replace("-", MINUS)
    text = f"{value:{'+' if sign else ''},.{decimals}f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    if not any(digit in "123456789" for digit in text):
        return text.lstrip("+-")
    return text.replace("-", MINUS)


def plain(value: float) -> str:
    """Return a number of which nothing is known, with six significant digits and no zeros at its end.

    >>> plain(0.052), plain(-65000.5), plain(1234567.8), plain(1e-9)
    ('0.052', '−65\\u202f000.5', '1\\u202f234\\u202f568', '1e−09')
    """
    exponent = Decimal(f"{value:.6g}").normalize().as_tuple().exponent
    return number(value, max(0, -exponent) if isinstance(exponent, int) else 0)


def zscore(value: float, *limits: float, sign: bool = True) -> str:
    """Return a z-score with the digits that tell it from each limit that it is not.

    >>> zscore(2.25, 2.0), zscore(-1.9962, 2.0, 0.5), zscore(0.5, 2.0, 0.5, sign=False)
    ('+2.25', '−1.996', '0.50')
    """
    return number(value, telling_decimals(value, 2, *limits), sign=sign)


def correlation(value: float) -> str:
    """Return a correlation with the digits that tell it from 1.

    >>> correlation(0.5), correlation(-0.99996), correlation(1.0)
    ('+0.500', '−0.99996', '+1.000')
    """
    return number(value, telling_decimals(value, 3, 1.0), sign=True)


def threshold(value: float) -> str:
    """Return a threshold with all of its digits, two decimals or more.

    >>> threshold(2.0), threshold(2.125)
    ('2.00', '2.125')
    """
    return number(value, max(2, decimals_of(value)))


def per_second(rate: float) -> str:
    """Return how often something happens in a second, not as 0 if 8 decimals tell it from that.

    >>> per_second(6.54), per_second(0.033), per_second(0.0)
    ('6.5', '0.03', '0.0')
    """
    return number(rate, telling_decimals(rate, 1, 0.0))


def quantity(value: float) -> str:
    """Return a volume in at most five characters and a unit: thousands, millions, billions (1e9), trillions (1e12).

    >>> quantity(0.1234), quantity(1234.5), quantity(2_500_000), quantity(999_999)
    ('0.123', '1.23 k', '2.50 M', '1.00 M')
    """
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        # A value that would be rounded to 1000 is one of the next unit.
        if abs(value) >= 0.9995 * size:
            share = value / size
            return f"{number(share, 0 if abs(share) >= 99.995 else 2)} {unit}"
    return f"{value:.3g}".replace("-", MINUS)


def age(seconds: float) -> str:
    """Return an age in its largest unit.

    >>> age(0.4), age(12.9), age(125), age(7300), age(200_000)
    ('now', '12 s ago', '2 min ago', '2 h ago', '2 d ago')
    """
    if seconds < 2:
        return "now"
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def lasted(seconds: float) -> str:
    """Return a duration in its two largest units.

    >>> lasted(0.4), lasted(42), lasted(125), lasted(7300), lasted(200_000)
    ('0.4 s', '42 s', '2 min 5 s', '2 h 1 min', '2 d 7 h')
    """
    if seconds < 60:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    for size, unit, part, small in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = int(seconds % size // part)
            return f"{int(seconds // size)} {unit}" + (f" {rest} {small}" if rest else "")
    raise AssertionError(seconds)


def share(value: float | None) -> str:
    """Return a share in percent, rounded down, so that only a complete one is 100 %.

    >>> share(1.0), share(0.99999), share(None)
    ('100\\u202f%', '99.99\\u202f%', '—')
    """
    if value is None:
        return NONE
    hundredths = int(value * 10_000 + 1e-9)
    return f"{number(hundredths / 100, 0 if hundredths == 10_000 else 2)}\N{NARROW NO-BREAK SPACE}%"


def lag(ms: int) -> str:
    """Return a lag in ms below half a second, in seconds else.

    >>> lag(85), lag(5104), lag(-3208), lag(63_000)
    ('85 ms', '5.1 s', '−3.2 s', '63.0 s')
    """
    return f"{number(ms, 0)} ms" if abs(ms) < 500 else f"{number(ms / 1000, 1)} s"


def moment(us: int, zone: str = UTC) -> str:
    """Return `us` to the second in a time zone, which it names; one that is unknown is taken for UTC.

    >>> moment(1_767_225_600_000_000), moment(1_767_225_600_000_000, "Asia/Tokyo")
    ('2026-01-01 00:00:00 UTC', '2026-01-01 09:00:00 JST')
    """
    return f"{clock.to_datetime(us).astimezone(_zone(zone)):%Y-%m-%d %H:%M:%S %Z}"


def period(start_us: int, end_us: int, zone: str = UTC) -> str:
    """Return two moments to the second in a time zone, with their days or their offsets if these differ.

    >>> period(1_767_225_600_000_000, 1_767_225_612_000_000)
    '00:00:00 to 00:00:12'
    >>> period(1_767_225_599_000_000, 1_767_225_612_000_000)
    '2025-12-31 23:59:59 to 2026-01-01 00:00:12'
    """
    start, end = moment(start_us, zone), moment(end_us, zone)
    clock_alone = slice(11 if start[:10] == end[:10] else 0, 19 if start[20:] == end[20:] else None)
    return f"{start[clock_alone]} to {end[clock_alone]}"


def filling(done_s: float, total_s: float) -> str:
    """Return how much of the past has been played, in whole seconds.

    >>> filling(340.9, 900.2), filling(0.0, 2_592_000.0)
    ('filling: 340 of 900 s', 'filling: 0 of 2\u202f592\u202f000 s')
    """
    return f"filling: {number(int(done_s), 0)} of {number(int(total_s), 0)} s"


@lru_cache(maxsize=128)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return ZoneInfo(UTC)
