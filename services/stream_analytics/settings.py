"""Settings of stream_analytics."""

from typing import Annotated

from pydantic import Field

from services.common.settings import KafkaSettings, MetricsSettings, PairSettings


class StreamSettings(KafkaSettings, PairSettings, MetricsSettings):
    """The broker, the pairs, and how Faust works."""

    # Between two closes a pair speaks at most so often; 0 is at every trade.
    signal_interval_ms: Annotated[int, Field(ge=0, le=60_000)] = 100
    # A second stays open for so much longer, by event time, for trades that come out of order.
    allowed_lateness_s: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = 0.0
    # A second that has closed is corrected for trades that come so much later, by event time; then it is final.
    correction_horizon_s: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 30.0
    # How often the windows are stored; what came since is read again after a crash.
    save_interval_s: Annotated[float, Field(gt=0, le=60)] = 2.0
    # A worker that reads nothing for so long, although messages come, ends itself to be started again.
    stall_timeout_s: Annotated[float, Field(ge=1, le=3_600)] = 30.0
    # Of every topic; Faust keeps as many of its changelog.
    partitions: Annotated[int, Field(ge=1)] = 4
    commit_interval_s: Annotated[float, Field(gt=0)] = 0.5
    session_timeout_s: Annotated[float, Field(ge=1)] = 10.0
