"""Every file of the corpus: read as it is right, or asked, by what the API and `pairstream import` share."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from services.cli.importing.dataset import is_ohlcv
from services.cli.importing.tick_files import batches
from services.common.compressed_files import FileError
from services.datasets.blocks import BAR, Symbols
from services.datasets.options import ReadOptions
from services.datasets.preview import preview
from services.datasets.questions import UnclearFileError
from services.datasets.sources import FileSource, Upload
from tests.fixtures.right_bars import RIGHT, TRADES, Asked, Right

FILES = Path(__file__).parents[2] / "fixtures" / "files"


def upload(stack: ExitStack, name: str, options: ReadOptions) -> Upload:
    return Upload("test", [FileSource(name, stack.enter_context((FILES / name).open("rb")))], options)


def test_every_file_has_its_right_bars() -> None:
    assert {path.name for path in FILES.iterdir()} == {*RIGHT, *TRADES}
    assert len(RIGHT) + len(TRADES) >= 60


@pytest.mark.parametrize("name", [name for name, right in RIGHT.items() if isinstance(right, Right)])
def test_a_file_is_read_rightly(name: str) -> None:
    right = RIGHT[name]
    assert isinstance(right, Right)
    with ExitStack() as stack:
        whole = upload(stack, name, ReadOptions(**right.options))
        found = preview(whole)
        symbols, parts = Symbols(), [np.empty(0, BAR)]
        for source in whole.files():
            with whole.opened(source, symbols) as file:
                parts += [block.bars for block in file]
    bars = np.concatenate(parts)
    first = np.sort(bars[bars["symbol"] == 0], order="start_us")
    assert tuple(symbols) == right.symbols
    assert (found.width_us, len(bars)) == (right.width_s * 1_000_000, right.bars)
    assert first["start_us"][0] == right.start_us
    assert {kind: found.report.counts[kind] for kind in right.found} == right.found
    assert found.report.counts["rejected"] == 0
    assert right.notes in "; ".join(found.files[0].notes)
    if right.values is not None:
        values = [
            tuple(None if np.isnan(one) else one for one in row)
            for row in first[list(BAR.names or ())[3:]].tolist()
        ]
        assert values == [pytest.approx(one) for one in right.values]
        steps = np.diff(first["start_us"])
        assert (steps == right.width_s * 1_000_000).all()
    assert is_ohlcv(FILES / name, ReadOptions(**right.options))


@pytest.mark.parametrize("name", [name for name, right in RIGHT.items() if isinstance(right, Asked)])
def test_a_file_that_does_not_tell_is_asked(name: str) -> None:
    asked = RIGHT[name]
    assert isinstance(asked, Asked)
    with ExitStack() as stack, pytest.raises(UnclearFileError) as error:
        preview(upload(stack, name, ReadOptions()))
    question = error.value.question
    assert question.option == asked.option
    readings = tuple((one.value, one.bars[0]["start_us"], one.bars[0]["close"]) for one in question.readings)
    assert readings == tuple(
        (value, Right(start=start).start_us, close) for value, start, close in asked.readings
    )
    for value, start, _ in asked.readings:
        with ExitStack() as stack:
            found = preview(upload(stack, name, ReadOptions().with_option(question.option, value)))
        assert (found.bars[0].start_us, found.report.counts["rejected"]) == (Right(start=start).start_us, 0)
    assert is_ohlcv(FILES / name, ReadOptions())


@pytest.mark.parametrize("name", sorted(TRADES))
def test_trades_are_no_bars(name: str) -> None:
    with ExitStack() as stack, pytest.raises(FileError):
        preview(upload(stack, name, ReadOptions()))
    assert not is_ohlcv(FILES / name, ReadOptions())
    assert sum(len(ticks.rows) for batch in batches(FILES / name, None) for ticks in batch.ticks) == 2
