"""Memory of a replay: bounded, however large the file; measured in a child process."""

import gzip
import subprocess
import sys
import zipfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fixtures.archives import NAME
from tests.fixtures.replay_files import frame, ndjson

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="this system does not say how much memory a process had"
)

MB = 1_000_000
# A small file comes first, so that only what grows with the file is measured.
PLAY = """
import asyncio, math, re, sys
from pathlib import Path
from services.ingest.feeds import file_growth
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.replay import ReplayFeed

file_growth.STOPPED_S = 0.0

def most():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

async def play(path):
    feed = ReplayFeed(Path(path), ("BTCUSDT",), Pace(math.inf))
    await feed.check()
    items = 0
    async for _ in feed.stream():
        items += 1
    return items

asyncio.run(play(sys.argv[1]))
before = most()
items = asyncio.run(play(sys.argv[2]))
print(items, most() - before)
"""


def large(path: Path, size: int) -> int:
    """Write a file whose content has about `size` bytes, and return how many trades are in it."""
    # Most of a frame is a field that is not ours: many bytes at little cost.
    filler = b'"other":"' + b"x" * 1_500 + b'",'
    number = 0
    with ExitStack() as opened:
        if path.suffix == ".zip":
            folder = opened.enter_context(zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1))
            write = opened.enter_context(folder.open(f"{NAME}.csv", "w")).write
        elif path.suffix == ".gz":
            write = opened.enter_context(gzip.open(path, "wb", compresslevel=1)).write
        else:
            write = opened.enter_context(path.open("wb")).write
        while size > 0:
            lines = []
            for number in range(number + 1, number + 2_001):  # noqa: B020
                if path.name.startswith(NAME):
                    lines.append(b"%d,42000.1,0.005,1,1,%d,true\n" % (number, 1_704_067_200_000 + number))
                elif "ndjson" in path.name:
                    lines.append(ndjson(number).replace(b"{", b"{" + filler, 1))
                else:
                    lines.append(frame(number).replace(b'{"data":{', b'{"data":{' + filler, 1))
            size -= write(b"".join(lines))
    return number


@pytest.mark.parametrize(
    ("name", "size"),
    [("frames", 60 * MB), ("frames.gz", 60 * MB), ("ticks.ndjson", 60 * MB), (f"{NAME}.zip", 40 * MB)],
)
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str, size: int) -> None:
    (tmp_path / "small").mkdir()
    small, path = tmp_path / "small" / name, tmp_path / name
    large(small, 6 * MB)
    trades = large(path, size)
    result = subprocess.run(
        [sys.executable, "-c", PLAY, small, path], capture_output=True, text=True, timeout=100, check=False
    )
    assert result.returncode == 0, result.stderr
    items, grown = map(int, result.stdout.split()[-2:])
    assert items >= trades
    assert grown < 32 * MB
