"""Text in UTF-16, as MetaTrader writes it, in UTF-8."""

import codecs
from collections.abc import Iterator

from services.common.compressed_files import FileError, Packed

MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BYTES = 1 << 18


def utf8(stream: Packed, first: bytes, name: str) -> Iterator[bytes]:
    """Yield text whose beginning `first` has been read already; FileError if it is none."""
    decoder = codecs.getincrementaldecoder("utf-16")()
    part = first
    try:
        while part:
            yield decoder.decode(part).encode()
            part = stream.read(_BYTES)
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        raise FileError(name, f"expected text in UTF-16, as its first bytes say, received {error}") from None
