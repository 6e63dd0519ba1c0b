"""Source files of a dataset: opened, limited in size, and recognised when they come again."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, NamedTuple, cast

from services.common.compressed_files import FileError, Packed, opened
from services.contracts.pairs import parse_symbol
from services.datasets.blocks import BarFile, Symbols
from services.datasets.options import ReadOptions


class FileSource(NamedTuple):
    """A file, read from its beginning; `symbol` is what its bars are of if no column says it."""

    name: str
    file: IO[bytes]
    symbol: str | None = None


class UploadTooLargeError(FileError):
    """The unpacked files are larger than the limit."""


@dataclass
class Upload:
    """Upload that becomes a dataset; unpacked, its files may have `most_bytes` together."""

    name: str
    sources: list[FileSource]
    options: ReadOptions = field(default_factory=ReadOptions)
    most_bytes: int | None = None

    def fingerprint(self) -> bytes:
        """Return the identity of the dataset: a digest of its files and read options. Blocks."""
        said = {"options": self.options.said(), "files": [_known_by(source) for source in self.sources]}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()

    @contextmanager
    def opened(self, source: FileSource, symbols: Symbols) -> Iterator[BarFile]:
        """Yield one of the files; FileError, TooLargeError if it cannot be read to its end."""
        source.file.seek(0)
        with opened(source.file, source.name) as stream:
            bounded = cast("Packed", _Bounded(stream, self, source.name))
            symbol = source.symbol or _symbol_of(source.name)
            yield BarFile(bounded, source.name, symbol, self.options, symbols)


class _Bounded:
    """A file of which so much is read at most, together with those before it."""

    def __init__(self, stream: Packed, upload: Upload, name: str) -> None:
        self._stream = stream
        self._upload = upload
        self._name = name

    def read(self, size: int) -> bytes:
        part = self._stream.read(size)
        most = self._upload.most_bytes
        if most is not None:
            if len(part) > most:
                raise UploadTooLargeError(
                    self._name, "expected fewer bytes in the files, unpacked, received more"
                )
            self._upload.most_bytes = most - len(part)
        return part


def _known_by(source: FileSource) -> list[str | None]:
    source.file.seek(0)
    return [source.name, source.symbol, hashlib.file_digest(source.file, "sha256").hexdigest()]  # type: ignore[arg-type]


def _symbol_of(name: str) -> str | None:
    """Return the symbol a file is called by.

    >>> _symbol_of("BTCUSDT-1m-2024-01.csv"), _symbol_of("+.csv")
    ('BTCUSDT', None)
    """
    try:
        return parse_symbol(re.split(r"[-_.]", name)[0])
    except ValueError:
        return None
