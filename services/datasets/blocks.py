"""Blocks of bars: some ten thousand lines parsed at once, and line by line only where one is no bar."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from services.common.compressed_files import FileError, Packed
from services.contracts.symbol_forms import market_symbol
from services.datasets.dialect import BOM, SAMPLE_BYTES, recognise
from services.datasets.numbers import LARGEST, UNKNOWN
from services.datasets.options import DELIMITERS, ReadOptions
from services.datasets.question_of_file import question_of_file
from services.datasets.questions import Question, UnclearError, UnclearFileError
from services.datasets.rows import ContradictedError, DatasetBar, RowProblem, adjusted, parse_row

BAR = np.dtype(
    [
        ("line", np.int64),
        ("symbol", np.int32),  # its place among the symbols
        ("start_us", np.int64),
        ("open", np.float64),
        ("high", np.float64),
        ("low", np.float64),
        ("close", np.float64),
        ("volume", np.float64),  # NaN: the file does not say it
    ]
)
Bars = NDArray[np.void]
BLOCK_BYTES = 1 << 19
LONGEST_LINE = 1 << 16
MOST_SYMBOLS = 5_000
# Fewer lines are read one by one sooner than all at once.
_FEW_LINES = 32
# Between base and quote there may be any of these, or none.
_SEPARATORS = str.maketrans("", "", "/-_")
_PRICES = ("open", "high", "low", "close")


class ParsedBlock(NamedTuple):
    """Content of a block of lines, up to the line `through`; `bytes` counts the unpacked bytes of the block.

    `damages` are the lines that are no bars, and those of bars that were adjusted.
    """

    bars: Bars
    damages: list[RowProblem]
    through: int
    bytes: int


class Symbols(dict[str, int]):
    """The symbols of a dataset, numbered in the order in which they came."""

    def __missing__(self, symbol: str) -> int:
        if len(self) == MOST_SYMBOLS:
            raise FileError(symbol, f"expected at most {MOST_SYMBOLS:,} symbols, received another")
        self[symbol] = len(self)
        return self[symbol]


class BarFile:
    """A csv of bars: its dialect, and its blocks as it is iterated, once, in the order of the file.

    `symbol` is what the bars are of if no column says it. FileError if it is no such csv.
    """

    def __init__(
        self,
        stream: Packed,
        name: str,
        symbol: str | None,
        options: ReadOptions,
        symbols: Symbols,
        told: bool = False,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        """`told` says that somebody has said the symbol, whatever the file's header says.

        A block has about `block_bytes`, and the first one is what the dialect is told by: at least SAMPLE_BYTES.
        """
        self.name = name
        self.symbol = symbol
        """Symbol of the bars, None if a column has it."""
        self._symbols = symbols
        self._spelled: dict[str, str] = {}
        self._blocks = _blocks(stream, name, block_bytes)
        self._first = next(self._blocks, b"")
        try:
            self.dialect = recognise(self._first[:SAMPLE_BYTES], name, options)
        except UnclearError as unclear:
            raise question_of_file(unclear, self._first[:SAMPLE_BYTES], name, symbol, options) from None
        if self.dialect.symbol is not None and not told:
            self.symbol = market_symbol(self.dialect.symbol)
        elif self.dialect.columns.symbol is not None:
            self.symbol = None
        elif symbol is None:
            raise UnclearFileError(
                name,
                "expected a symbol, a column symbol, or a name such as BTCUSDT-1m.csv, received none of them: "
                "say it by symbols=",
                Question("symbols", []),
            )

    def __iter__(self) -> Iterator[ParsedBlock]:
        number = 1
        for size, block in self._behind_header():
            read = self._read(block, self.dialect.header + number, size)
            number += _lines(block)
            yield read

    def _behind_header(self) -> Iterator[tuple[int, bytes]]:
        first = self._first.removeprefix(BOM)
        for _ in range(self.dialect.header):
            first = first.partition(b"\n")[2]
        if first:
            yield len(self._first), first
        for block in self._blocks:
            yield len(block), block

    def _read(self, block: bytes, number: int, size: int) -> ParsedBlock:
        parts = list(self._parts(block, number))
        bars = [part for part in parts if not isinstance(part, RowProblem)]
        damages = [part for part in parts if isinstance(part, RowProblem)]
        whole = np.concatenate(bars) if bars else np.empty(0, BAR)
        return ParsedBlock(whole, damages, number + _lines(block) - 1, size)

    def _parts(self, block: bytes, number: int) -> Iterator[Bars | RowProblem]:
        lines = _lines(block)
        if block.isspace() and b"\r" not in block:
            yield from (RowProblem(number + n, "a blank line", "skipped") for n in range(lines))
            return
        if lines > _FEW_LINES:
            try:
                yield self._columns(block, number, lines)
            except (ValueError, pa.ArrowException):
                half = len(block) // 2
                middle = block.rfind(b"\n", 0, half) + 1 or block.find(b"\n", half) + 1
                yield from self._parts(block[:middle], number)
                yield from self._parts(block[middle:], number + block.count(b"\n", 0, middle))
            return
        yield from self._rows(block.split(b"\n"), number)

    def _rows(self, lines: Sequence[bytes], number: int) -> Iterator[Bars | RowProblem]:
        # What is behind the last line end is no line.
        lines = lines if lines[-1] else lines[:-1]
        try:
            found = [
                parse_row(n, line, self.dialect, self.symbol, self._named)
                for n, line in enumerate(lines, number)
            ]
        except ContradictedError as error:
            raise FileError(self.name, str(error)) from None
        yield from (one for one in found if isinstance(one, RowProblem))
        bars = [adjusted(one) for one in found if isinstance(one, DatasetBar)]
        yield from (problem for _, problem in bars if problem is not None)
        if bars:
            yield np.array([self._record(bar) for bar, _ in bars], BAR)

    def _record(self, bar: DatasetBar) -> tuple[object, ...]:
        volume = np.nan if bar.volume is None else bar.volume
        return (bar.line, self._symbols[bar.symbol], *bar[2:7], volume)

    def _columns(self, block: bytes, number: int, lines: int) -> Bars:
        """Return the bars of a block in which every line is one; ValueError or ArrowException otherwise."""
        dialect, places = self.dialect, self.dialect.columns
        volumes = [place for place in (places.volume, dialect.silent) if place is not None]
        amounts = dict.fromkeys([*places.prices, *volumes])
        of_amounts = pa.float64() if dialect.numbers.plain else pa.string()
        types = dict.fromkeys(amounts, of_amounts) | {n: pa.string() for n in places.texts}
        table = pa.csv.read_csv(
            pa.BufferReader(block),
            pa.csv.ReadOptions(
                use_threads=False,
                block_size=len(block) + 1,
                column_names=[str(n) for n in range(dialect.width)],
            ),
            pa.csv.ParseOptions(delimiter=DELIMITERS[dialect.delimiter], ignore_empty_lines=False),
            pa.csv.ConvertOptions(
                column_types={str(n): kind for n, kind in types.items()},
                include_columns=[str(n) for n in types],
                null_values=UNKNOWN,
                decimal_point=dialect.numbers.decimal,
            ),
        )
        if len(table) != lines:
            raise ValueError("expected one row a line")
        bars = np.empty(lines, BAR)
        bars["line"] = np.arange(number, number + lines)
        bars["symbol"] = self._codes(table)
        bars["start_us"] = dialect.times.parse_all(self._times(table))
        for field, place in zip(_PRICES, places.prices, strict=True):
            bars[field] = self._amounts(table[str(place)], of_volume=False)
        bars["volume"] = np.nan
        if places.volume is not None:
            bars["volume"] = self._amounts(table[str(places.volume)], of_volume=True)
        if dialect.silent is not None and np.nansum(
            self._amounts(table[str(dialect.silent)], of_volume=True)
        ):
            raise ValueError(f"expected a volume of 0 in column {dialect.silent + 1}")
        least, most = np.minimum(bars["open"], bars["close"]), np.maximum(bars["open"], bars["close"])
        if not ((bars["low"] > 0) & (bars["low"] <= least) & (most <= bars["high"])).all():
            raise ValueError("expected 0 < low <= open, close <= high")
        return bars

    def _amounts(self, column: pa.ChunkedArray, of_volume: bool) -> NDArray[np.float64]:
        if not self.dialect.numbers.plain:
            texts = pc.utf8_trim_whitespace(column.combine_chunks())
            column = pa.chunked_array([self.dialect.numbers.parse_all(texts, multiples=of_volume)])
        return _amounts(column, may_be_empty=of_volume)

    def _named(self, text: str) -> str:
        """Return the symbol of a cell; UnclearFileError if two contracts would be one."""
        symbol = market_symbol(text)
        spelled = text.strip().upper().translate(_SEPARATORS)
        if self._spelled.setdefault(symbol, spelled) != spelled:
            expected = f"expected one name for {symbol}, received {text!r} beside others: upload them as two datasets"
            raise UnclearFileError(self.name, expected, Question("symbols", []))
        return symbol

    def _times(self, table: pa.Table) -> pa.Array:
        columns = self.dialect.columns
        day = table[str(columns.time)].combine_chunks()
        if columns.clock is None:
            return day
        clock = pc.utf8_trim_whitespace(table[str(columns.clock)].combine_chunks())
        return pc.binary_join_element_wise(pc.utf8_trim_whitespace(day), clock, " ")

    def _codes(self, table: pa.Table) -> int | NDArray[np.int32]:
        place = self.dialect.columns.symbol
        if place is None:
            assert self.symbol is not None, "made sure of at the start"
            return self._symbols[self.symbol]
        encoded = table[str(place)].combine_chunks().dictionary_encode()
        known = np.array([self._symbols[self._named(text)] for text in encoded.dictionary.to_pylist()])
        return np.asarray(known[encoded.indices.to_numpy()], np.int32)


def _amounts(column: pa.ChunkedArray, may_be_empty: bool) -> NDArray[np.float64]:
    if column.null_count and not may_be_empty:
        raise ValueError("expected a number, received nothing")
    valid = column.drop_null().to_numpy() if column.null_count else column.to_numpy()
    if not ((valid >= 0) & (valid < LARGEST)).all():
        raise ValueError(f"expected numbers from 0 to {LARGEST:g}")
    return np.asarray(column.to_numpy(), np.float64)


def _lines(block: bytes) -> int:
    return block.count(b"\n") + (not block.endswith(b"\n"))


def _blocks(stream: Packed, name: str, block_bytes: int) -> Iterator[bytes]:
    """Yield blocks of whole lines; FileError for a line that is none any more."""
    rest, number, ended = b"", 1, False
    while not ended:
        read = stream.read(block_bytes)
        ended = len(read) < block_bytes
        block, newline, rest = (rest + read).rpartition(b"\n")
        if len(rest) > LONGEST_LINE:
            if number == 1 and not newline:
                # A file that is no text shows that at its beginning.
                yield rest[:SAMPLE_BYTES]
            expected = f"expected lines of at most {LONGEST_LINE:,} bytes, received a longer one"
            raise FileError(name, expected, number + (block + newline).count(b"\n"))
        if ended:
            block, newline, rest = block + newline + rest, b"", b""
        if block or newline:
            yield block + newline
            number += (block + newline).count(b"\n")
