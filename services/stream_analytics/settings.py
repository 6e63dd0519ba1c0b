"""Settings of stream_analytics."""

from typing import Annotated

from pydantic import Field

from services.common.settings import KafkaSettings, MetricsSettings, PairSettings


class StreamSettings(KafkaSettings, PairSettings, MetricsSettings):
    """The broker, the pairs, and how Faust works."""

    # Minimum time between live signals of a pair; 0 publishes on every trade.
    signal_interval_ms: Annotated[int, Field(ge=0, le=60_000)] = 100
    # Time that a second stays open longer, by event time, for trades that come out of order.
    allowed_lateness_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = 0.0
    # Time after its close, by event time, during which late trades correct a second; then it is final.
    correction_horizon_s: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 30.0
    # Interval at which windows are stored; later messages are read again after a crash.
    save_interval_s: Annotated[float, Field(gt=0, le=60)] = 2.0
    # A worker that reads nothing for this long although messages come ends itself to be started again.
    stall_timeout_s: Annotated[float, Field(ge=1, le=3_600)] = 30.0
    # Of every topic; Faust keeps as many of its changelog.
    partitions: Annotated[int, Field(ge=1)] = 4
    commit_interval_s: Annotated[float, Field(gt=0)] = 0.5
    session_timeout_s: Annotated[float, Field(ge=1)] = 10.0
