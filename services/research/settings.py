"""Settings of research."""

from typing import Annotated

from pydantic import Field

from services.common.settings import DatabaseSettings, KafkaSettings, MetricsSettings


class ResearchSettings(KafkaSettings, DatabaseSettings, MetricsSettings):
    """Each job runs in a process of its own, which ends with it: a service without work takes little memory."""

    research_workers: Annotated[int, Field(ge=1, le=16)] = 1
    """Jobs at once, each in a process of its own."""
    research_threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads of the linear algebra of a job."""
    research_niceness: Annotated[int, Field(ge=0, le=19)] = 10
    """Niceness of the processes of jobs: how far they stand behind the stream where cores are few."""
    research_keep_jobs: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Jobs that are kept, with what they found, after they have ended."""
