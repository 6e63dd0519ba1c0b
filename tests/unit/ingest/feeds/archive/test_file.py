"""Archive files: how they are recognised, and the one line on an unreadable one."""

import gzip
import re
import zipfile
from pathlib import Path

import pytest

from services.common.errors import FatalError
from services.ingest.feeds.archive.archive import by_symbol
from services.ingest.feeds.archive.file import inside, is_archive, lowest_id
from tests.fixtures.archives import NAME, Row, text, write, zipped


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "it has no rows"),
        (text([]), "it has no rows"),
        (
            b"price,time\n1,2\n",
            r"line 1 is neither a row nor the header of the columns agg_trade_id.*price,time",
        ),
        (text([Row(1)]).replace(b"price", b"qty"), "line 1 is neither"),
        (b"1,2,3\n", "line 1 is neither"),
        (b"\x7fELF\x00\x01\x02" * 100, "line 1 is neither"),
        (b"1" * 5_000_000, "line 1 is neither"),
        (text([Row(1)])[:-3], "it has no rows; line 2: expected a whole line, received the first 36 bytes"),
        (text([Row(1)], header=False)[:-3], "line 1 is neither"),
        (text(["rubbish"] * 9), "it has no rows; line 2: expected agg_trade_id.*received b'rubbish'"),
        (gzip.compress(text([Row(1)]))[:12], "it is cut off before its first row: .*data end too early"),
        (
            gzip.compress(text([Row(1)]))[:10] + b"\xff" * 300,
            "before its first row: .*packed data are damaged",
        ),
        (zipped(text([Row(1)]))[:20], "it is cut off before its first row: .*data end too early"),
        (zipped(b""), "it has no rows"),
    ],
)
def test_what_cannot_be_read_says_in_one_line_what_and_where(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(FatalError, match=complaint) as caught:
        lowest_id(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_zip_of_several_files_and_an_encrypted_one_are_refused(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.zip"
    with zipfile.ZipFile(path, "w") as folder:
        folder.writestr("a.csv", text([Row(1)]))
        folder.writestr("b.csv", text([Row(1)]))
    with pytest.raises(FatalError, match="it holds 2 files, not one"):
        lowest_id(path)
    # Bit 0 of the flags, in the file's own header and in the directory, says that it is encrypted.
    packed = bytearray(zipped(text([Row(1)])))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(packed)
    with pytest.raises(FatalError, match="encrypted"):
        lowest_id(path)


def test_files_are_told_by_name_or_content_and_the_name_says_the_symbol(tmp_path: Path) -> None:
    named = write(tmp_path, b"", "ETHUSDT_241227-aggTrades-2024-01.zip")
    unnamed = write(tmp_path, text([Row(1)]), "trades.csv")
    other = write(tmp_path, b'{"symbol": "BTCUSDT"}\n', "ticks")
    assert [is_archive(path) for path in (named, unnamed, other)] == [True, True, False]
    assert by_symbol([named]) == {"ETHUSDT_241227": [named]}
    with pytest.raises(FatalError, match=r"expected a name such as BTCUSDT-aggTrades.*received trades\.csv"):
        by_symbol([unnamed])
    write(tmp_path, b"", "ETHUSDT_241227-aggTrades-2024-01.zip.CHECKSUM")
    assert inside(tmp_path) == [named]


def test_a_directory_without_an_archive_says_so(tmp_path: Path) -> None:
    with pytest.raises(
        FatalError, match=re.escape(f"{tmp_path}: ") + ".*no file in this directory has a name"
    ):
        inside(tmp_path)
