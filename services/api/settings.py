"""Settings of the API."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field

from services.api.security import api_keys
from services.common.http.identity import IdentityKeys
from services.common.http.rate_limits import Rate
from services.common.setting_types import Duration, Hosts, Networks, Port, split
from services.common.settings import DatabaseSettings, KafkaSettings, PairSettings


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
    """Settings of the API: its listener, access rights, limits, and workers."""

    api_host: str = "127.0.0.1"
    """Address on which the API listens."""
    api_port: Port = 8000
    """Port on which the API listens; 0 takes a free one and logs it."""
    api_keys_file: Annotated[Path, AfterValidator(_keys_file)] | None = None
    """Path of the file of API keys, one line per key; without it everybody reads, and only this machine writes."""
    identity_key: IdentityKeys = ()
    """Key of at least 32 characters by which the dashboard signs for whom it asks; the same for both. Of several,
    separated by commas, the first signs, and each is good for a check. Without one, no such header is accepted.
    """
    api_hosts: Hosts = ()
    """Names by which an API without keys is reached, besides addresses and names without a dot; separated by commas.
    A request for any other name is refused, which protects against web pages that bind their name to this address.
    """
    api_cors_origins: Annotated[tuple[str, ...], BeforeValidator(_origins)] = ()
    """Origins whose web pages may use the API, such as `https://desk.example`; separated by commas. Pages of other
    origins cannot read a response, write, or open a stream.
    """
    api_proxies: Networks = ()
    """Addresses or networks of reverse proxies, whose `X-Forwarded-For` names the caller; separated by commas."""
    api_rate_limit: RateSetting = Rate(100, 1)
    """Rate limit of each key, or of each address without one (IPv6: each /64), as `100/second`, `600/minute` or
    `5000/hour`. That many requests may come at once; the budget refills evenly.
    """
    api_local_rate_limit: RateSetting = Rate(1000, 1)
    """Rate limit of callers on this machine."""
    api_concurrency: Annotated[int, Field(ge=1)] = 300
    """Requests of one caller that may run at once, open streams among them."""
    api_body_limit: ByteSize = ByteSize(2**20)
    """Largest request body, as bytes or `1MiB`."""
    api_upload_limit: ByteSize = ByteSize(200 * 2**20)
    """Largest request to `/v1/datasets`, form fields included, as bytes or `200MiB`."""
    api_analysis_workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Worker processes for analyses; they run with lower priority than the API."""
    api_analysis_queue: Annotated[int, Field(ge=1)] = 32
    """Analyses that may wait for a worker; one more gets 503 with `Retry-After`."""
    api_analysis_timeout: Duration = timedelta(seconds=20)
    """Longest time of an analysis, as `20s`; then it is stopped, and the response is 503."""
    api_analysis_long_timeout: Duration = timedelta(minutes=10)
    """Longest time of an analysis of more than 10,000 bars, as `10m`. These analyses run one after another in a
    separate process, which takes up to 1 GB.
    """
    api_analysis_idle: Duration = timedelta(seconds=10)
    """Time after the start at which workers start unless a request needs them sooner, as `10s`: their start takes 2 to
    4 s of processor time and 170 MB.
    """
