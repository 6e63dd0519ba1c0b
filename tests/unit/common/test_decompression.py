"""Decompression of files that are cut off or damaged."""

import bz2
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.decompression import unpacked
from services.common.errors import FatalError

Pack = Callable[[bytes], bytes]


def zipped(content: bytes, method: int = zipfile.ZIP_DEFLATED, folder: bool = False) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        if folder:
            archive.mkdir("folder")
        archive.writestr("folder/content" if folder else "content", content)
    return file.getvalue()


def twice(content: bytes) -> bytes:
    """Pack as a tape would: two streams, and zeros after each."""
    middle = len(content) // 2
    return gzip.compress(content[:middle]) + b"\0" * 9 + gzip.compress(content[middle:]) + b"\0" * 5


PACKS: dict[str, Pack] = {
    "plain": bytes,
    "gz": gzip.compress,
    "two gz": twice,
    "zip": zipped,
    "stored": lambda content: zipped(content, zipfile.ZIP_STORED),
    "zip with a folder": lambda content: zipped(content, folder=True),
}
CONTENTS = st.binary(max_size=300).map(lambda some: b"content " + some * 40)


def read(path: Path, size: int = 64) -> tuple[bytes, str | None]:
    found = bytearray()
    with unpacked(path) as file:
        while part := file.read(size):
            assert len(part) <= size
            found += part
        return bytes(found), file.lack()


def inflated(packed: bytes, wbits: int) -> bytes:
    return zlib.decompressobj(wbits).decompress(packed)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("unpacking") / "file"


@pytest.mark.parametrize("name", PACKS)
@given(content=CONTENTS, size=st.sampled_from([1, 7, 64, 100_000]))
@settings(max_examples=20, deadline=None)
def test_a_whole_file_gives_all_of_it_and_lacks_nothing(
    path: Path, name: str, content: bytes, size: int
) -> None:
    path.write_bytes(PACKS[name](content))
    assert read(path, size) == (content, None)


@pytest.mark.parametrize("name", PACKS)
@given(content=CONTENTS, data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_file_that_is_cut_off_gives_all_before_the_cut(
    path: Path, name: str, content: bytes, data: st.DataObject
) -> None:
    whole = PACKS[name](content)
    cut = whole[: data.draw(st.integers(2, len(whole) - 1))]
    path.write_bytes(cut)
    found, lack = read(path)
    assert content.startswith(found)
    if name == "plain":
        assert (found, lack) == (cut, None)
    elif name == "gz":
        assert (found, lack) == (inflated(cut, 31), "the packed data end too early")
    elif name == "two gz":
        first = len(gzip.compress(content[: len(content) // 2]))
        assert (lack is None) == (first <= len(cut) <= first + 9 or len(cut) >= len(whole) - 5)
    else:
        assert lack is not None


@pytest.mark.parametrize("name", ["gz", "two gz", "zip", "stored"])
@given(content=CONTENTS, data=st.data())
@settings(max_examples=60, deadline=None)
def test_damage_is_never_more_than_said(path: Path, name: str, content: bytes, data: st.DataObject) -> None:
    packed = bytearray(PACKS[name](content))
    place = data.draw(st.integers(2, len(packed) - 1))
    packed[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(packed)
    try:
        found, lack = read(path)
    except FatalError:
        return
    assert found == content or lack is not None


def test_all_before_the_damage_comes_and_a_wrong_checksum_is_said(path: Path) -> None:
    content = b"".join(b"%d\n" % number for number in range(5_000))
    packed = bytearray(gzip.compress(content))
    packed[-5] ^= 1
    path.write_bytes(packed)
    found, lack = read(path)
    assert found == content
    assert lack is not None
    assert "incorrect" in lack
    path.write_bytes(zipped(content, zipfile.ZIP_STORED).replace(b"4711\n", b"4712\n"))
    found, lack = read(path)
    assert len(found) == len(content)
    assert lack is not None
    assert "expected the checksum" in lack


@pytest.mark.parametrize("name", PACKS)
@given(content=CONTENTS, data=st.data())
@settings(max_examples=30, deadline=None)
def test_what_is_appended_is_read(path: Path, name: str, content: bytes, data: st.DataObject) -> None:
    whole = PACKS[name](content)
    # The beginning of a zip says where in it the content begins.
    first = 160 if name.startswith(("zip", "stored")) else 2
    places = sorted(data.draw(st.sets(st.integers(first, max(first, len(whole))), min_size=1, max_size=4)))
    path.write_bytes(whole[: places[0]])
    found = bytearray()
    with unpacked(path) as file, path.open("ab") as writer:
        for low, high in zip(places, [*places[1:], len(whole)], strict=True):
            while part := file.read(50):
                found += part
            writer.write(whole[low:high])
            writer.flush()
        while part := file.read(50):
            found += part
        assert file.lack() is None
    assert found == content


def test_what_cannot_be_read_at_all_is_one_line(path: Path, tmp_path: Path) -> None:
    several = io.BytesIO()
    with zipfile.ZipFile(several, "w") as archive:
        archive.writestr("a", b"a")
        archive.writestr("b", b"b")
    locked = bytearray(zipped(b"content"))
    locked[6] |= 1
    sizes_follow = bytearray(zipped(b"content", zipfile.ZIP_STORED))
    sizes_follow[6] |= 8
    for content, complaint in (
        (several.getvalue(), "it holds 2 files, not one"),
        (bytes(locked[:60]), "it is encrypted"),
        (bytes(sizes_follow[:60]), "its end is missing, and its method 0 needs it"),
        (zipped(b"content", zipfile.ZIP_BZIP2)[:60], "its end is missing, and its method 12 needs it"),
    ):
        path.write_bytes(content)
        with pytest.raises(FatalError, match=complaint):
            read(path)
    with pytest.raises(FatalError, match=r"no: .*No such file"):
        read(tmp_path / "no")


def test_other_methods_of_a_whole_zip(path: Path) -> None:
    content = bz2.compress(b"content" * 100)
    path.write_bytes(zipped(content, zipfile.ZIP_BZIP2))
    assert read(path) == (content, None)


def test_a_second_file_that_comes_later_is_said(path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"content")
        first = packed.tell()
        archive.writestr("b", b"more")
    path.write_bytes(packed.getvalue()[:first])
    with unpacked(path) as file:
        assert file.read(100) == b"content"
        assert file.lack() == "the zip's directory, with which it ends, is missing"
        path.write_bytes(packed.getvalue())
        assert file.lack() == "it holds 2 files, not one, and only the first was read"


@pytest.mark.parametrize("name", PACKS)
def test_the_size_inside(path: Path, name: str) -> None:
    content = b"content" * 1000
    packed = PACKS[name](content)
    path.write_bytes(packed)
    with unpacked(path) as file:
        assert file.size() == len(content) if name != "two gz" else file.size() >= 0
    path.write_bytes(packed[:70])
    with unpacked(path) as file:
        assert file.size() >= 0
