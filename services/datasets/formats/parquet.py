"""Parquet as csv, a few thousand rows at once."""

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from services.common.compressed_files import FileError

MAGIC = b"PAR1"
_ROWS = 8_192
_MOST_COLUMNS = 100
# Of one column in one group of rows: what a page of it is unpacked to stays below.
_MOST_CHUNK_BYTES = 256 << 20
_LONGEST_TEXT = 1 << 12


def rows(file: IO[bytes], name: str, most_bytes: int | None) -> Iterator[bytes]:
    """Yield the flat columns of a file as csv with a header; FileError if it is damaged or too large."""
    try:
        yield from _rows(file, name, most_bytes)
    except (pa.ArrowException, OSError) as error:
        raise FileError(name, f"expected Parquet that can be read, received {error}") from None


def _rows(file: IO[bytes], name: str, most_bytes: int | None) -> Iterator[bytes]:
    schema = pa.parquet.read_schema(file)
    flat = [field for field in schema if not pa.types.is_nested(field.type)][:_MOST_COLUMNS]
    file.seek(0)
    texts = [
        field.name for field in flat if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]
    # As a dictionary a text is in memory once, however many rows have it.
    reader = pa.parquet.ParquetFile(file, read_dictionary=texts, pre_buffer=False, buffer_size=1 << 16)
    _require_bounds(reader.metadata, name, most_bytes)
    header = True
    for batch in reader.iter_batches(_ROWS, columns=[field.name for field in flat], use_threads=False):
        table = pa.table({field.name: _column(batch.column(field.name), name) for field in flat})
        made = pa.BufferOutputStream()
        pa.csv.write_csv(table, made, pa.csv.WriteOptions(include_header=header))
        header = False
        yield made.getvalue().to_pybytes()


def _column(column: pa.Array, name: str) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        longest = pc.max(pc.binary_length(column.dictionary.cast(pa.string()))).as_py() or 0
        if longest > _LONGEST_TEXT:
            raise FileError(name, f"expected texts of at most {_LONGEST_TEXT:,} bytes, received {longest:,}")
        return column.cast(pa.string())
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.string())
    return column


def _require_bounds(metadata: pa.parquet.FileMetaData, name: str, most_bytes: int | None) -> None:
    total = 0
    for group in range(metadata.num_row_groups):
        columns = metadata.row_group(group)
        for nth in range(columns.num_columns):
            size = columns.column(nth).total_uncompressed_size
            if size > _MOST_CHUNK_BYTES:
                raise FileError(name, f"expected groups of rows below {_MOST_CHUNK_BYTES >> 20} MiB a column")
            total += size
    if most_bytes is not None and total > most_bytes:
        raise FileError(name, f"expected at most {most_bytes:,} bytes, unpacked, received {total:,}")
