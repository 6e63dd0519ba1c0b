"""Export file: CSV, plain or gz, or Parquet; it has a temporary name until it is complete."""

import gzip
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from services.common import parquet
from services.common.errors import FatalError
from services.common.parquet import TIME

SUFFIXES = (".csv", ".csv.gz", ".parquet")
# 9, which is usual, takes nine times as long for a file that is a tenth smaller.
_LEVEL = 4
# By the numbers that these types have in every PostgreSQL.
_TYPES = {16: pa.bool_(), 20: pa.int64(), 23: pa.int32(), 25: pa.string(), 701: pa.float64(), 1184: TIME}
_TYPES[3802] = pa.string()  # jsonb


class ExportFile:
    """Takes pages of rows; the name of the file says its form."""

    def __init__(self, stack: ExitStack, path: Path, form: str) -> None:
        self.rows = 0
        self._stack = stack
        self._sink: Any
        if form == ".csv.gz":
            self._sink = stack.enter_context(gzip.open(path, "wb", compresslevel=_LEVEL))  # noqa: SIM115
        else:
            self._sink = stack.enter_context(path.open("wb"))
        self._parquet = form == ".parquet"
        self._schema = pa.schema([])
        self._writer: Any = None

    def begin(self, columns: Sequence[tuple[str, int]]) -> None:
        """Set the names of the columns and the numbers of their types; every page has the same."""
        if self._writer is not None:
            return
        self._schema = pa.schema([(name.replace("_us", "_time"), _TYPES[oid]) for name, oid in columns])
        self._writer = self._stack.enter_context(
            parquet.writer(self._sink, self._schema)
            if self._parquet
            else pyarrow.csv.CSVWriter(self._sink, _as_text(self._schema.empty_table()).schema)
        )

    def write(self, page: Sequence[Sequence[object]]) -> None:
        """Write some rows; their times are integers (epoch, us)."""
        arrays = [
            pa.array(values, field.type)
            for values, field in zip(zip(*page, strict=True), self._schema, strict=True)
        ]
        table = pa.Table.from_arrays(arrays, schema=self._schema)
        self._writer.write_table(table if self._parquet else _as_text(table))
        self.rows += len(page)


@contextmanager
def created(path: Path, replace: bool) -> Iterator[ExportFile]:
    """Yield a file that is at `path` when the block ends well, and nowhere if it does not.

    FatalError if it cannot be written, or if it is there and `replace` is false.
    """
    form = form_of(path, SUFFIXES)
    with new(path, replace) as part, ExitStack() as stack:
        yield ExportFile(stack, part, form)


def form_of(path: Path, suffixes: Sequence[str]) -> str:
    """Return which of `suffixes` a name ends in; FatalError names them if it is none."""
    form = next((suffix for suffix in reversed(suffixes) if path.name.endswith(suffix)), None)
    if form is None:
        raise FatalError(
            f"--output: expected a name that ends in {', '.join(suffixes)}, received {path.name}"
        )
    return form


@contextmanager
def new(path: Path, replace: bool) -> Iterator[Path]:
    """Yield a temporary name, which becomes `path` when the block ends well; FatalError as `created`."""
    if path.exists() and not replace:
        raise FatalError(f"{path}: expected a new file, but it exists; --force writes over it")
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise FatalError(f"{path}: expected to write to it, received: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _as_text(table: pa.Table) -> pa.Table:
    """Return `table` with its times in ISO 8601: Arrow's own form has a space in the middle."""
    for index, field in enumerate(table.schema):
        if field.type == TIME:
            table = table.set_column(index, field.name, pc.strftime(table[index], "%Y-%m-%dT%H:%M:%SZ"))
    return table
