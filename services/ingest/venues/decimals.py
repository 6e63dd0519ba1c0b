"""Decimal numbers in strings, as venues write them. Pure."""

# The end of year 9999 in ms, as far as Python's dates go.
LAST_MS = 253_402_300_799_999
# As in the messages: beyond it squares of prices overflow.
BOUND = 1e20


def positive(field: str, text: str) -> float:
    """Return a plain decimal above 0 as a number; ValueError names the field.

    Python's float() alone would also take ``nan``, ``1e300``, ``1_0``, `` 1`` and other scripts' digits.

    >>> positive("price", "65000.10")
    65000.1
    """
    # Half the time of a pattern, and this is the path of every trade.
    if text.replace(".", "", 1).isdigit() and text.isascii() and 0 < (value := float(text)) < BOUND:
        return value
    raise ValueError(f"expected {field} to be a plain decimal above 0, received {text[:60]!r}")


def not_negative(field: str, text: str) -> float:
    """Return a plain decimal, 0 or more, as a number; ValueError names the field."""
    if text.replace(".", "", 1).isdigit() and text.isascii() and (value := float(text)) < BOUND:
        return value
    raise ValueError(f"expected {field} to be a plain decimal, received {text[:60]!r}")


def signed(field: str, text: str) -> float:
    """Return a plain decimal of any sign as a number; ValueError names the field."""
    return -not_negative(field, text[1:]) if text.startswith("-") else not_negative(field, text)


def natural(field: str, text: str, highest: int) -> int:
    """Return a whole number from 0 to `highest`; ValueError names the field."""
    if text.isdigit() and text.isascii() and len(text) < 20 and (value := int(text)) <= highest:
        return value
    raise ValueError(f"expected {field} to be a whole number up to {highest}, received {text[:60]!r}")
