"""Whole lines of a file, wherever it ends and whoever still writes it."""

import gzip
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.feeds import file_growth, text_file
from services.ingest.feeds.file_growth import FileGrowth
from services.ingest.feeds.text_file import Block, CutOff, FileDamage, Found, TextFile

LINE = st.binary(max_size=12).map(lambda line: line.replace(b"\n", b""))
# Not packed, by its first bytes.
LINES = st.lists(LINE, max_size=30).map(lambda lines: [b"first", *lines])
SIZES = st.sampled_from([1, 5, 64, 4096])


def is_whole(line: bytes) -> bool:
    return line.endswith(b"!")


def numbered(found: list[Found]) -> list[tuple[int, bytes]]:
    """Return the lines in blocks, without the nothing behind the last line end."""
    return [
        (number, line)
        for block in found
        if isinstance(block, Block)
        for number, line in enumerate(block.lines.removesuffix(b"\n").split(b"\n"), block.number)
    ]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("text") / "file"


def read(path: Path, size: int = 4096) -> list[Found]:
    return [found for found in TextFile(path, is_whole).blocks(size) if found is not None]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@given(lines=LINES, size=SIZES)
@settings(max_examples=40, deadline=None)
def test_lines_come_once_with_their_numbers(
    path: Path, pack: Callable[[bytes], bytes], lines: list[bytes], size: int
) -> None:
    path.write_bytes(pack(b"".join(line + b"\n" for line in lines)))
    assert numbered(read(path, size)) == list(enumerate(lines, 1))


@given(lines=LINES, size=SIZES, data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_half_line_is_no_line_and_is_said_once(
    path: Path, lines: list[bytes], size: int, data: st.DataObject
) -> None:
    content = b"".join(line + b"!\n" for line in lines)
    cut = content[: data.draw(st.integers(0, len(content)))]
    path.write_bytes(cut)
    found = read(path, size)
    # A line of which nothing but the end is missing is whole; a blank one is no line.
    *whole, rest = cut.split(b"\n")
    if rest.strip() and is_whole(rest):
        whole.append(rest)
        rest = b""
    assert numbered(found) == list(enumerate(whole, 1))
    halves = [one for one in found if not isinstance(one, Block)]
    assert [(one.number, one.line) for one in halves] == [(len(whole) + 1, rest)] * bool(rest.strip())
    assert all(isinstance(one, CutOff) and "the file ends there" in one.reason for one in halves)


def test_packed_data_that_end_too_early_are_said_where_it_was(path: Path) -> None:
    path.write_bytes(gzip.compress(b"one!\ntwo!\nthree!\n")[:-4])
    *_, end = read(path)
    assert end == CutOff(3, b"", "expected a whole file, but the packed data end too early")


@pytest.mark.parametrize("size", [10, 64])
@pytest.mark.parametrize("ending", [b"", b"\n", b"\nlast!", b"\nlast!\n"])
def test_a_line_that_is_too_long_is_damage_of_which_the_beginning_is_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch, ending: bytes, size: int
) -> None:
    monkeypatch.setattr(text_file, "LONGEST_LINE", 100)
    path.write_bytes(b"first!\n" + b"x" * 1000 + ending)
    found = read(path, size)
    expected = [(1, b"first!"), (3, b"last!")] if b"last" in ending else [(1, b"first!")]
    assert numbered(found) == expected
    reason = "expected a line of at most 100 bytes, received a longer one"
    assert [one for one in found if not isinstance(one, Block)] == [FileDamage(2, b"x" * 100, reason)]


@pytest.fixture(scope="module")
def _fast_clock() -> Iterator[None]:
    """Let three seconds pass whenever somebody asks, and all files be written just now."""
    seconds = iter(range(0, 1_000_000, 3)).__next__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_file, "FileGrowth", lambda file: FileGrowth(file, seconds, lambda: 0.0))
        yield


@pytest.mark.usefixtures("_fast_clock")
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@given(lines=LINES, size=SIZES, data=st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_appended_is_read_as_if_it_had_been_there(
    path: Path, pack: Callable[[bytes], bytes], lines: list[bytes], size: int, data: st.DataObject
) -> None:
    packed = pack(b"".join(line + b"!\n" for line in lines))
    places = sorted(data.draw(st.sets(st.integers(2, len(packed) - 1), max_size=5)))
    first, *parts = [packed[low:high] for low, high in pairwise([0, *places, len(packed)])]
    path.write_bytes(first)
    found: list[Found] = []
    waits = 0
    for one in TextFile(path, is_whole, follow=True).blocks(size):
        if one is not None:
            found.append(one)
        elif parts:
            with path.open("ab") as file:
                file.write(parts.pop(0))
        else:
            waits += 1
    assert not parts
    assert numbered(found) == [(number, line + b"!") for number, line in enumerate(lines, 1)]
    assert waits * 3 == pytest.approx(file_growth.STOPPED_S, abs=3), (
        "expected the end when nothing came for so long"
    )
