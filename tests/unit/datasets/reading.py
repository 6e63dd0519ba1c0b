"""Files of bars for tests, and what they are read as."""

import io

import numpy as np

from services.datasets.blocks import Symbols
from services.datasets.options import Options
from services.datasets.rows import Bar, Damage
from services.datasets.sources import Source, Upload

UTC = Options()


def read(
    text: str | bytes, options: Options = UTC, name: str = "BTCUSDT-1m.csv", symbol: str | None = None
) -> tuple[list[Bar], list[Damage]]:
    """Return the bars and the damages in a file, in its order; FileError as the reader."""
    content = text.encode() if isinstance(text, str) else text
    upload = Upload("test", [Source(name, io.BytesIO(content), symbol)], options)
    symbols = Symbols()
    with upload.opened(upload.sources[0], symbols) as file:
        reads = list(file)
    names = list(symbols)
    bars = [Bar(line, names[code], *amounts) for one in reads for line, code, *amounts in one.bars.tolist()]
    return [
        bar if bar.volume is None or not np.isnan(bar.volume) else bar._replace(volume=None) for bar in bars
    ], [damage for one in reads for damage in one.damages]
