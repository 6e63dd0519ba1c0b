"""Encoders of records as JSON, CSV and Parquet, some rows at a time, so that memory stays small."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa
from pydantic import BaseModel

from services.api.serialization.columns import Column, columns
from services.api.serialization.rows import JsonRecords, encode
from services.common import parquet
from services.common.parquet import TIME

# First characters of a formula in a spreadsheet.
_FORMULA = frozenset("=+-@\t\r")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# Bytes to compress before other tasks get their turn: some 10 ms.
_ROW_GROUP = 20_000
_TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
_TYPES |= {dict: pa.string(), list: pa.string()}


class Encoder(Protocol):
    """Turns records into the bytes of one document."""

    def encode(self, records: JsonRecords) -> bytes:
        """Take the next records and return the bytes that are ready."""
        ...

    def finish(self) -> bytes:
        """Return the last bytes."""
        ...


class JsonEncoder:
    """One object: `members`, and the rows as its member ``data``."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._before = encode(members)[:-1] + (b"," if members else b"") + b'"data":['

    def encode(self, records: JsonRecords) -> bytes:
        """Return the records, after the members at first."""
        if not records:
            return b""
        text, self._before = self._before + records.encoded()[1:-1], b","
        return text

    def finish(self) -> bytes:
        """Return the end of the object."""
        before = b"" if self._before == b"," else self._before
        return before + b"]}"


class CsvEncoder:
    """RFC 4180 text with a header line. Null is empty; a text that a spreadsheet would execute has a ' before it."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._columns = columns(model)
        self._header = _lines([[column.name for column in self._columns]])

    def encode(self, records: JsonRecords) -> bytes:
        """Return the records, after the header at first."""
        if not records:
            return b""
        lines = zip(*(_cells(column, records) for column in self._columns), strict=True)
        text, self._header = self._header + _lines(lines), b""
        return text

    def finish(self) -> bytes:
        """Return the header if there was no record."""
        return self._header


class ParquetEncoder:
    """Row groups of 20,000 rows; times are timestamps in UTC; `metadata` is the schema's."""

    def __init__(self, model: type[BaseModel], metadata: Mapping[str, str]) -> None:
        self._columns = columns(model)
        fields = [(one.name, TIME if _is_time(one) else _TYPES[one.kind]) for one in self._columns]
        self._schema = pa.schema(fields, {f"pairstream.{name}": value for name, value in metadata.items()})
        self._sink = _Sink()
        self._writer = parquet.writer(self._sink, self._schema)
        self._waiting: list[Any] = []

    def encode(self, records: JsonRecords) -> bytes:
        """Return the row group that is complete, else nothing."""
        if not records:
            return b""
        arrays = [_array(column, records) for column in self._columns]
        self._waiting.append(pa.record_batch(arrays, schema=self._schema))
        if sum(batch.num_rows for batch in self._waiting) >= _ROW_GROUP:
            self._write()
        return self._sink.take()

    def finish(self) -> bytes:
        """Return the last row group and the index of all."""
        self._write()
        self._writer.close()
        return self._sink.take()

    def _write(self) -> None:
        self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema), _ROW_GROUP * 2)
        self._waiting.clear()


class _Sink(io.RawIOBase):
    """A file of which what was written can be taken away."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._taken = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._taken + sum(map(len, self._parts))

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._taken += len(data)
        self._parts.clear()
        return data


def _is_time(column: Column) -> bool:
    return column.name.endswith("_time")


def _array(column: Column, records: JsonRecords) -> Any:
    if not _is_time(column):
        return pa.array(column.values(records), _TYPES[column.kind])
    *within, name = column.path
    us = Column(column.name, int, (*within, f"{name.removesuffix('time')}us"))
    return pa.array(us.values(records), pa.int64()).cast(TIME)


def _cells(column: Column, records: JsonRecords) -> Sequence[Any]:
    values = column.values(records)
    if column.kind is float:
        # Ten times as fast as to have csv write each.
        return encode(values)[1:-1].replace(b"null", b"").decode().split(",")
    if column.kind is bool:
        return [None if value is None else "true" if value else "false" for value in values]
    if column.kind is str:
        return [_harmless(value) if value and value[0] in _FORMULA else value for value in values]
    return values


def _harmless(text: str) -> str:
    return text if _NUMBER.fullmatch(text) else f"'{text}"


def _lines(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
