"""What can be replayed, and the one line that says why something cannot."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from services.common.errors import FatalError
from services.common.messages import Tick, encode
from services.ingest.feeds.recording import FRAMES, TICKS, detect, survey
from tests.fixtures.recorded_frames import PATH, recording

FRAMES_BYTES = PATH.read_bytes()
TICK = encode(
    Tick(
        venue="binance",
        symbol="BTCUSDT",
        trade_id=1,
        event_us=1,
        received_us=2,
        price=3.0,
        size=4.0,
        buyer_is_maker=False,
    )
)

Write = Callable[[bytes], Path]


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
    assert detect(write(pack(FRAMES_BYTES))) is FRAMES
    assert detect(write(pack(b"\n" + TICK + b"\n"))) is TICKS


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_whole_recording_passes(write: Write, pack: Callable[[bytes], bytes]) -> None:
    assert survey(write(pack(FRAMES_BYTES)), ["BTCUSDT", "SOLUSDT"]) is FRAMES
    assert survey(write(pack(TICK)), ["BTCUSDT"]) is TICKS


def test_damage_inside_and_a_missing_last_line_end_are_no_reason(write: Write) -> None:
    first, second, rest = FRAMES_BYTES.split(b"\n", 2)
    survey(write(b"\n".join((first, second, b"1750000000.5: {", b"noise", rest.rstrip()))), ["BTCUSDT"])
    survey(write(b"\n".join((b'{"x":' + b"[" * 100_000, b"{}", TICK))), ["BTCUSDT"])


@pytest.mark.parametrize("keep", [-2, -20, -170])
def test_a_last_line_that_is_cut_off_is_truncated(write: Write, keep: int) -> None:
    with pytest.raises(FatalError, match=r"truncated: line 341 is cut off"):
        survey(write(FRAMES_BYTES[:keep]), ["BTCUSDT"])
    with pytest.raises(FatalError, match=r"truncated: line 2 is cut off"):
        survey(write(TICK + b"\n" + TICK[:-9]), ["BTCUSDT"])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b"wss://fstream.binance.com/market/stream <-> 1\n", "it is empty"),
        (b"time,price\n1,2\n", "line 1 is neither a recorded frame nor a tick"),
        (b"PK\x03\x04 a zip", "line 1 is neither"),
        (gzip.compress(FRAMES_BYTES)[:-9], "truncated: the gz stream ends too early"),
        (gzip.compress(FRAMES_BYTES)[:300] + b"\0" * 300, "gz stream"),
        (b"\x1f\x8b damaged", "gz stream is damaged"),
    ],
)
def test_what_cannot_be_replayed_says_why(write: Write, content: bytes, complaint: str) -> None:
    with pytest.raises(FatalError, match=complaint) as caught:
        survey(write(content), ["BTCUSDT"])
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=r"no\.txt: .*No such file"):
        survey(tmp_path / "no.txt", ["BTCUSDT"])
    with pytest.raises(FatalError, match="directory"):
        survey(tmp_path, ["BTCUSDT"])


def test_symbols_that_never_trade_are_named_beside_those_that_do() -> None:
    with pytest.raises(
        FatalError, match=r"no trades of ADAUSDT, XRPUSDT, only of BTCUSDT, ETHUSDT, SOLUSDT$"
    ):
        survey(PATH, ["XRPUSDT", "BTCUSDT", "ADAUSDT"])
