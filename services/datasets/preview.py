"""Preview of files before they become a dataset: the recognised dialect and the first bars."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from services.datasets.blocks import BAR, Bars, ParsedBlock, Symbols
from services.datasets.conflicts import require_one_contract
from services.datasets.dialect import SAMPLE_BYTES
from services.datasets.disorder import BarOrder
from services.datasets.reading import FileReading, reading_of
from services.datasets.report import Finding, ImportReport
from services.datasets.rows import DatasetBar
from services.datasets.sources import Upload
from services.datasets.widths import Step, width_of

LOOKED_AT_LINES = 10_000
"""Of all files together, but of each at least a tenth of it."""
SHOWN_BARS = 20


class Preview(NamedTuple):
    """`lines` were looked at, `complete` if there are no more; the width is None without two bars of a symbol."""

    files: list[FileReading]
    symbols: list[str]
    width_us: int | None
    bars: list[DatasetBar]
    lines: int
    complete: bool
    report: ImportReport


def preview(upload: Upload) -> Preview:
    """Return what the first lines of each file hold; blocks.

    FileError if one is no file of bars, UnclearFileError if it or what two have of one symbol has to be told.
    """
    symbols, report = Symbols(), ImportReport()
    order = BarOrder(symbols)
    files: list[FileReading] = []
    reads: list[ParsedBlock] = []
    lines, complete = 0, True
    sources = upload.files()
    enough = LOOKED_AT_LINES // min(10, max(1, len(sources)))
    of_files: list[Bars] = []
    for source in sources:
        with upload.opened(source, symbols, SAMPLE_BYTES) as file:
            files.append(reading_of(file, source.notes))
            through, begin = 0, len(reads)
            for read in file:
                if through >= enough:
                    complete = False
                    break
                through = read.through
                reads.append(read)
                for line, reason, kind in read.damages:
                    report.add(Finding(kind, source.name, line, reason))
                for line, reason in order.disorder(read.bars):
                    report.add(Finding("out of order", source.name, line, reason))
            lines += through
            of_files.append(_together(reads[begin:]))
    names = list(symbols)
    require_one_contract(sources, of_files, names)
    shown = [row for read in reads for row in read.bars[:SHOWN_BARS].tolist()][:SHOWN_BARS]
    bars = [
        DatasetBar(
            line, names[symbol], start_us, opened, high, low, close, None if np.isnan(volume) else volume
        )
        for line, symbol, start_us, opened, high, low, close, volume in shown
    ]
    return Preview(files, names, _width_us(of_files), bars, lines, complete, report)


def _together(reads: Sequence[ParsedBlock]) -> Bars:
    return np.concatenate([np.empty(0, BAR), *(read.bars for read in reads)])


def _width_us(of_files: Sequence[Bars]) -> int | None:
    bars = np.concatenate([np.empty(0, BAR), *of_files])
    bars = bars[np.lexsort((bars["start_us"], bars["symbol"]))]
    steps = np.diff(bars["start_us"])
    alike = np.flatnonzero((np.diff(bars["symbol"]) == 0) & (steps > 0))
    kinds, counts = np.unique(np.stack((bars["symbol"][alike], steps[alike])), axis=1, return_counts=True)
    found = [
        Step(str(code), us, bars) for code, us, bars in zip(*kinds.tolist(), counts.tolist(), strict=True)
    ]
    width = width_of(found)
    return None if width is None else width.us
