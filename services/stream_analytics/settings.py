"""Settings of stream_analytics."""

from typing import Annotated

from pydantic import Field

from services.common.settings import HistorySettings, KafkaSettings, MetricsSettings, PairSettings


class StreamSettings(KafkaSettings, PairSettings, HistorySettings, MetricsSettings):
    """The broker, the pairs, the database that pairs are filled from, and how Faust works."""

    signal_interval_ms: Annotated[int, Field(ge=0, le=60_000)] = 100
    """Minimum time between live signals of a pair, ms; 0 publishes on every trade."""
    allowed_lateness_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = 0.0
    """Extra time that a second stays open, by event time, for trades out of order, s."""
    correction_horizon_s: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 30.0
    """Time after its close, by event time, during which late trades correct a second, s; then the second is final.
    After a crash this much is read again.
    """
    save_interval_s: Annotated[float, Field(gt=0, le=60)] = 2.0
    """Interval at which windows are stored, s; messages since the last time are read again after a crash."""
    stall_timeout_s: Annotated[float, Field(ge=1, le=3_600)] = 30.0
    """Time after which a worker ends itself, to be started again, if messages come and it reads none, s."""
    partitions: Annotated[int, Field(ge=1)] = 4
    """Partitions of every topic, and of the changelog of the state."""
    commit_interval_s: Annotated[float, Field(gt=0)] = 0.5
    """Interval at which offsets are committed to the group, s."""
    session_timeout_s: Annotated[float, Field(ge=1)] = 10.0
    """Time after which the group drops a killed worker, s."""
