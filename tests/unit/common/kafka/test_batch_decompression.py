"""Codecs: equal to aiokafka's up to a limit; a larger batch takes no memory."""

import gzip
import tracemalloc
from collections.abc import Callable

import cramjam
import pytest
from aiokafka import codec
from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka import batch_decompression
from services.common.kafka.batch_decompression import MOST, BatchTooLargeError

_PACKERS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "gzip": (codec.gzip_encode, batch_decompression.gzip),
    "several gzip": (lambda raw: gzip.compress(raw) + gzip.compress(b""), batch_decompression.gzip),
    "snappy": (codec.snappy_encode, batch_decompression.snappy),
    "raw snappy": (lambda raw: bytes(cramjam.snappy.compress_raw(raw)), batch_decompression.snappy),
    "lz4": (codec.lz4_encode, batch_decompression.lz4),
    "zstd": (codec.zstd_encode, batch_decompression.zstd),
}


@pytest.mark.parametrize("name", _PACKERS)
@given(st.binary(max_size=200), st.integers(1, 20_000))
def test_what_was_packed_comes_out(name: str, some: bytes, times: int) -> None:
    pack, unpack = _PACKERS[name]
    assert unpack(pack(some * times)) == some * times


@pytest.mark.parametrize("name", _PACKERS)
def test_what_is_beyond_the_bound_is_refused_and_takes_no_memory(name: str) -> None:
    pack, unpack = _PACKERS[name]
    assert len(unpack(pack(bytes(MOST)))) == MOST
    bomb = pack(bytes(4 * MOST))
    tracemalloc.start()
    with pytest.raises(BatchTooLargeError, match=f"at most {MOST} bytes"):
        unpack(bomb)
    assert tracemalloc.get_traced_memory()[1] < 2.5 * MOST
    tracemalloc.stop()


@pytest.mark.parametrize("name", _PACKERS)
def test_what_is_cut_off_is_not_called_too_large(name: str) -> None:
    pack, unpack = _PACKERS[name]
    with pytest.raises(Exception) as refused:  # noqa: PT011, the codecs have none in common
        unpack(pack(bytes(range(256)) * 40)[:-9])
    assert not isinstance(refused.value, BatchTooLargeError)
