"""Times of bars in files: ISO 8601, since 1970, or in a format that the user named."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from services.common import clock
from services.datasets.options import TimeUnit

# Numbers since 1970 are ns, µs, ms or s, told by their size: it is the same from 1973 to 5138.
_LEAST: dict[TimeUnit, int] = {"ns": 10**17, "us": 10**14, "ms": 10**11, "s": 0}
_PER_UNIT: dict[TimeUnit, Fraction] = {
    "ns": Fraction(1, 1_000),
    "us": Fraction(1),
    "ms": Fraction(1_000),
    "s": Fraction(1_000_000),
}
_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?")
_WHOLE = "^[0-9]{1,18}$"
# 20240131, 2024/01/31, 2024.01.31: a day, and no count of seconds.
_COMPACT_DAY = "^(?:19|20)[0-9]{6}$"
_DAY = r"^([0-9]{4})[./]?([0-9]{2})[./]?([0-9]{2})($|[ T])"
_WITH_DASHES = r"\1-\2-\3\4"
_ZONED = re.compile(r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$")
_END_US = 253_402_300_800_000_000


@dataclass(frozen=True)
class Times:
    """Reads the times of one file; those without a zone are of `zone`."""

    zone: str = "UTC"
    unit: TimeUnit | None = None
    format: str | None = None

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def parse(self, text: str) -> int:
        """Return the time in microseconds since the epoch; ValueError if it is none."""
        if self._is_number(text):
            number = Fraction(text)
            us = int(number * _PER_UNIT[self.unit or _unit_of(number)])
        else:
            us = clock.from_datetime(self._localised(self._moment(text)))
        if not 0 <= us < _END_US:
            raise ValueError(f"expected a time from 1970 to 9999, received {text!r}")
        return us

    def kind(self, text: str) -> str:
        """Return how a time is written: its unit since 1970, its format, or ``iso``."""
        if self._is_number(text):
            return self.unit or _unit_of(Fraction(text))
        return self.format or "iso"

    def parse_all(self, texts: pa.Array) -> NDArray[np.int64]:
        """Return what `parse` returns for each, a hundred times as fast; ValueError also where it need not be."""
        if self.format is not None:
            raise ValueError("expected times without a format of their own")
        texts = pc.utf8_trim_whitespace(texts)
        whole = pc.all(pc.match_substring_regex(texts, _WHOLE)).as_py()
        us = self._since_1970(texts) if whole else self._iso(texts)
        if len(us) and not (us.min() >= 0 and us.max() < _END_US):
            raise ValueError("expected times from 1970 to 9999")
        return us

    def _is_number(self, text: str) -> bool:
        is_number = self.format is None and _NUMBER.fullmatch(text) is not None
        return is_number and (self.unit is not None or not re.match(_COMPACT_DAY, text))

    def _moment(self, text: str) -> datetime:
        if self.format is not None:
            return datetime.strptime(text, self.format)  # noqa: DTZ007
        try:
            return datetime.fromisoformat(re.sub(_DAY, _WITH_DASHES, text))
        except ValueError:
            raise ValueError(f"expected a time, received {text!r}") from None

    def _localised(self, moment: datetime) -> datetime:
        if moment.tzinfo is not None:
            return moment
        local = moment.replace(tzinfo=self._zone)
        if local.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != moment:
            raise ValueError(f"expected a time that there was in {self.zone}, received {moment.isoformat()}")
        if local.utcoffset() != local.replace(fold=1).utcoffset():
            raise ValueError(
                f"expected a time that {self.zone} had once, received {moment.isoformat()}, had twice"
            )
        return local

    def _since_1970(self, texts: pa.Array) -> NDArray[np.int64]:
        if self.unit is None and pc.any(pc.match_substring_regex(texts, _COMPACT_DAY)).as_py():
            raise ValueError("expected numbers that are no days")
        numbers = np.asarray(texts.cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)
        if not len(numbers):
            return numbers
        low, high = int(numbers.min()), int(numbers.max())
        unit = self.unit or _unit_of(high)
        if (self.unit is None and _unit_of(low) != unit) or high * _PER_UNIT[unit] >= _END_US:
            raise ValueError("expected numbers of one unit")
        ratio = _PER_UNIT[unit]
        return np.asarray(numbers * ratio.numerator // ratio.denominator, np.int64)

    def _iso(self, texts: pa.Array) -> NDArray[np.int64]:
        if re.match(r"^[0-9]{4}[./0-9]", texts[0].as_py()):
            texts = pc.replace_substring_regex(texts, _DAY, _WITH_DASHES)
        first = texts[0].as_py()
        if _ZONED.search(first[10:]):
            moments = texts.cast(pa.timestamp("us", "UTC"))
        else:
            moments = texts.cast(pa.timestamp("us"))
            if self.zone != "UTC":
                moments = pc.assume_timezone(moments, self.zone)
        return np.asarray(moments.cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def _unit_of(number: int | Fraction) -> TimeUnit:
    return next(unit for unit, least in _LEAST.items() if number >= least)
