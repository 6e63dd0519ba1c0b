"""Tick files: every line is in one batch, ticks and damage alike, wherever reading begins."""

import gzip
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.cli.importing import tick_files
from services.cli.importing.dataset import is_ohlcv
from services.cli.importing.tick_files import TickBatch, batches, unpacked_size
from services.common.codec import encode
from services.common.errors import FatalError
from services.contracts.messages import Tick
from tests import builders
from tests.fixtures.replay_files import KINDS, PACKINGS, SYMBOL, Kind, Packing

HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
NAME = "BTCUSDT-aggTrades-2026-01-01.csv"


def row(trade_id: int) -> str:
    return f"{trade_id},65000.5,0.25,{trade_id},{trade_id},{1767225600000 + trade_id},true"


def tick(trade_id: int, symbol: str) -> Tick:
    return builders.tick(
        venue="okx",
        symbol=symbol,
        trade_id=trade_id,
        event_us=1_767_225_600_000_001 + trade_id,
        received_us=1_767_225_600_000_007 + trade_id,
        price=1.5,
        size=2.5,
        buyer_is_maker=trade_id % 2 == 0,
        repaired=trade_id % 3 == 0,
    )


def ids(found: Iterator[TickBatch]) -> list[tuple[str, int, int]]:
    return [
        (one.symbol, trade_id, line)
        for batch in found
        for one in batch.ticks
        for trade_id, line in one.rows[["trade_id", "line"]].tolist()
    ]


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tick_files, "BATCH_ROWS", 3)


def test_an_archive_comes_in_batches_and_goes_on_after_any_of_them(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text("\n".join([HEADER, *map(row, range(10)), "rubbish", row(10)]) + "\n")
    found = list(batches(path, None))
    assert ids(iter(found)) == [("BTCUSDT", n, n + 2 + n // 10) for n in range(11)]
    assert [one.number for batch in found for one in batch.rejected] == [12]
    assert max(len(batch.ticks[0].rows) for batch in found) <= 3
    assert (found[-1].through, found[-1].read) == (13, path.stat().st_size - len(HEADER) - 1)
    for batch in found[:-1]:
        again = ids(batches(path, None, batch.through))
        assert [line for _, _, line in again] == [n for n in range(batch.through + 1, 14) if n != 12]
    assert ids(batches(path, None, found[-1].through)) == []


def test_an_archive_without_a_name_needs_a_symbol(tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    path.write_text(row(1) + "\n")
    assert ids(batches(path, "ETHUSDT")) == [("ETHUSDT", 1, 1)]
    with pytest.raises(FatalError, match=r"trades\.csv"):
        batches(path, None)


@given(symbols=st.lists(st.sampled_from("AB"), min_size=1, max_size=20), after=st.integers(0, 20))
def test_a_recording_is_read_from_any_line_on(
    tmp_path_factory: pytest.TempPathFactory, symbols: list[str], after: int
) -> None:
    path = tmp_path_factory.mktemp("ticks") / "ticks.ndjson"
    trades = [tick(number, f"{symbol}USDT") for number, symbol in enumerate(symbols)]
    path.write_bytes(b"\n".join(map(encode, trades)))
    expected = [(one.symbol, one.trade_id, one.trade_id + 1) for one in trades]
    assert sorted(ids(batches(path, None, after))) == sorted(expected[after:])
    assert ids(batches(path, "AUSDT", after)) == [one for one in expected[after:] if one[0] == "AUSDT"]


def test_a_tick_keeps_every_field(tmp_path: Path) -> None:
    path = tmp_path / "ticks.ndjson"
    path.write_bytes(encode(tick(9, "BTCUSDT.OKX")) + b"\n{}\n")
    (batch,) = batches(path, None)
    (ticks,) = batch.ticks
    assert (ticks.venue, ticks.symbol) == ("okx", "BTCUSDT.OKX")
    assert ticks.rows.tolist() == [
        (9, 1_767_225_600_000_010, 1_767_225_600_000_016, 1.5, 2.5, False, True, 1)
    ]
    assert [one.number for one in batch.rejected] == [2]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("packing", PACKINGS, ids=lambda packing: packing.name)
@given(share=st.floats(0, 1), after=st.integers(0, 15))
@settings(deadline=None, max_examples=30)
def test_of_a_file_that_is_cut_off_every_whole_line_comes_and_one_finding(
    tmp_path_factory: pytest.TempPathFactory, kind: Kind, packing: Packing, share: float, after: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / kind.name
    numbers = range(1, 13)
    packed = packing.pack(kind.content(numbers))
    cut = packed[: round(share * len(packed))]
    path.write_bytes(cut)
    whole, half = kind.ids_in(packing.unpack(cut), numbers)
    if not whole:
        return
    first_line = 1 + kind.head.count(b"\n")
    found = list(batches(path, None, after))
    expected = [(SYMBOL, one, one + first_line - 1) for one in whole]
    assert ids(iter(found)) == [one for one in expected if one[2] > after]
    rejected = [one for batch in found for one in batch.rejected]
    last_line = first_line + len(whole) - 1
    if half.strip():
        is_new = last_line + 1 > after
        assert [(one.number, one.line) for one in rejected] == [(last_line + 1, half)] * is_new
    elif packing.name != "plain" and len(cut) < len(packed):
        assert [(one.number, one.line) for one in rejected] == [(last_line, b"")]
    else:
        assert not rejected
    assert after >= last_line or found[-1].through >= last_line
    assert is_ohlcv(path) is False
    assert unpacked_size(path) > 0


def test_the_size_of_what_is_in_a_file(tmp_path: Path) -> None:
    text = (row(1) + "\n").encode() * 1_000
    plain, gz, folder = tmp_path / "a.csv", tmp_path / "a.csv.gz", tmp_path / "a.zip"
    plain.write_bytes(text)
    gz.write_bytes(gzip.compress(text))
    with zipfile.ZipFile(folder, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.csv", text)
    assert [unpacked_size(path) for path in (plain, gz, folder)] == [len(text)] * 3
