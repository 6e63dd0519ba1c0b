"""Settings of the dashboard."""

from typing import Annotated

from pydantic import AfterValidator, Field

from services.common.setting_types import Hosts, Networks, Port
from services.common.settings import Settings


def _http_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError(f"expected a URL such as http://127.0.0.1:8000, received {text!r}")
    return text.rstrip("/")


class UiSettings(Settings):
    """Settings of the dashboard: the API's address, the key for it if it wants one, and the listener."""

    api_url: Annotated[str, AfterValidator(_http_url)] = "http://127.0.0.1:8000"
    """URL of the API."""
    brokers: str = "127.0.0.1:9092"
    """Bootstrap servers of Kafka that the programs page displays; the dashboard does not connect to them."""
    api_key: Annotated[str, Field(pattern=r"^[!-~]+$")] | None = None
    """API key that the dashboard sends to the API, if the API needs one."""
    ui_host: str = "127.0.0.1"
    """Address on which the dashboard listens."""
    ui_port: Port = 8050
    """Port on which the dashboard listens; 0 takes a free one and logs it."""
    ui_hosts: Hosts = ()
    """Names by which browsers reach the dashboard, besides addresses and names without a dot; separated by commas."""
    ui_proxies: Networks = ()
    """Addresses or networks of reverse proxies, whose `X-Forwarded-For` names the caller; separated by commas."""
