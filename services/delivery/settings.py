"""Settings of delivery."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.common.setting_types import Duration, Networks, Port
from services.common.settings import PREFIX, DatabaseSettings, KafkaSettings, MetricsSettings


class DeliverySettings(KafkaSettings, DatabaseSettings, MetricsSettings):
    """The broker, the database, and how deliveries are sent."""

    delivery_workers: Annotated[int, Field(ge=1, le=256)] = 64
    """Deliveries under way at once; of one target a quarter of them."""
    delivery_timeout_s: Annotated[float, Field(gt=0, le=25, allow_inf_nan=False)] = 15.0
    """Time within which a target has to answer, s."""
    delivery_disable_after: Duration = timedelta(days=5)
    """Time after which a target that has taken nothing, though it was tried, is disabled, as `12h` or `5d`."""
    delivery_allow_private: Networks = ()
    """Networks of targets that are not public, separated by commas, as `10.0.0.0/8,127.0.0.1/32`; no others are
    connected to."""
    delivery_apprise: bool = False
    """Use of Apprise (extra `delivery-apprise`), which connects to wherever the URL of a target says, private or
    not."""
    smtp_host: str = ""
    """Server that takes mail for targets of kind `mail`; without it none is sent."""
    smtp_port: Port = 587
    """Port of that server."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """Encryption of the connection to that server; the certificate is that of `smtp_host`."""
    smtp_username: str = ""
    """User at that server; without it nobody logs in."""
    smtp_password: str = Field("", repr=False)
    """Password of that user."""
    smtp_from: str = ""
    """Address of the sender of mail."""

    @model_validator(mode="after")
    def _can_send_mail(self) -> Self:
        if self.smtp_host and not self.smtp_from:
            raise ValueError(
                f"{PREFIX}SMTP_FROM: expected an address such as alerts@example.org, received none"
            )
        if bool(self.smtp_username) != bool(self.smtp_password):
            raise ValueError(
                f"{PREFIX}SMTP_USERNAME, {PREFIX}SMTP_PASSWORD: expected both or none, received one"
            )
        return self
