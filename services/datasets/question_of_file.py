"""Question of a file that can be read in several ways, with the first bars of each reading."""

from typing import Any

from services.common import clock
from services.common.compressed_files import FileError
from services.datasets.dialect import BOM, Dialect, recognise
from services.datasets.options import ReadOptions
from services.datasets.questions import Question, Reading, UnclearError, UnclearFileError
from services.datasets.rows import DatasetBar, parse_row

SHOWN_BARS = 3
_LOOKED_AT_LINES = 50


def question_of_file(
    unclear: UnclearError, sample: bytes, name: str, symbol: str | None, options: ReadOptions
) -> UnclearFileError:
    """Return the question that a file puts, with what each reading makes of its first lines."""
    readings = [
        Reading(value, _first_bars(sample, name, symbol, options.told(unclear.option, value)))
        for value in unclear.values
    ]
    shown = "; ".join(
        f"{unclear.option}={one.value} gives " + (_words(one.bars[0]) if one.bars else "no bar")
        for one in readings
    )
    return UnclearFileError(name, f"{unclear}: {shown}", Question(unclear.option, readings))


def _first_bars(sample: bytes, name: str, symbol: str | None, options: ReadOptions) -> list[dict[str, Any]]:
    """Return the first bars by `options`; of what else is not told the first reading is taken."""
    dialect: Dialect | None = None
    while dialect is None:
        try:
            dialect = recognise(sample, name, options)
        except UnclearError as unclear:
            options = options.told(unclear.option, unclear.values[0])
        except FileError:
            return []
    lines = sample.removeprefix(BOM).split(b"\n")[dialect.header : dialect.header + _LOOKED_AT_LINES]
    found = (parse_row(n, line, dialect, symbol or "?") for n, line in enumerate(lines, dialect.header + 1))
    bars = [one for one in found if isinstance(one, DatasetBar)]
    return [bar._asdict() for bar in bars[:SHOWN_BARS]]


def _words(bar: dict[str, Any]) -> str:
    volume = "" if bar["volume"] is None else f", volume {bar['volume']:g}"
    return f"{clock.to_iso(bar['start_us'])}, close {bar['close']:.12g}{volume}"
