"""Faust's own settings, and why each is what it is."""

import os
import random
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import faust
from aiokafka.partitioner import murmur2

from services.common.topics import ANALYTICS_GROUP
from services.stream_analytics import transport
from services.stream_analytics.settings import StreamSettings

# Of the 13 µs that a message costs, 3 were its key's hash; the keys are the pairs, ever the same.
_hash = lru_cache(maxsize=1 << 16)(murmur2)


def partition_of_key(key: bytes | None, every: Sequence[int], available: Sequence[int]) -> int:
    """Return the partition that Kafka's own clients choose: by the hash of the key, any for none."""
    if key is None:
        return random.choice(available or every)  # noqa: S311
    number: int = _hash(key) & 0x7FFFFFFF
    return every[number % len(every)]


def new_app(settings: StreamSettings) -> faust.App:
    """Return an app without agents; nothing is opened before it starts."""
    app = faust.App(
        ANALYTICS_GROUP,
        broker=[f"kafka://{server}" for server in settings.brokers.split(",")],
        broker_credentials=transport.credentials(settings),
        broker_commit_interval=settings.commit_interval_s,
        broker_max_poll_records=1000,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 5,
        cython_optimizations=True,
        # Bytes in, bytes out: Faust acknowledges what it cannot decode, so decoding is ours.
        key_serializer="raw",
        value_serializer="raw",
        # Messages that leave in one batch are fetched in one: 4 times the rate on the embedded broker.
        producer_linger=0.003,
        # Of 16 KiB, the default, 1,000 closes at once need many, and whoever sends waits for each.
        producer_max_batch_size=1 << 18,
        producer_partitioner=partition_of_key,
        stream_buffer_maxsize=8192,
        stream_wait_empty=False,
        # It makes its directories also when its store is memory.
        datadir=str(Path(tempfile.gettempdir(), f"pairstream-faust-{os.getuid()}")),
        store="memory://",
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=settings.partitions,
        web_enabled=False,
    )
    transport.install(app, settings)
    return app
