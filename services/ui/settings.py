"""Settings of the dashboard."""

from typing import Annotated

from pydantic import AfterValidator, Field

from services.common.settings import Hosts, Networks, Port, Settings


def _http_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError(f"expected a URL such as http://127.0.0.1:8000, received {text!r}")
    return text.rstrip("/")


class UiSettings(Settings):
    """Settings of the dashboard: the API's address, the key for it if it wants one, and the listener."""

    api_url: Annotated[str, AfterValidator(_http_url)] = "http://127.0.0.1:8000"
    brokers: str = "127.0.0.1:9092"
    """Address of the topics for programs; the dashboard only displays it."""
    api_key: Annotated[str, Field(pattern=r"^[!-~]+$")] | None = None
    ui_host: str = "127.0.0.1"
    ui_port: Port = 8050
    # Names, beside addresses and names without a dot, by which browsers reach the dashboard.
    ui_hosts: Hosts = ()
    # Whose X-Forwarded-For is believed, and from whom nothing else comes.
    ui_proxies: Networks = ()
