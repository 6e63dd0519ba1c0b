"""Recordings are read by replay as written."""

import gzip
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.common.errors import FatalError
from services.contracts.messages import Tick
from services.ingest.feed import DUPLICATE, SKIPPED, Counted, Rejected
from services.ingest.feeds.recordings.reader import Recording
from services.ingest.feeds.recordings.writer import create
from services.ingest.venues.binance.frames import parse
from services.ingest.venues.venue import Acknowledgement, Event

URL = "wss://fstream.binance.com/market/stream?streams=btcusdt@aggTrade"


def frame(number: int, price: str) -> bytes:
    """Return a trade; each number is a symbol of its own, so that none repeats another."""
    symbol = f"X{number}USDT"
    return (
        f'{{"stream":"{symbol.lower()}@aggTrade","data":{{"e":"aggTrade","a":7,"s":"{symbol}","p":"{price}",'
        f'"q":"0.5",\n"T":1750000000000,"m":true}}}}'
    ).encode()


def events(raw: bytes, received_us: int) -> Sequence[Event]:
    parsed = parse(raw, received_us)
    return () if isinstance(parsed, Acknowledgement) else parsed


FRAMES = st.one_of(
    st.builds(frame, st.integers(0, 10**9), st.decimals(1, 10**6, places=2).map(str)),
    st.just(b'{"result":null,"id":1}'),
    st.binary(max_size=50),
)
# Every microsecond of a receipt time has to survive.
TIMES = st.integers(1_500_000_000 * SECOND, 4_000_000_000 * SECOND)


@given(frames=st.lists(st.tuples(FRAMES, TIMES), min_size=1), packed=st.booleans())
@settings(max_examples=100, deadline=None)
def test_frames_and_their_times_come_back(frames: list[tuple[bytes, int]], packed: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / ("frames.gz" if packed else "frames")
        with create(path) as writer:
            for raw, received_us in frames:
                writer.connection(URL, received_us)
                writer.frame(raw, received_us)
        assert writer.frames == len(frames)
        content = path.read_bytes()
        assert content.startswith(b"\x1f\x8b") is packed
        assert len(gzip.decompress(content) if packed else content) == writer.bytes
        items = list(Recording(path).items())
    assert [received_us for received_us, _ in items] == [received_us for _, received_us in frames]
    for (raw, received_us), (_, item) in zip(frames, items, strict=True):
        match item:
            case Tick():
                assert [item] == list(events(raw, received_us))
            case Counted():
                assert item == DUPLICATE
            case Rejected():
                assert item.raw.partition(b": ")[2].split() == raw.split()
            case _:
                assert item is SKIPPED
                assert raw.strip() == b"pong" or not events(raw, received_us)


def test_the_format_is_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    with create(path) as writer:
        writer.connection(URL, 1_626_992_740_179_554)
        writer.frame(b'{"a":1}', 1_626_992_741_000_007)
    assert path.read_text() == f'{URL} <-> 1626992740.179554\n1626992741.000007: {{"a":1}}\n'


@pytest.mark.parametrize("name", ["frames", "frames.gz"])
def test_a_file_that_exists_is_left_alone_unless_it_may_be_replaced(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"precious")
    with pytest.raises(FatalError, match=f"{name}: expected a new file, but it exists"), create(path):
        pass
    assert path.read_bytes() == b"precious"
    with create(path, replace=True) as writer:
        writer.frame(b"{}", SECOND)
    assert path.read_bytes() != b"precious"


def write(path: Path, lines: int) -> None:
    with create(path, replace=True) as writer:
        for _ in range(lines):
            writer.frame(b"{}", SECOND)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_full_disk_is_one_line(lines: int) -> None:
    with pytest.raises(FatalError, match="/dev/full: expected to write to it, received: No space left"):
        write(Path("/dev/full"), lines)


def test_a_place_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="no/frames: expected to write to it, received: No such file"):
        write(tmp_path / "no" / "frames", 1)
