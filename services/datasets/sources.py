"""Source files of a dataset: opened, limited in size, and recognised when they come again."""

import hashlib
import json
import tempfile
import weakref
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, NamedTuple, cast

from services.common.compressed_files import ZIP, FileError, Packed, files_in, opened
from services.datasets.blocks import BLOCK_BYTES, BarFile, Symbols
from services.datasets.dialect import SAMPLE_BYTES, names_bars
from services.datasets.formats import xlsx
from services.datasets.formats.chunks import Chunks
from services.datasets.formats.opening import is_spreadsheet, text_of
from services.datasets.options import ReadOptions
from services.datasets.symbols import symbol_of, symbol_of_sheet

_MOST_MEMBERS = 1_000
_IN_MEMORY = 4 << 20
_COPY_BYTES = 1 << 20


class FileSource(NamedTuple):
    """A file, read from its beginning; `symbol` is what its bars are of if no column says it.

    `member` is the file in a zip of several, or the sheet of a spreadsheet; `notes` are of what is not read.
    """

    name: str
    file: IO[bytes]
    symbol: str | None = None
    member: str | None = None
    notes: tuple[str, ...] = ()


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
        said = {"options": self.options.given(), "files": [_known_by(source) for source in self.sources]}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()

    def files(self) -> list[FileSource]:
        """Return every file there is, those in a zip and the sheets of a spreadsheet one by one.

        FileError if a zip or a spreadsheet cannot be read.
        """
        found = [one for source in self.sources for one in self._members(source)]
        if len(found) > _MOST_MEMBERS:
            raise FileError(self.name, f"expected at most {_MOST_MEMBERS:,} files, received {len(found):,}")
        return found

    @contextmanager
    def opened(
        self, source: FileSource, symbols: Symbols, block_bytes: int = BLOCK_BYTES
    ) -> Iterator[BarFile]:
        """Yield one of the files; FileError, TooLargeError if it cannot be read to its end."""
        with self._text(source) as (stream, said):
            symbol = source.symbol or said or symbol_of(source.name)
            told = source.symbol is not None
            yield BarFile(stream, source.name, symbol, self.options, symbols, told, block_bytes)

    def has_bars(self) -> bool:
        """Return whether the first file begins as one of bars; FileError if it cannot be read."""
        return self._names_bars(self.files()[0])

    @contextmanager
    def _text(self, source: FileSource) -> Iterator[tuple[Packed, str | None]]:
        """Yield the csv that a file is or would be, and the symbol that it says beside its rows."""
        source.file.seek(0)
        if is_spreadsheet(source.file):
            sheet = source.member or ""
            book = source.name.removesuffix(f"/{sheet}")
            text = cast("Packed", Chunks(xlsx.rows(source.file, source.name, sheet)))
            yield self._bounded(text, source.name), symbol_of_sheet(book, sheet)
            return
        with opened(source.file, source.name, source.member) as stream:
            # Of what is packed, the bytes inside are counted, and of what becomes csv the csv, too.
            inside = source.file if stream is source.file else self._bounded(stream, source.name)
            with text_of(inside, source.name, self.most_bytes) as (text, said):
                yield self._bounded(text, source.name) if inside is source.file else text, said

    def _members(self, source: FileSource) -> list[FileSource]:
        source.file.seek(0)
        if is_spreadsheet(source.file):
            return self._sheets(source)
        magic = source.file.read(2)
        source.file.seek(0)
        return self._packed(source) if magic == ZIP else [source]

    def _packed(self, source: FileSource) -> list[FileSource]:
        try:
            with zipfile.ZipFile(source.file) as folder:
                inside = files_in(folder)
        except zipfile.BadZipFile as error:
            raise FileError(
                source.name, f"expected a whole file, but the packed data are damaged: {error}"
            ) from error
        if not inside:
            raise FileError(source.name, "expected a file in the zip, received none")
        found: list[FileSource] = []
        for member in inside:
            one = source._replace(name=f"{source.name}/{member.filename}", member=member.filename)
            if (book := self._spreadsheet(one)) is not None:
                found += self._sheets(one._replace(file=book))
            elif len(inside) > 1:
                found.append(one)
            else:
                named = symbol_of(source.name) or source.symbol
                found.append(source if named else source._replace(name=one.name))
        return found

    def _spreadsheet(self, source: FileSource) -> IO[bytes] | None:
        """Return a member that is a spreadsheet as a file of its own, which can be read here and there; else None."""
        with opened(source.file, source.name, source.member) as packed:
            part = packed.read(len(ZIP))
            if not part.startswith(ZIP):
                return None
            whole, book = self._bounded(packed, source.name), tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
            weakref.finalize(self, book.close)
            while part:
                book.write(part)
                part = whole.read(_COPY_BYTES)
        return cast("IO[bytes]", book)

    def _sheets(self, source: FileSource) -> list[FileSource]:
        """Return the first sheet with rows, and each other one that begins as bars do."""
        names = xlsx.sheets(source.file, source.name, self.most_bytes)
        if not names:
            raise FileError(source.name, "expected a sheet with rows, received none")
        first, *others = [source._replace(name=f"{source.name}/{name}", member=name) for name in names]
        bars = [one for one in others if self._names_bars(one)]
        left_out = tuple(
            f"sheet {one.member}: no columns of bars, not read" for one in others if one not in bars
        )
        first = first._replace(name=first.name if bars else source.name, notes=left_out)
        return [first, *bars]

    def _names_bars(self, source: FileSource) -> bool:
        with self._text(source) as (stream, _):
            return names_bars(stream.read(SAMPLE_BYTES), self.options)

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


def _known_by(source: FileSource) -> list[str | None]:
    source.file.seek(0)
    return [source.name, source.symbol, hashlib.file_digest(source.file, "sha256").hexdigest()]  # type: ignore[arg-type]
