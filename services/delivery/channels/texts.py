"""Texts of a notification: the body of a webhook, of Slack, of mail. No I/O."""

from email.message import EmailMessage
from email.utils import format_datetime

import msgspec

from services.common import clock
from services.contracts.alert_messages import Alert
from services.contracts.targets import AlertNotification, DeliveryKind, WebhookBody, WebhookType

TOLD = 100
"""Alerts in one message at most."""
_LISTED = 20
_VERBS: dict[DeliveryKind, str] = {
    "begun": "",
    "ended": "ended: ",
    "again": "still: ",
    "escalated": "escalated: ",
    "silence_over": "silence over: ",
    "test": "",
}
_TYPES: dict[DeliveryKind, WebhookType] = {
    "begun": "alert.begun",
    "ended": "alert.ended",
    "again": "alert.again",
    "escalated": "alert.escalated",
    "silence_over": "alert.silence_over",
    "test": "alert.test",
}
_TEST = "test of pairstream: alerts for this target arrive here"


def title_of(alerts: tuple[Alert, ...]) -> str:
    """Return what a delivery says first."""
    more = f" and {len(alerts) - 1} more" if len(alerts) > 1 else ""
    return f"{alerts[0].message}{more}" if alerts else _TEST


def webhook_body(told: AlertNotification, made_us: int) -> bytes:
    """Return the body of a webhook; the same at each try."""
    body = WebhookBody(type=_TYPES[told.kind], timestamp=clock.to_iso(made_us), data=told)
    return msgspec.json.encode(body)


def slack_body(told: AlertNotification) -> bytes:
    """Return the JSON that Slack takes; what a rule says is text there, whatever signs it has."""
    lines = [_escaped(line) for line in lines_of(told)]
    return msgspec.json.encode({"text": "\n".join(lines)})


def mail(told: AlertNotification, delivery_id: str, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """Return a mail, which has the same id at each try."""
    message = EmailMessage()
    first, *_ = lines = lines_of(told)
    message["Subject"] = f"[pairstream] {' '.join(first.split())}"[:200]
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Date"] = format_datetime(clock.to_datetime(clock.now_us()))
    message["Message-ID"] = f"<{delivery_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(lines) + "\n")
    return message


def lines_of(told: AlertNotification) -> list[str]:
    """Return a notification in lines for people."""
    if not told.alerts:
        return [_TEST]
    lines = [
        f"{_VERBS[told.kind]}{alert.message} · {alert.subject} · {alert.rule} · {alert.severity} · "
        f"{clock.to_iso(alert.event_us)}"
        for alert in told.alerts[:_LISTED]
    ]
    if (more := len(told.alerts) - _LISTED) > 0:
        lines.append(f"and {more} more")
    return lines


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
