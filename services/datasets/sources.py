"""Source files of a dataset: opened, limited in size, and recognised when they come again."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, NamedTuple, cast

from services.common.compressed_files import ZIP, FileError, Packed, files_in, opened
from services.datasets.blocks import BarFile, Symbols
from services.datasets.dialect import SAMPLE_BYTES, names_bars
from services.datasets.formats.opening import is_spreadsheet, text_of
from services.datasets.options import ReadOptions
from services.datasets.symbols import symbol_of

_MOST_MEMBERS = 1_000


class FileSource(NamedTuple):
    """A file, read from its beginning; `symbol` is what its bars are of if no column says it.

    `member` is the file in a zip of several.
    """

    name: str
    file: IO[bytes]
    symbol: str | None = None
    member: str | None = None


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

    def files(self) -> list[FileSource]:
        """Return every file there is, those in a zip of several one by one; FileError if a zip cannot be read."""
        found = [one for source in self.sources for one in _members(source)]
        if len(found) > _MOST_MEMBERS:
            raise FileError(self.name, f"expected at most {_MOST_MEMBERS:,} files, received {len(found):,}")
        return found

    @contextmanager
    def opened(self, source: FileSource, symbols: Symbols) -> Iterator[BarFile]:
        """Yield one of the files; FileError, TooLargeError if it cannot be read to its end."""
        with self._text(source) as (stream, said):
            symbol = source.symbol or said or symbol_of(source.name)
            yield BarFile(stream, source.name, symbol, self.options, symbols, source.symbol is not None)

    def has_bars(self) -> bool:
        """Return whether the first file begins as one of bars; FileError if it cannot be read."""
        source = self.files()[0]
        with self._text(source) as (stream, _):
            return names_bars(stream.read(SAMPLE_BYTES), self.options)

    @contextmanager
    def _text(self, source: FileSource) -> Iterator[tuple[Packed, str | None]]:
        """Yield the csv that a file is or would be, and the symbol that it says beside its rows."""
        source.file.seek(0)
        if is_spreadsheet(source.file):
            with text_of(source.file, source.name, self.most_bytes) as (text, said):
                yield self._bounded(text, source.name), said
            return
        with opened(source.file, source.name, source.member) as stream:
            # Of what is packed, the bytes inside are counted, and of what becomes csv the csv, too.
            inside = source.file if stream is source.file else self._bounded(stream, source.name)
            with text_of(inside, source.name, self.most_bytes) as (text, said):
                yield self._bounded(text, source.name) if inside is source.file else text, said

    def _bounded(self, stream: Packed, name: str) -> Packed:
        return cast("Packed", _Bounded(stream, self, name))


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


def _members(source: FileSource) -> list[FileSource]:
    source.file.seek(0)
    magic = source.file.read(2)
    source.file.seek(0)
    if magic != ZIP or is_spreadsheet(source.file):
        return [source]
    try:
        with zipfile.ZipFile(source.file) as folder:
            inside = files_in(folder)
    except zipfile.BadZipFile as error:
        raise FileError(
            source.name, f"expected a whole file, but the packed data are damaged: {error}"
        ) from error
    if len(inside) == 1:
        name = (
            source.name if symbol_of(source.name) or source.symbol else f"{source.name}/{inside[0].filename}"
        )
        return [source._replace(name=name)]
    return [
        source._replace(name=f"{source.name}/{member.filename}", member=member.filename) for member in inside
    ]


def _known_by(source: FileSource) -> list[str | None]:
    source.file.seek(0)
    return [source.name, source.symbol, hashlib.file_digest(source.file, "sha256").hexdigest()]  # type: ignore[arg-type]
