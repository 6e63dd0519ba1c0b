"""Settings of the dashboard."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from services.common.http.identity import IdentityKeys
from services.common.setting_types import Hosts, Names, Networks, Port
from services.common.settings import PREFIX, Settings


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
    identity_key: IdentityKeys = ()
    """Key by which the dashboard signs to the API for whom it asks, as that of the API. With it, the dashboard wants
    to know who has logged in: from a proxy of `ui_proxies`, by `X-Forwarded-User` and `X-Forwarded-Groups`.
    """
    ui_operators: Names = Field(default="operators")  # type: ignore[arg-type]
    """Groups whose members may change things, separated by commas; everybody else who has logged in only reads."""
    ui_host: str = "127.0.0.1"
    """Address on which the dashboard listens."""
    ui_port: Port = 8050
    """Port on which the dashboard listens; 0 takes a free one and logs it."""
    ui_hosts: Hosts = ()
    """Names by which browsers reach the dashboard, besides addresses and names without a dot; separated by commas."""
    ui_proxies: Networks = ()
    """Addresses or networks of reverse proxies, whose `X-Forwarded-For` names the caller; separated by commas."""

    @model_validator(mode="after")
    def _has_a_proxy(self) -> Self:
        if self.identity_key and not self.ui_proxies:
            raise ValueError(
                f"{PREFIX}UI_PROXIES: expected the address of the proxy that says who has logged in, "
                f"because {PREFIX}IDENTITY_KEY is set; received none"
            )
        return self
