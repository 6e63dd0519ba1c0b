"""Decompression of a file as far as possible: also when it is cut off, damaged or still being written."""

import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from services.common.compressed_files import GZIP, ZIP, FileError, files_in, only_member, unusable

_PACKED = 1 << 16
_AS_GZIP, _RAW = 31, -15
_CUT = "the packed data end too early"
# How a file in a zip begins: signature, flags, method, CRC, packed and unpacked size, lengths of its name and an extra.
_HEADER = struct.Struct("<4s2xHH4xLLLHH")
_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED, _SIZES_FOLLOW = 1, 8
_NO_DIRECTORY = (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, OverflowError)


class Unpacking:
    """The bytes inside a file, told by its content: plain, gz, or zip with one file inside.

    A zip without its end, where its directory is, is read from its beginning.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        """`name` is for messages. FileError for a zip of several files, or packed in a way that cannot be read."""
        self.descriptor = file.fileno()
        self._damage: str | None = None
        magic = file.read(2)
        file.seek(0)
        self._stream: _Stream = _Plain(file)
        if magic == GZIP:
            self._stream = _Gzip(file)
        elif magic == ZIP:
            self._stream = _zip(file, name)

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer or none where the file ends at present or is damaged."""
        found = bytearray()
        while len(found) < size and self._damage is None:
            try:
                part = self._stream.read(size - len(found))
            except _DamagedError as error:
                part, self._damage = error.before, f"the packed data are damaged: {error}"
            except (zipfile.BadZipFile, EOFError, lzma.LZMAError) as error:
                part, self._damage = b"", f"the packed data are damaged: {error}"
            if not part:
                break
            found += part
        return bytes(found)

    def lack(self) -> str | None:
        """Return why what has been read to its end is not a whole file, None if it is one."""
        return self._damage or self._stream.lack()

    def is_final(self) -> bool:
        """Return whether more could never be read, however the file grew."""
        return self._damage is not None or self._stream.final

    def size(self) -> int:
        """Return about how many bytes are inside; gz keeps it modulo 4 GiB."""
        size = os.fstat(self.descriptor).st_size
        if isinstance(self._stream, _Gzip):
            return int.from_bytes(os.pread(self.descriptor, 4, max(0, size - 4)), "little")
        return self._stream.size or size


@contextmanager
def unpacked(path: Path) -> Iterator[Unpacking]:
    """Yield the content of `path`; FileError if it cannot be opened or read."""
    try:
        with path.open("rb") as file:
            yield Unpacking(file, str(path))
    except OSError as error:
        raise unusable(path, str(error.strerror or error)) from error


class _DamagedError(Exception):
    """Packed data that are none; `before` is what came out just before them."""

    def __init__(self, reason: str, before: bytes) -> None:
        super().__init__(reason)
        self.before = before


class _Stream(Protocol):
    final: bool
    size: int

    def read(self, size: int) -> bytes: ...

    def lack(self) -> str | None: ...


class _Plain:
    def __init__(self, file: IO[bytes], final: bool = False, size: int = 0) -> None:
        self._file = file
        self.final = final
        self.size = size

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def lack(self) -> str | None:
        return None


class _Inflation:
    """One stream of packed data, from `packed` and then from the file."""

    def __init__(self, file: IO[bytes], wbits: int, packed: bytes = b"") -> None:
        self._file = file
        self._zlib = zlib.decompressobj(wbits)
        self._packed = packed
        self._more_inside = False

    @property
    def over(self) -> bool:
        return self._zlib.eof

    @property
    def rest(self) -> bytes:
        """Bytes read of the file that belong to what follows."""
        return self._zlib.unused_data

    def read(self, size: int) -> bytes:
        while not self.over:
            if not self._packed and not self._more_inside:
                self._packed = self._file.read(_PACKED)
                if not self._packed:
                    break
            before = self._zlib.copy()
            try:
                found = self._zlib.decompress(self._packed, size)
            except zlib.error as error:
                raise _DamagedError(str(error), self._until_damage(before)) from error
            self._packed = self._zlib.unconsumed_tail
            self._more_inside = len(found) == size
            if found:
                return found
        return b""

    def _until_damage(self, before: "zlib._Decompress") -> bytes:
        """Return what zlib had unpacked of the last part, but did not hand out."""
        found = bytearray()
        with suppress(zlib.error):
            for place in range(len(self._packed)):
                found += before.decompress(self._packed[place : place + 1])
        return bytes(found)


class _Gzip:
    """Any number of packed streams, one after another."""

    final = False
    size = 0

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._member: _Inflation | None = None
        self._rest = b""

    def read(self, size: int) -> bytes:
        while True:
            while self._member is None:
                packed, self._rest = self._rest or self._file.read(_PACKED), b""
                if not packed:
                    return b""
                # Between streams there may be zeros, as tapes have them.
                if packed := packed.lstrip(b"\0"):
                    self._member = _Inflation(self._file, _AS_GZIP, packed)
            if (found := self._member.read(size)) or not self._member.over:
                return found
            self._rest, self._member = self._member.rest, None

    def lack(self) -> str | None:
        return None if self._member is None else _CUT


class _Header(NamedTuple):
    """Header of a file inside a zip."""

    method: int
    crc: int
    packed: int
    unpacked: int


class _Member:
    """The first file in a zip, stored or deflated; `file` stands where it begins."""

    def __init__(self, file: IO[bytes], header: _Header, has_directory: bool) -> None:
        self._file = file
        self._header = header
        self._crc = 0
        self._left = header.packed
        self._inflation = _Inflation(file, _RAW) if header.method == zipfile.ZIP_DEFLATED else None
        self.final = has_directory
        self.size = header.unpacked if has_directory else 0

    def read(self, size: int) -> bytes:
        if self._inflation is not None:
            found = self._inflation.read(size)
        else:
            found = self._file.read(min(size, self._left))
            self._left -= len(found)
        self._crc = zlib.crc32(found, self._crc)
        return found

    def lack(self) -> str | None:
        if not (self._left == 0 if self._inflation is None else self._inflation.over):
            return _CUT
        expected = self._header.crc
        if not self.final:
            place = self._file.tell()
            try:
                # It may have come in the meantime.
                members = files_in(zipfile.ZipFile(self._file))
            except _NO_DIRECTORY:
                return "the zip's directory, with which it ends, is missing"
            finally:
                self._file.seek(place)
            if len(members) != 1:
                return f"it holds {len(members)} files, not one, and only the first was read"
            expected = members[0].CRC
        if self._crc != expected:
            return (
                f"the packed data are damaged: expected the checksum {expected:08x}, received {self._crc:08x}"
            )
        return None


def _zip(file: IO[bytes], name: str) -> _Stream:
    try:
        folder = zipfile.ZipFile(file)
    except _NO_DIRECTORY:
        return _without_directory(file, name)
    try:
        member = only_member(folder, name)
    except zipfile.BadZipFile as error:
        raise FileError(name, f"expected a zip that can be read, but {error}") from error
    (info,) = files_in(folder)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return _Plain(member, final=True, size=info.file_size)
    header = _Header(info.compress_type, info.CRC, info.compress_size, info.file_size)
    _skip_header(file, info.header_offset)
    return _Member(file, header, has_directory=True)


def _without_directory(file: IO[bytes], name: str) -> _Stream:
    place = 0
    while found := _skip_header(file, place):
        flags, inside, header = found
        if not inside.endswith(b"/"):
            break
        place = file.tell()
    else:
        return _Member(file, _Header(zipfile.ZIP_DEFLATED, 0, 0, 0), has_directory=False)
    if flags & _ENCRYPTED:
        raise FileError(name, "expected a zip that can be read, but it is encrypted")
    if header.method != zipfile.ZIP_DEFLATED and (header.method, flags & _SIZES_FOLLOW) != (0, 0):
        raise FileError(
            name, f"expected a whole zip, but its end is missing, and its method {header.method} needs it"
        )
    return _Member(file, header, has_directory=False)


def _skip_header(file: IO[bytes], place: int) -> tuple[int, bytes, _Header] | None:
    """Go to where a file in a zip begins, and return its flags, its name and more, None if it is cut off before."""
    file.seek(place)
    head = file.read(_HEADER.size)
    if len(head) < _HEADER.size:
        return None
    signature, flags, method, crc, packed, size, name_length, extra_length = _HEADER.unpack(head)
    name = file.read(name_length)
    if signature != _SIGNATURE or len(name) < name_length:
        return None
    file.seek(extra_length, os.SEEK_CUR)
    return flags, name, _Header(method, crc, packed, size)
