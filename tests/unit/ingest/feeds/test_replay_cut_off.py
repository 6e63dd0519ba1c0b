"""Replay of a cut-off file: every whole line, and one report of the rest."""

import asyncio
import math
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.common.errors import FatalError
from services.contracts.messages import Tick
from services.ingest.feed import FeedStatus, Item, Rejected
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.replay import ReplayFeed
from tests.fixtures.replay_files import KINDS, PACKINGS, SYMBOL, Kind, Packing

pytestmark = pytest.mark.usefixtures("_nobody_writes")

NUMBERS = range(1, 13)


async def replayed(path: Path) -> list[Item]:
    feed = ReplayFeed(path, (SYMBOL,), Pace(math.inf))
    await feed.check()
    return [item async for item in feed.stream()]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("packing", PACKINGS, ids=lambda packing: packing.name)
@given(share=st.floats(0, 1))
@example(share=0.0)
@example(share=1.0)
@settings(max_examples=30, deadline=None)
def test_any_cut_leaves_exactly_the_whole_lines_before_it(
    tmp_path_factory: pytest.TempPathFactory, kind: Kind, packing: Packing, share: float
) -> None:
    path = tmp_path_factory.mktemp("cut") / kind.name
    packed = packing.pack(kind.content(NUMBERS))
    cut = packed[: round(share * len(packed))]
    path.write_bytes(cut)
    ids, half = kind.ids_in(packing.unpack(cut), NUMBERS)
    if not ids:
        with pytest.raises(FatalError) as refused:
            asyncio.run(replayed(path))
        assert "\n" not in str(refused.value)
        return
    items = asyncio.run(replayed(path))
    assert [item.trade_id for item in items if isinstance(item, Tick)] == ids
    rejected = [item for item in items if isinstance(item, Rejected)]
    assert [item.raw for item in rejected] == [half] * bool(half.strip())
    for item in rejected:
        assert f"received the first {len(half)} bytes of one" in item.reason
        line = kind.content(ids).count(b"\n") + 1
        assert item.origin == f"{path}:{line}"
    is_cut = bool(half.strip()) or (packing.name != "plain" and len(cut) < len(packed))
    assert isinstance(items[-1], FeedStatus) == is_cut
    if is_cut:
        said = str(items[-1])
        assert "files cut off: 1" in said
        assert "the file ends there" in said or "too early" in said or "directory" in said


def test_damage_in_packed_data_ends_the_file_there(tmp_path: Path) -> None:
    kind, gz = KINDS[0], PACKINGS[1]
    packed = bytearray(gz.pack(kind.content(range(5_000))))
    packed[len(packed) // 2 : len(packed) // 2 + 50] = b"\xff" * 50
    path = tmp_path / kind.name
    path.write_bytes(packed)
    items = asyncio.run(replayed(path))
    ids = [item.trade_id for item in items if isinstance(item, Tick)]
    assert ids[:1_000] == list(range(1_000))
    assert len(ids) < 5_000
    assert "the packed data are damaged" in str(items[-1])


def test_a_cut_without_a_half_line_is_logged_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kind, gz = KINDS[0], PACKINGS[1]
    path = tmp_path / kind.name
    path.write_bytes(gz.pack(kind.content(NUMBERS))[:-8])
    items = asyncio.run(replayed(path))
    assert len([item for item in items if isinstance(item, Tick)]) == len(NUMBERS)
    assert capsys.readouterr().out.count("a file is cut off") == 1


def test_a_damaged_file_beside_a_sound_one_is_refused_if_nothing_in_it_can_be_used(tmp_path: Path) -> None:
    sound, empty = tmp_path / "sound", tmp_path / "empty"
    sound.write_bytes(KINDS[0].content(NUMBERS))
    empty.write_bytes(KINDS[0].content([1])[:-9])
    with pytest.raises(FatalError, match=f"^{empty}: .*no line can be used; line 2: expected a whole line"):
        asyncio.run(replayed(Path(f"{sound},{empty}")))
