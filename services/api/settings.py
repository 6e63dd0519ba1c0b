"""Settings of the API."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field

from services.api.security import api_keys
from services.common.http.rate_limits import Rate
from services.common.settings import (
    DatabaseSettings,
    Duration,
    Hosts,
    KafkaSettings,
    Networks,
    PairSettings,
    Port,
    split,
)


def _keys_file(path: Path) -> Path:
    api_keys.read(path)
    return path


def _origins(text: object) -> tuple[str, ...]:
    origins = tuple(split(text)) if text else ()
    for origin in origins:
        if not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", origin):
            raise ValueError(f"expected origins such as https://desk.example, received {origin!r}")
    return origins


def _rate(value: object) -> Rate:
    return value if isinstance(value, Rate) else Rate.parse(str(value))


RateSetting = Annotated[Rate, BeforeValidator(_rate)]


class ApiSettings(KafkaSettings, DatabaseSettings, PairSettings):
    """Settings of the API: its listener (loopback by default; port 0 takes a free one and logs it), and
    access rights.
    """

    api_host: str = "127.0.0.1"
    api_port: Port = 8000
    api_keys_file: Annotated[Path, AfterValidator(_keys_file)] | None = None
    # Names, beside addresses and names without a dot, by which the API is reached where no keys protect it.
    api_hosts: Hosts = ()
    api_cors_origins: Annotated[tuple[str, ...], BeforeValidator(_origins)] = ()
    # Whose X-Forwarded-For is believed, and from whom nothing else comes.
    api_proxies: Networks = ()
    api_rate_limit: RateSetting = Rate(100, 1)
    api_local_rate_limit: RateSetting = Rate(1000, 1)
    # Requests of one caller that run at the same time, streams among them.
    api_concurrency: Annotated[int, Field(ge=1)] = 300
    api_body_limit: ByteSize = ByteSize(2**20)
    # Of a whole request to /v1/datasets.
    api_upload_limit: ByteSize = ByteSize(200 * 2**20)
    # Analyses run in worker processes: how many at once, how many more may wait, and how long each may take.
    api_analysis_workers: Annotated[int, Field(ge=1, le=64)] = 2
    api_analysis_queue: Annotated[int, Field(ge=1)] = 32
    api_analysis_timeout: Duration = timedelta(seconds=20)
    # Those of more than 10,000 bars have one process for themselves.
    api_analysis_long_timeout: Duration = timedelta(minutes=10)
    # Workers start with the first request, or this long after the start: that costs seconds of processor time.
    api_analysis_idle: Duration = timedelta(seconds=10)
