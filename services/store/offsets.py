"""Offsets in the database, one for each partition: they also fence off a reader that lost its partitions.

Readers that go on by themselves have a cluster id of their own: the sink's is the cluster's.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.store.database import Connection

_STORED = "SELECT topic, partition, next_offset FROM stream_offsets WHERE cluster_id = %s"

# A partition that has no offset yet is whose who begins with it.
_ADVANCE = """
WITH read AS (
    SELECT * FROM unnest(%(topics)s::text[], %(partitions)s::int4[], %(expected)s::int8[], %(following)s::int8[])
        AS read (topic, partition, expected, following)
), moved AS (
    UPDATE stream_offsets AS stored SET next_offset = following FROM read
    WHERE stored.cluster_id = %(cluster)s AND stored.topic = read.topic AND stored.partition = read.partition
      AND stored.next_offset = expected
    RETURNING stored.topic, stored.partition
), begun AS (
    INSERT INTO stream_offsets (cluster_id, topic, partition, next_offset)
    SELECT %(cluster)s, topic, partition, following FROM read WHERE expected IS NULL
    ON CONFLICT DO NOTHING
    RETURNING topic, partition
)
SELECT topic, partition FROM read EXCEPT (TABLE moved UNION ALL TABLE begun)
"""


class PartitionBatch(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


async def stored(connection: Connection, cluster_id: str) -> dict[PartitionBatch, int]:
    """Return the next offset of each of the cluster's partitions."""
    cursor = await connection.execute(_STORED, [cluster_id])
    return {PartitionBatch(topic, partition): offset for topic, partition, offset in await cursor.fetchall()}


async def advance(
    connection: Connection,
    cluster_id: str,
    expected: Mapping[PartitionBatch, int],
    following: Mapping[PartitionBatch, int],
) -> Sequence[PartitionBatch]:
    """Store the `following` offsets where the `expected` ones are stored; return the partitions where not."""
    values = {
        "cluster": cluster_id,
        "topics": [partition.topic for partition in following],
        "partitions": [partition.partition for partition in following],
        "expected": [expected.get(partition) for partition in following],
        "following": list(following.values()),
    }
    cursor = await connection.execute(_ADVANCE, values)
    return sorted(PartitionBatch(*row) for row in await cursor.fetchall())
