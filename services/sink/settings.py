"""Settings of the sink."""

from typing import Annotated

from pydantic import DirectoryPath, Field

from services.common.settings import KafkaSettings, MetricsSettings, StoreSettings


class SinkSettings(KafkaSettings, StoreSettings, MetricsSettings):
    """A batch is written when it has `batch_rows` messages, or `batch_ms` after its first one arrived."""

    batch_rows: Annotated[int, Field(ge=1, le=100_000)] = 5_000
    """Messages in a batch: a batch of this size is written at once."""
    batch_ms: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Longest time from the first message of a batch to its writing, ms."""
    disk_directory: DirectoryPath | None = None
    """Directory on the disk of the database, if that is on this machine. The sink warns when the disk fills; below 2 %
    free it deletes the oldest ticks, but none younger than `lateness` and 4 h. `pairstream up` sets it.
    """
