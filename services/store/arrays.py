"""Arrays of the database as numpy's: times and numbers without a null, of a binary cursor."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncCursor
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

from services.store import database


def load_arrays(cursor: AsyncCursor[Any]) -> None:
    """Make a binary cursor return arrays of times (epoch, us) and of numbers, without a null, as numpy's."""
    for name, loader in (("timestamptz", _MomentsLoader), ("float8", _PricesLoader)):
        cursor.adapters.register_loader(cursor.adapters.types[name].array_oid, loader)


class _ArrayLoader(Loader):
    """Read an array of 8-byte values without a null at once: a header of 20 bytes, then length and value of each."""

    format = Format.BINARY
    kind: str

    def load(self, data: Buffer) -> NDArray[Any]:
        """Return the values, in the byte order of the machine."""
        elements = np.frombuffer(
            bytes(data), np.dtype([("length", ">i4"), ("value", f">{self.kind}")]), offset=20
        )
        return elements["value"].astype(self.kind)


class _PricesLoader(_ArrayLoader):
    kind = "f8"


class _MomentsLoader(_ArrayLoader):
    kind = "i8"

    def load(self, data: Buffer) -> NDArray[Any]:
        return super().load(data) + database.EPOCH_US
