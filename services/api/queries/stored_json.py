"""JSON as the database writes it, with the numbers that were stored."""

import json
from typing import Any

_DIGITS = 16
"""Python writes a float of more as 1e+16, and the database writes that out again."""


def loads(text: str | bytes) -> Any:
    """Return what JSON says; an integer of more than 16 digits is the float that it was.

    >>> loads("[7, 2.0, 30000000000000000]")
    [7, 2.0, 3e+16]
    """
    return json.loads(text, parse_int=_number)


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS else float(digits)
