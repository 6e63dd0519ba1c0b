"""Times of bars in files: a date and a time, a number, or in a format that the user named."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from services.common import clock
from services.datasets import dates, epochs
from services.datasets.options import DateOrder, ReadOptions, TimeUnit
from services.datasets.questions import UnclearError

_WHOLE = "^[0-9]{1,18}$"
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}.*)?")
_ZONED = re.compile(r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$")
_ZEROS = re.compile(r"\.0+$")


@dataclass(frozen=True)
class Times:
    """Reads the times of one file; those without a zone are of `zone`."""

    zone: str = "UTC"
    unit: TimeUnit | None = None
    format: str | None = None
    order: DateOrder | None = None

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def parse(self, text: str) -> int:
        """Return the time in microseconds since the epoch; ValueError if it is none."""
        if self._is_number(text):
            us = self._of_number(text)
        else:
            us = clock.from_datetime(self._localised(self._moment(text)))
        if not 0 <= us < epochs.END_US:
            raise ValueError(f"expected a time from 1970 to 9999, received {text!r}")
        return us

    def kind(self, text: str) -> str:
        """Return how a time is written: its unit, its format, ``digits``, the order of its date, or ``iso``."""
        if self._is_number(text):
            return self.unit or epochs.unit_of(text) or "digits"
        return self.format or self.order or ("iso" if text[:4].isdecimal() else "text")

    def parse_all(self, texts: pa.Array) -> NDArray[np.int64]:
        """Return what `parse` returns for each, a hundred times as fast; ValueError also where it need not be."""
        if self.format is not None:
            raise ValueError("expected times without a format of their own")
        texts = pc.utf8_trim_whitespace(texts)
        if not len(texts):
            return np.empty(0, np.int64)
        whole = pc.all(pc.match_substring_regex(texts, _WHOLE)).as_py()
        if whole and (self.unit is not None or not re.match(epochs.COMPACT, texts[0].as_py())):
            us = self._since_1970(texts)
        else:
            us = self._dated(texts)
        if not (us.min() >= 0 and us.max() < epochs.END_US):
            raise ValueError("expected times from 1970 to 9999")
        return us

    def _is_number(self, text: str) -> bool:
        return self.format is None and epochs.NUMBER.fullmatch(text) is not None

    def _of_number(self, text: str) -> int:
        text = _ZEROS.sub("", text)
        if self.unit is not None:
            return epochs.since(text, self.unit)
        if unit := epochs.unit_of(text):
            return epochs.since(text, unit)
        if re.match(epochs.COMPACT, text):
            return clock.from_datetime(self._localised(self._moment(text)))
        raise ValueError(
            "expected a time from 1970 on: a number is one if it lies between 2009 and a year ahead, or with "
            f"time_unit=, received {text!r}"
        )

    def _moment(self, text: str) -> datetime:
        if self.format is not None:
            return datetime.strptime(text, self.format)  # noqa: DTZ007
        try:
            return dates.parse(text, self.order)
        except ValueError as error:
            why = f": {error}" if "expected" in str(error) else ""
            raise ValueError(f"expected a time, received {text!r}{why}") from None

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
        if self.unit is None and pc.any(pc.match_substring_regex(texts, epochs.COMPACT)).as_py():
            raise ValueError("expected numbers that are no dates")
        numbers = np.asarray(texts.cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)
        return epochs.since_all(numbers, self.unit)

    def _dated(self, texts: pa.Array) -> NDArray[np.int64]:
        if _ISO.fullmatch(texts[0].as_py()):
            try:
                return self._iso(texts)
            except pa.ArrowInvalid:
                pass  # Arrow knows fewer forms.
        us, offset = dates.parse_all(texts, self.order)
        return self._in_zone(pa.array(us, pa.timestamp("us"))) if offset is None else us - offset

    def _iso(self, texts: pa.Array) -> NDArray[np.int64]:
        if _ZONED.search(texts[0].as_py()[10:]):
            moments = texts.cast(pa.timestamp("us", "UTC"))
            return np.asarray(moments.cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)
        return self._in_zone(texts.cast(pa.timestamp("us")))

    def _in_zone(self, moments: pa.Array) -> NDArray[np.int64]:
        if self.zone != "UTC":
            moments = pc.assume_timezone(moments, self.zone)
        return np.asarray(moments.cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def recognise_times(texts: Sequence[str], options: ReadOptions) -> Times:
    """Return how times are written, by the first of them; UnclearError if they do not tell it."""
    if options.time_format is not None:
        return Times(options.zone, options.time_unit, options.time_format)
    order = options.date_order or dates.recognise_order(texts)
    times = Times(options.zone, options.time_unit, None, order)
    numbers = [text for text in texts if epochs.NUMBER.fullmatch(text)]
    if options.time_unit is None and 2 * len(numbers) > len(texts):
        unknown = [one for one in numbers if not epochs.unit_of(one) and not re.match(epochs.COMPACT, one)]
        if 2 * len(unknown) > len(numbers) and (units := epochs.units(unknown[0])):
            raise UnclearError(
                "time_unit",
                units,
                "expected times that lie between 2009 and a year ahead, or time_unit=, received "
                f"{unknown[0]!r}",
            )
    return times


def is_time(text: str, options: ReadOptions) -> bool:
    """Return whether `text` can be read as a time, be it in several ways."""
    try:
        recognise_times([text], options).parse(text)
    except UnclearError:
        return True
    except ValueError:
        return False
    return True
