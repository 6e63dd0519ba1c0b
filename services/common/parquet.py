"""Parquet files: how every one of ours is written."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet

TIME = pa.timestamp("us", "UTC")
"""The type of a time."""


def writer(sink: Any, schema: Any) -> Any:
    """Return a writer of tables of `schema` into an open file; it has to be closed before the file is."""
    return pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd")
