"""Numbers as files write them: decimal sign, thousands separators, K, M and B, and what stands for none."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from services.datasets.options import THOUSANDS, ReadOptions, Thousands
from services.datasets.questions import UnclearError

LARGEST = 1e20
UNKNOWN = [
    "",
    "NaN",
    "nan",
    "NAN",
    "null",
    "NULL",
    "None",
    "none",
    "N/A",
    "n/a",
    "NA",
    "#N/A",
    "-",
    "--",
    "—",
]
"""Texts of a cell whose number is unknown."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MULTIPLES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_MULTIPLE = re.compile(r"(.*[0-9.,]) ?([KMBTkmbt])")
_CURRENCY = re.compile(r"[$€£¥₿] ?")
_SPACES = re.compile("[\u00a0\u202f\u2009]")
_APOSTROPHE = re.compile("[\u2019\u02bc]")
_SIGNED = re.compile(r"[+-]?[0-9][0-9.,' ]*")


@dataclass(frozen=True)
class Numbers:
    """Reads the numbers of one file; `thousands` is empty where none are separated, `adorned` are they with K or $."""

    decimal: str = "."
    thousands: str = ""
    adorned: bool = False

    @property
    def plain(self) -> bool:
        """Return whether a number is nothing but digits and the decimal sign."""
        return not self.thousands and not self.adorned

    def parse(self, text: str, multiples: bool = False) -> float:
        """Return a number from 0 on; ValueError if it is none. `multiples` lets it end in K, M or B."""
        plain, multiple = text, 1.0
        if self.adorned:
            plain = _CURRENCY.sub("", plain, count=1)
            if multiples and (found := _MULTIPLE.fullmatch(plain)):
                plain, multiple = found[1], _MULTIPLES[found[2].upper()]
        if self.thousands:
            plain = usual(plain)
            if self._grouped.fullmatch(plain):
                plain = plain.replace(self.thousands, "")
        if self.decimal == ",":
            plain = plain.replace(".", "?").replace(",", ".")
        if not _NUMBER.fullmatch(plain):
            raise ValueError(f"expected a number such as 64123{self.decimal}4, received {text!r}")
        if not 0 <= (value := float(plain) * multiple) < LARGEST:
            raise ValueError(f"expected a number from 0 to {LARGEST:g}, received {text!r}")
        return value

    def parse_all(self, texts: pa.Array, multiples: bool = False) -> pa.Array:
        """Return what `parse` returns for each, null where it stands for none; ValueError if one is no number."""
        unknown = pc.is_in(texts, pa.array(UNKNOWN))
        plain = pc.if_else(unknown, None, texts)
        factor: NDArray[np.float64] | None = None
        if self.adorned:
            plain = pc.replace_substring_regex(plain, _CURRENCY.pattern, "", max_replacements=1)
            if multiples:
                ends = pc.struct_field(
                    pc.extract_regex(plain, r"(?P<of>[KMBTkmbt])$"), "of"
                ).dictionary_encode()
                factors = np.array([*(_MULTIPLES[one.upper()] for one in ends.dictionary.to_pylist()), 1.0])
                factor = factors[ends.indices.fill_null(len(factors) - 1).to_numpy(zero_copy_only=False)]
                plain = pc.replace_substring_regex(plain, r"([0-9.,]) ?[KMBTkmbt]$", r"\1")
        if self.thousands:
            for pattern, sign in ((_SPACES, " "), (_APOSTROPHE, "'")):
                plain = pc.replace_substring_regex(plain, pattern.pattern, sign)
            bare = pc.replace_substring(plain, self.thousands, "")
            plain = pc.if_else(pc.match_substring_regex(plain, f"^(?:{self._grouped.pattern})$"), bare, plain)
        if self.decimal == ",":
            plain = pc.replace_substring(pc.replace_substring(plain, ".", "?"), ",", ".")
        if not pc.all(pc.match_substring_regex(plain, f"^(?:{_NUMBER.pattern})$")).as_py() and (
            plain.null_count < len(plain)
        ):
            raise ValueError("expected numbers")
        values = plain.cast(pa.float64())
        return values if factor is None else pc.multiply(values, pa.array(factor))

    @cached_property
    def _grouped(self) -> "re.Pattern[str]":
        """Digits in groups of three, also where four or five are left alone."""
        rest = re.escape(self.decimal)
        return re.compile(f"[+-]?[0-9]{{1,3}}(?:{re.escape(self.thousands)}[0-9]{{3}})+(?:{rest}[0-9]*)?")


def usual(text: str) -> str:
    """Return `text` with the usual forms of spaces and apostrophes."""
    return _APOSTROPHE.sub("'", _SPACES.sub(" ", text))


def recognise_numbers(cells: Iterable[str], options: ReadOptions) -> Numbers:
    """Return how the numbers in `cells` are written; UnclearError if a comma may be either sign."""
    known = [cell for cell in cells if cell not in UNKNOWN]
    adorned = any(_CURRENCY.match(cell) or _MULTIPLE.fullmatch(cell) for cell in known)
    stripped = [_MULTIPLE.sub(r"\1", _CURRENCY.sub("", usual(cell))) for cell in known]
    numbers = [cell for cell in stripped if _SIGNED.fullmatch(cell)]
    decimal, thousands = _signs(numbers)
    if options.thousands is not None:
        thousands = THOUSANDS[options.thousands]
        decimal = options.decimal or {",": ".", ".": ","}.get(thousands, decimal or ".")
    if options.decimal is not None:
        decimal = options.decimal
        thousands = thousands if thousands != decimal and options.thousands else _others(numbers, decimal)
    if decimal is None:
        first = next(cell for cell in numbers if "," in cell)
        raise UnclearError(
            "decimal",
            (",", "."),
            "expected prices whose comma is told from a thousands separator, or decimal=, received "
            f"{first!r}",
        )
    return Numbers(decimal, thousands, adorned)


def name_of(sign: str) -> Thousands | None:
    """Return what a thousands separator is called.

    >>> name_of(","), name_of("")
    ('comma', None)
    """
    return next((name for name, one in THOUSANDS.items() if one == sign), None)


def _signs(numbers: Sequence[str]) -> tuple[str | None, str]:
    """Return the decimal sign, None where a comma may be either, and the thousands separator."""
    tailed = {sign for sign in ",." if any(_is_decimal(cell, sign) for cell in numbers)}
    grouped = {sign for sign in ",." if any(_is_thousands(cell, sign) for cell in numbers)}
    there = {sign for sign in ",." if any(sign in cell for cell in numbers)}
    other = next((sign for sign in " '" if any(sign in cell.strip() for cell in numbers)), "")
    if tailed == {","} or (grouped == {"."} and "." not in tailed):
        return ",", "." if "." in there else other
    if "," in there - grouped and not tailed and "." not in there:
        return None, other
    return ".", "," if "," in there else other


def _others(numbers: Sequence[str], decimal: str) -> str:
    """Return the separator of thousands for a given `decimal`."""
    return next(
        (sign for sign in ",. '" if sign != decimal and any(sign in cell.strip() for cell in numbers)), ""
    )


def _is_decimal(cell: str, sign: str) -> bool:
    """Return whether what is behind `sign` are no thousands."""
    whole, _, rest = cell.rpartition(sign)
    other = "," if sign == "." else "."
    if sign not in cell or sign in whole or other in rest:
        return False
    return (
        len(rest) != 3 or other in whole or whole.lstrip("+-").strip("0") == "" or len(whole.lstrip("+-")) > 3
    )


def _is_thousands(cell: str, sign: str) -> bool:
    """Return whether `sign` can be no decimal sign."""
    other = "," if sign == "." else "."
    return cell.count(sign) > 1 or 0 <= cell.find(sign) < cell.find(other)
