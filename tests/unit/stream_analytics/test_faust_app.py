"""Where a message goes."""

import random

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from services.stream_analytics.faust_app import partition_of_key


@given(key=st.binary(min_size=1), partitions=st.integers(1, 64))
def test_a_key_goes_where_every_client_of_kafka_sends_it(key: bytes, partitions: int) -> None:
    every = list(range(partitions))
    assert partition_of_key(key, every, every) == DefaultPartitioner()(key, every, every)


def test_a_message_without_a_key_goes_to_a_partition_that_has_a_leader() -> None:
    random.seed(1)
    assert {partition_of_key(None, range(4), (1, 3)) for _ in range(50)} == {1, 3}
    assert {partition_of_key(None, range(2), ()) for _ in range(50)} == {0, 1}
