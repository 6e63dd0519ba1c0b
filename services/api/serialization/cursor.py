"""Cursor of a page, an opaque text: the key of the page's last row.

A page goes on strictly after that key, so rows that arrive meanwhile neither repeat nor hide another.
"""

import base64
import binascii
from typing import Any

import msgspec
from msgspec.json import Decoder

Key = tuple[Any, ...]


def encode(key: Key) -> str:
    """Return the cursor of `key`.

    >>> decode(encode((1_700_000_000_000_000, 42)), Decoder(tuple[int, int]))
    (1700000000000000, 42)
    """
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode(cursor: str, decoder: Decoder[Key]) -> Key:
    """Return the key in `cursor`; ValueError unless `decoder` takes it."""
    try:
        raw = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return decoder.decode(raw)
    except (binascii.Error, msgspec.DecodeError, UnicodeError):
        raise ValueError(
            f"expected a next_cursor of this resource, as it was given, received {cursor[:80]!r}"
        ) from None
