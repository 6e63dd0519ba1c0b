"""Channels by the kind of a target; the libraries of each are loaded when it is needed first, as they take memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from services.common import clock
from services.contracts.targets import AlertNotification
from services.delivery.channels import texts
from services.delivery.channels.answer import Answer
from services.delivery.settings import DeliverySettings
from services.store.deliveries import TakenDelivery
from services.store.targets import StoredTarget

if TYPE_CHECKING:
    import ssl

    from services.delivery.channels.http import HttpChannel


class Channels:
    """Sends to targets of every kind."""

    def __init__(self, settings: DeliverySettings, context: ssl.SSLContext | None = None) -> None:
        """`context` says whose certificates are trusted, without it those that the system trusts."""
        self._settings = settings
        self._context = context
        self._opened: HttpChannel | None = None

    async def close(self) -> None:
        """Close every connection."""
        if self._opened is not None:
            await self._opened.close()

    async def send(self, stored: StoredTarget, taken: TakenDelivery) -> Answer:
        """Send a delivery to a target and return what came of it."""
        target = stored.target
        told = msgspec.json.decode(taken.message, type=AlertNotification)
        match target.kind:
            case "webhook":
                return await self._webhook(stored, taken, told)
            case "slack":
                return await self._http.post(target.url, texts.slack_body(told))
            case "mail":
                from services.delivery.channels import mail

                message = texts.mail(told, taken.delivery_id, self._settings.smtp_from, target.to)
                return await mail.send(self._settings, message, self._context)
            case "apprise":
                from services.delivery.channels import apprise

                first, *_ = lines = texts.lines_of(told)
                return await apprise.send(self._settings, target.url, first, "\n".join(lines))

    async def _webhook(self, stored: StoredTarget, taken: TakenDelivery, told: AlertNotification) -> Answer:
        from services.delivery.channels.http import signed

        body = texts.webhook_body(told, taken.made_us)
        secrets = [stored.target.secret, *([stored.former_secret] if stored.former_secret else [])]
        at = clock.to_datetime(clock.now_us())
        return await self._http.post(stored.target.url, body, signed(taken.delivery_id, body, at, secrets))

    @property
    def _http(self) -> HttpChannel:
        if self._opened is None:
            from services.delivery.channels.http import HttpChannel

            settings = self._settings
            self._opened = HttpChannel(
                settings.delivery_allow_private, settings.delivery_workers, self._context
            )
        return self._opened
