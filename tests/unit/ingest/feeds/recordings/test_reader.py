"""Formats that can be replayed, and the one line on a file that cannot."""

import gzip
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.codec import encode
from services.common.errors import FatalError
from services.contracts.messages import Tick
from services.ingest.feed import DUPLICATE
from services.ingest.feeds.recordings.reader import Recording
from tests import builders
from tests.fixtures.recorded_frames import PATH, recording

FRAMES_BYTES = PATH.read_bytes()
TICK = encode(builders.tick(event_us=1, received_us=2, price=3.0, size=4.0))

Write = Callable[[bytes], Path]


def survey(path: Path, *symbols: str) -> set[str]:
    return Recording(path).survey(symbols).symbols


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: bytes) -> Path:
        path = tmp_path / "recording"
        path.write_bytes(content)
        return path

    return write


def test_the_committed_recording_is_what_its_generator_makes() -> None:
    assert "".join(recording()).encode() == FRAMES_BYTES, "run: python tests/fixtures/recorded_frames.py"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_formats_are_told_by_content(write: Write, pack: Callable[[bytes], bytes]) -> None:
    assert Recording(write(pack(FRAMES_BYTES))).format.name == "frames"
    assert Recording(write(pack(b"\n" + TICK + b"\n"))).format.name == "ticks"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_whole_recording_passes(write: Write, pack: Callable[[bytes], bytes]) -> None:
    assert {"BTCUSDT", "SOLUSDT"} <= survey(write(pack(FRAMES_BYTES)), "BTCUSDT", "SOLUSDT")
    assert survey(write(pack(TICK)), "BTCUSDT") == {"BTCUSDT"}


def test_damage_inside_and_a_missing_last_line_end_are_no_reason(write: Write) -> None:
    first, second, rest = FRAMES_BYTES.split(b"\n", 2)
    survey(write(b"\n".join((first, second, b"1750000000.5: {", b"noise", rest.rstrip()))), "BTCUSDT")
    survey(write(b"\n".join((b'{"x":' + b"[" * 100_000, b"{}", TICK))), "BTCUSDT")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b"wss://fstream.binance.com/market/stream <-> 1\n", "it is empty"),
        (b"time,price\n1,2\n", "line 1 is neither a recorded frame nor a tick"),
        (b"PK\x03\x04 a zip", "cut off before its first line: .*the packed data end too early"),
        (gzip.compress(FRAMES_BYTES)[:11], "cut off before its first line: .*the packed data end too early"),
        (b"\x1f\x8b damaged", "cut off before its first line: .*the packed data are damaged"),
        (
            TICK[:-9],
            "no line can be used; line 1: expected a whole line, received the first .* file ends there",
        ),
        (b"1750000000.5: noise\n{}\n", "no line can be used; line 1: expected a Binance frame.*noise"),
        (b"\0" * 3_000_000, "line 1 is neither a recorded frame nor a tick"),
    ],
)
def test_what_cannot_be_replayed_says_why(write: Write, content: bytes, complaint: str) -> None:
    with pytest.raises(FatalError, match=complaint) as caught:
        survey(write(content), "BTCUSDT")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=r"no\.txt: .*No such file"):
        survey(tmp_path / "no.txt", "BTCUSDT")
    with pytest.raises(FatalError, match="directory"):
        survey(tmp_path, "BTCUSDT")


def test_symbols_that_never_trade_are_not_found() -> None:
    assert survey(PATH, "XRPUSDT", "BTCUSDT") == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}


def frames(ids: Iterable[int]) -> bytes:
    lines = (
        f'1750000000.5: {{"e":"aggTrade","a":{one},"s":"BTCUSDT","p":"1","q":"1",'
        f'"T":{1_750_000_000_000 + one},"m":true}}\n'
        for one in ids
    )
    return "".join(lines).encode()


@given(st.lists(st.integers(100, 900), min_size=1, max_size=50, unique=True), st.data())
@settings(max_examples=50, deadline=None)
def test_connections_that_overlap_give_every_trade_once(ids: list[int], data: st.DataObject) -> None:
    """One takes over from the other: both bring the same trades, the second some later than the first others."""
    again = data.draw(st.lists(st.sampled_from(ids)))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "frames"
        path.write_bytes(frames([*ids, *again]))
        recording = Recording(path)
        items = [item for _, item in recording.items()]
    assert [item.trade_id for item in items if isinstance(item, Tick)] == ids
    assert items.count(DUPLICATE) == recording.report.duplicates == len(again)
    assert recording.report.missing == max(ids) - min(ids) + 1 - len(ids)
