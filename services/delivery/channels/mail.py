"""Channel of mail: by the server of the settings."""

import ssl
from email.message import EmailMessage

import aiosmtplib

from services.common.errors import reason_of
from services.delivery.channels.answer import Answer
from services.delivery.settings import DeliverySettings

_TOLD_CHARACTERS = 200


async def send(
    settings: DeliverySettings, message: EmailMessage, context: ssl.SSLContext | None = None
) -> Answer:
    """Send a mail and return what came of it; `context` says whose certificates are trusted."""
    if not settings.smtp_host:
        return Answer(
            "expected a server for mail in PAIRSTREAM_SMTP_HOST, received none: ask who runs delivery"
        )
    try:
        refused, _ = await aiosmtplib.send(
            message,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username or None,
            password=settings.smtp_password or None,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            tls_context=context,
            timeout=settings.delivery_timeout_s,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        refused = {one.recipient: aiosmtplib.SMTPResponse(one.code, one.message) for one in error.recipients}
    except (aiosmtplib.SMTPException, OSError) as error:
        code = getattr(error, "code", None)
        received = f"{code or ''} {getattr(error, 'message', reason_of(error))}"
        text = f"expected the server to take the mail, received {received}"
        return Answer(" ".join(text.split())[:_TOLD_CHARACTERS], code)
    if refused:
        code, text = next(iter(refused.values()))
        told = f"expected every address to be taken, received {len(refused)} refused: {code} {text}"
        return Answer(" ".join(told.split())[:_TOLD_CHARACTERS], code)
    return Answer(None, 250)
