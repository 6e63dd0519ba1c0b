"""Settings of the sink."""

from typing import Annotated

from pydantic import DirectoryPath, Field

from services.common.settings import KafkaSettings, MetricsSettings, StoreSettings


class SinkSettings(KafkaSettings, StoreSettings, MetricsSettings):
    """A batch is written when it has `batch_rows` messages, or `batch_ms` after its first one arrived."""

    batch_rows: Annotated[int, Field(ge=1, le=100_000)] = 5_000
    """Messages of a batch: as soon as there are so many it is written."""
    batch_ms: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Longest time from the first message of a batch to its writing, ms."""
    disk_directory: DirectoryPath | None = None
    """Directory on the disk of the database, if that is on this machine: the sink says when that fills, and below 2 %
    drops the oldest ticks, but none younger than `lateness` and 4 h. `pairstream up` sets it.
    """
