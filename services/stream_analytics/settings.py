"""Settings of stream_analytics."""

from typing import Annotated

from pydantic import Field

from services.common.settings import KafkaSettings, PairSettings


class StreamSettings(KafkaSettings, PairSettings):
    """The broker, the pairs, and how Faust works."""

    # A leg that says nothing for so long, by the wall clock, no longer holds the other one back.
    idle_timeout_s: Annotated[float, Field(gt=0)] = 3.0
    # Of every topic; Faust keeps as many of its changelog.
    partitions: Annotated[int, Field(ge=1)] = 4
    commit_interval_s: Annotated[float, Field(gt=0)] = 0.5
    session_timeout_s: Annotated[float, Field(ge=1)] = 10.0
