"""Archive: the same trades, whatever the order and state of its rows."""

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from services.contracts.messages import Tick
from services.ingest.feed import Rejected
from services.ingest.feeds.archive.archive import WINDOW, Archive
from services.ingest.feeds.archive.rows import COLUMNS
from services.ingest.feeds.text_file import BLOCK
from tests.fixtures.archives import NAME, START_MS, Row, text, write, zipped


class Played(NamedTuple):
    """What came out of an archive."""

    ticks: list[Tick]
    rejected: list[Rejected]
    archive: Archive


def play(*paths: Path, window: int = WINDOW, block: int = BLOCK) -> Played:
    archive = Archive("BTCUSDT", paths, window)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.ingest.feeds.archive.order.BLOCK", block)
        items = [item for _, item in archive.items()]
    ticks = [item for item in items if isinstance(item, Tick)]
    rejected = [item for item in items if isinstance(item, Rejected)]
    assert len(ticks) + len(rejected) == len(items)
    return Played(ticks, rejected, archive)


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(
    ("pack", "suffix"), [(bytes, "csv"), (gzip.compress, "csv.gz"), (zipped, "zip"), (zipped, "csv")]
)
def test_rows_become_ticks(tmp_path: Path, pack: Callable[[bytes], bytes], suffix: str, header: bool) -> None:
    rows = [Row(5, "42000.10", "0.005", START_MS + 7, "true"), Row(6, "0.1", "3", START_MS + 8, "false")]
    played = play(write(tmp_path, pack(text(rows, header)), f"{NAME}.{suffix}"))
    first = Tick(
        venue="binance",
        symbol="BTCUSDT",
        trade_id=5,
        event_us=(START_MS + 7) * 1000,
        received_us=(START_MS + 7) * 1000,
        price=42000.1,
        size=0.005,
        buyer_is_maker=True,
    )
    event_us = (START_MS + 8) * 1000
    second = structs.replace(
        first,
        trade_id=6,
        price=0.1,
        size=3.0,
        buyer_is_maker=False,
        event_us=event_us,
        received_us=event_us,
    )
    assert played.ticks == [first, second]
    assert played.archive.report.findings() == ""


@given(
    ids=st.lists(st.integers(1, 200), min_size=1, max_size=60, unique=True),
    header=st.booleans(),
    in_us=st.booleans(),
    files=st.integers(1, 3),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_any_permutation_and_duplication_of_rows_gives_the_same_ticks(
    ids: list[int], header: bool, in_us: bool, files: int, data: st.DataObject
) -> None:
    tidy = [Row(one, f"{one}.5", "1", START_MS + one // 3) for one in sorted(ids)]
    scale = 1000 if in_us else 1
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        expected = play(write(directory, text(tidy), "BTCUSDT-aggTrades-tidy.csv")).ticks
        assert [tick.trade_id for tick in expected] == sorted(ids)
        paths = []
        size = -(-len(tidy) // files)
        for number, start in enumerate(range(0, len(tidy), size)):
            # Neighbouring files share a row, and any row may come again anywhere in its file.
            part = [row._replace(time=row.time * scale) for row in tidy[start : start + size + 1]]
            again = data.draw(st.lists(st.sampled_from(part), max_size=10))
            rows = data.draw(st.permutations([*part, *again]))
            paths.append(write(directory, text(rows, header), f"BTCUSDT-aggTrades-{9 - number}.csv"))
        played = play(*data.draw(st.permutations(paths)))
    assert played.ticks == expected
    assert not played.rejected
    report = played.archive.report
    assert report.rows == len(expected) + report.duplicates + report.late
    assert report.missing == max(ids) - min(ids) + 1 - len(ids)


@given(
    files=st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=40), min_size=1, max_size=4),
    window=st.integers(1, 9),
    block=st.sampled_from([1, 100, 1000]),
)
@settings(max_examples=150, deadline=None)
def test_with_little_memory_every_trade_comes_once_and_what_is_in_order_stays_so(
    files: list[list[int]], window: int, block: int
) -> None:
    expected = {one for ids in files for one in ids}
    with tempfile.TemporaryDirectory() as name:
        for ordered in (False, True):
            paths = [
                write(
                    Path(name),
                    text([Row(one, f"{one}.5") for one in (sorted(ids) if ordered else ids)]),
                    f"BTCUSDT-aggTrades-{number}.csv",
                )
                for number, ids in enumerate(files)
            ]
            played = play(*paths, window=window, block=block)
            came = [tick.trade_id for tick in played.ticks]
            assert sorted(came) == sorted(expected)
            assert ordered <= (came == sorted(came))
            report = played.archive.report
            assert report.rows == len(came) + report.duplicates == sum(map(len, files))
            assert report.missing == max(expected) - min(expected) + 1 - len(expected)
            assert report.gaps == sum(one + 1 not in expected for one in expected) - 1
            assert bool(report.late) == (came != sorted(came))


def test_disorder_duplicates_and_gaps_are_counted(tmp_path: Path) -> None:
    rows = [Row(1), Row(3), Row(2), Row(3), Row(9), Row(9), Row(12)]
    played = play(write(tmp_path, text(rows)))
    assert [tick.trade_id for tick in played.ticks] == [1, 2, 3, 9, 12]
    assert played.archive.report.findings() == (
        "rows out of order: 1, duplicates dropped: 2, trade ids missing: 7, gaps: 2"
    )


@pytest.mark.parametrize(
    "other", [Row(2, price="1"), Row(2, size="1"), Row(2, time=START_MS + 1), Row(2, maker="false")]
)
def test_of_rows_that_contradict_each_other_the_first_stays(tmp_path: Path, other: Row) -> None:
    path = write(tmp_path, text([Row(1), Row(2), Row(2), other, Row(3)]))
    played = play(path)
    assert (
        played.ticks
        == play(write(tmp_path, text([Row(1), Row(2), Row(3)]), "BTCUSDT-aggTrades-tidy.csv")).ticks
    )
    assert [(one.raw.decode(), one.origin) for one in played.rejected] == [(str(other), f"{path}:5")]
    assert (played.archive.report.conflicting, played.archive.report.duplicates) == (1, 1)


def test_a_contradiction_between_files_is_found(tmp_path: Path) -> None:
    first = write(tmp_path, text([Row(1), Row(2)]), f"{NAME}.csv")
    second = write(tmp_path, text([Row(2, "1"), Row(3)]), "BTCUSDT-aggTrades-2024-01-02.csv")
    played = play(second, first)
    assert [tick.trade_id for tick in played.ticks] == [1, 2, 3]
    assert [one.origin for one in played.rejected] == [f"{second}:2"]


def test_a_row_that_is_too_far_from_its_place_comes_late_and_once(tmp_path: Path) -> None:
    ids = [*range(10, 30), 5, 12, *range(30, 40), 5, *range(41, 50), 40]
    path = write(tmp_path, text(list(map(Row, ids))))
    played = play(path, window=2, block=100)
    came = [tick.trade_id for tick in played.ticks]
    assert sorted(came) == sorted(set(ids))
    assert came.index(5) > came.index(20), "expected memory for a few rows only"
    report = played.archive.report
    assert (report.late, report.duplicates) == (2, 2)
    assert (report.missing, report.gaps) == (4, 1)
    assert "rows too late to be put in order: 2" in report.findings()


def test_a_gap_between_files_is_a_gap(tmp_path: Path) -> None:
    first = write(tmp_path, text([Row(1), Row(2)]), f"{NAME}.csv")
    second = write(tmp_path, text([Row(11)]), "BTCUSDT-aggTrades-2024-01-03.csv")
    report = play(first, second).archive.report
    assert (report.missing, report.gaps) == (8, 1)


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "2",
        "2,1,1,7,9,1704067200000",
        "2,nan,1,7,9,1704067200000,true",
        "2,inf,1,7,9,1704067200000,true",
        "2,1e300,1,7,9,1704067200000,true",
        "2,0,1,7,9,1704067200000,true",
        "2,-1,1,7,9,1704067200000,true",
        "2,1_0,1,7,9,1704067200000,true",
        "2,1,0,7,9,1704067200000,true",
        "-2,1,1,7,9,1704067200000,true",
        "2.0,1,1,7,9,1704067200000,true",
        "99999999999999999999,1,1,7,9,1704067200000,true",
        "2,1,1,7,9,1704067200,true",
        "2,1,1,7,9,1704067200000000000,true",
        "2,1,1,7,9,2024-01-01,true",
        "2,1,1,7,9,1704067200000,maybe",
        "2,1,1,7,9,1704067200000,falsehood",
        "2,1,1,7,9,1704067200000,true\r2,1,1,7,9,1704067200000,true",
        "2,1,1,7,9,1704067200000,true#",
        "2;1;1;7;9;1704067200000;true",
        "\x00\x01",
        COLUMNS,
    ],
)
def test_a_damaged_row_is_rejected_with_its_place_and_the_others_are_not(
    tmp_path: Path, damaged: str
) -> None:
    path = write(tmp_path, text([Row(1), damaged, *map(Row, range(3, 2000))]))
    played = play(path)
    assert [tick.trade_id for tick in played.ticks] == [1, *range(3, 2000)]
    # A blank line is no row, and nobody misses it.
    assert [(one.raw.decode(), one.origin) for one in played.rejected] == [(damaged, f"{path}:3")][
        : len(damaged)
    ]


def test_blank_lines_count_where_a_line_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, text([Row(1), "", Row(2, "0"), "", Row(3), Row(3, "1")]))
    assert [one.origin for one in play(path).rejected] == [f"{path}:4", f"{path}:7"]


@given(st.lists(st.binary(max_size=30), max_size=20))
@settings(max_examples=100, deadline=None)
def test_noise_never_does_more_than_be_rejected(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = write(Path(name), text([Row(1)]) + b"\n".join(lines) + b"\n" + str(Row(2)).encode())
        played = play(path)
    assert {1, 2} <= {tick.trade_id for tick in played.ticks}
