"""Check of replay files before the start, which reads little of them."""

import asyncio
import gzip
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from services.common.decompression import Unpacking
from services.common.errors import FatalError
from services.ingest.feed import FeedStatus, Item
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.recordings import reader
from services.ingest.feeds.replay import ReplayFeed
from services.ingest.feeds.text_file import BLOCK
from tests.fixtures.archives import NAME, Row, text
from tests.fixtures.replay_files import frame

KIB = 1 << 10


@pytest.fixture(autouse=True)
def _bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at little, and wait for nobody who writes."""
    monkeypatch.setattr("services.ingest.feeds.file_growth.STOPPED_S", 0.0)
    monkeypatch.setattr(reader, "_LOOK_BYTES", 600 * KIB)
    monkeypatch.setattr(reader, "_LAST_BYTES", 10 * KIB)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many bytes each read has given."""
    given: list[int] = []
    read = Unpacking.read

    def counted(self: Unpacking, size: int) -> bytes:
        found = read(self, size)
        given.append(len(found))
        return found

    monkeypatch.setattr(Unpacking, "read", counted)
    return given


def feed(path: Path, *symbols: str) -> ReplayFeed:
    return ReplayFeed(path, symbols, Pace(math.inf))


def recorded(path: Path, other_at: int | None, pack: Callable[[bytes], bytes] = bytes) -> Path:
    """Write 3 MiB of trades of BTCUSDT, with one of ETHUSDT in line `other_at`, counted from the end if below 0."""
    lines = [frame(number) for number in range(20_000)]
    if other_at is not None:
        lines[other_at] = lines[other_at].replace(b"BTCUSDT", b"ETHUSDT")
    path.write_bytes(pack(b"".join(lines)))
    return path


def test_no_more_is_read_than_it_takes_to_find_the_symbols(tmp_path: Path, reads: list[int]) -> None:
    path = recorded(tmp_path / "frames", 10)
    asyncio.run(feed(path, "BTCUSDT", "ETHUSDT").check())
    # To tell the format, too.
    assert sum(reads) <= 3 * BLOCK
    assert path.stat().st_size > 8 * BLOCK


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("place", [-5, 10_000])
def test_what_is_not_in_the_first_part_may_come_later_and_does(
    tmp_path: Path, reads: list[int], place: int, pack: Callable[[bytes], bytes]
) -> None:
    path = recorded(tmp_path / "frames", place, pack)
    replay = feed(path, "BTCUSDT", "ETHUSDT")
    asyncio.run(replay.check())
    assert sum(reads) <= 600 * KIB + 4 * BLOCK

    async def run() -> list[Item]:
        return [item async for item in replay.stream()]

    assert "no trades" not in str(asyncio.run(run())[-1])


def test_the_last_part_of_a_plain_file_is_looked_at(tmp_path: Path) -> None:
    path = recorded(tmp_path / "frames", -5)
    assert reader.Recording(path).survey(["ETHUSDT"]).symbols == {"BTCUSDT", "ETHUSDT"}
    path = recorded(tmp_path / "frames", 10_000)
    assert reader.Recording(path).survey(["ETHUSDT"]) == ({"BTCUSDT"}, False)


def test_a_symbol_that_never_came_is_said_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replay = feed(recorded(tmp_path / "frames", None), "BTCUSDT", "ETHUSDT")

    async def run() -> list[Item]:
        await replay.check()
        return [item async for item in replay.stream()]

    assert asyncio.run(run())[-1] == FeedStatus("running", "no trades of ETHUSDT")
    assert "no trades came" in capsys.readouterr().out


def test_of_a_large_file_that_has_nothing_little_is_read(tmp_path: Path, reads: list[int]) -> None:
    path = tmp_path / "frames"
    path.write_bytes(b"1704067200.0: noise\n" * 200_000)
    with pytest.raises(FatalError, match="no line can be used; line 1: expected a Binance frame"):
        asyncio.run(feed(path, "BTCUSDT").check())
    assert sum(reads) <= 600 * KIB + 4 * BLOCK


def test_of_an_archive_its_first_rows_are_read(tmp_path: Path, reads: list[int]) -> None:
    path = tmp_path / f"{NAME}.csv"
    path.write_bytes(text(list(map(Row, range(50_000)))))
    asyncio.run(feed(path, "BTCUSDT").check())
    assert sum(reads) <= 2 * BLOCK
    assert path.stat().st_size > 7 * BLOCK
