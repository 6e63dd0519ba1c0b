"""Settings of alerting."""

from typing import Annotated

from pydantic import Field

from services.common.settings import DatabaseSettings, KafkaSettings, MetricsSettings


class AlertingSettings(KafkaSettings, DatabaseSettings, MetricsSettings):
    """The broker, the database, and how states are kept."""

    correction_horizon_s: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 30.0
    """Time after its close, by event time, during which a corrected second can change alerts, s; that of
    stream_analytics, or more."""
    alerting_save_interval_s: Annotated[float, Field(gt=0, le=60)] = 2.0
    """Interval at which states are stored while nothing is told, s; later signals are read again after a crash."""
