"""Files of bars for tests, and the bars read from them."""

import io

import numpy as np

from services.datasets.blocks import Symbols
from services.datasets.options import ReadOptions
from services.datasets.rows import DatasetBar, RowProblem
from services.datasets.sources import FileSource, Upload

UTC = ReadOptions()


def read(
    text: str | bytes, options: ReadOptions = UTC, name: str = "BTCUSDT-1m.csv", symbol: str | None = None
) -> tuple[list[DatasetBar], list[RowProblem]]:
    """Return the bars and the damages in a file, in its order; FileError as the reader."""
    content = text.encode() if isinstance(text, str) else text
    upload = Upload("test", [FileSource(name, io.BytesIO(content), symbol)], options)
    symbols = Symbols()
    with upload.opened(upload.files()[0], symbols) as file:
        reads = list(file)
    names = list(symbols)
    bars = [
        DatasetBar(line, names[code], *amounts) for one in reads for line, code, *amounts in one.bars.tolist()
    ]
    return [
        bar if bar.volume is None or not np.isnan(bar.volume) else bar._replace(volume=None) for bar in bars
    ], [damage for one in reads for damage in one.damages if damage.kind == "rejected"]
