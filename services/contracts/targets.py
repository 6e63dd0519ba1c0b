"""Targets: where alerts are delivered, how, and which ones; what a delivery tells."""

import base64
import binascii
import re
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from services.contracts.alert_messages import OPENING, Alert, AlertState, Severity
from services.contracts.fields import Id, Name, WrongFieldError
from services.contracts.rules import Seconds
from services.contracts.silences import MATCHED, mismatch, require_matchers

TargetKind = Literal["webhook", "slack", "mail", "apprise"]
NotificationKind = Literal["begun", "ended", "again", "escalated", "silence_over"]
DeliveryKind = Literal[NotificationKind, "test"]
WebhookType = Literal[
    "alert.begun", "alert.ended", "alert.again", "alert.escalated", "alert.silence_over", "alert.test"
]
DeliveryState = Literal["waiting", "failed", "delivered", "dead", "skipped"]
OPEN_STATES: tuple[DeliveryState, ...] = ("waiting", "failed")
"""States of deliveries that are still to be tried."""
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")

SECRET_PREFIX = "whsec_"  # noqa: S105  # no secret: what every secret begins with
SECRET_BYTES = (24, 64)
_STEPS: tuple[AlertState, ...] = ("pending", "recovering")
_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,255}")
_PER_MINUTE: dict[TargetKind, int] = {"webhook": 6_000, "slack": 60, "mail": 30, "apprise": 30}
_PEOPLE_WAIT_S = 10.0


class TargetFilter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which alerts are delivered to a target."""

    matchers: Annotated[
        dict[Name, Id],
        Meta(
            max_length=16,
            description=f"Which alerts: all that match every pattern, by field: {MATCHED}. Without one all.",
            examples=[{"labels.desk": "fx"}],
        ),
    ] = {}
    least_severity: Annotated[Severity, Meta(description="Alerts less severe are not delivered.")] = "info"
    ends: Annotated[bool, Meta(description="Whether the ends of alerts are delivered, too.")] = True

    def refusal(self, alert: Alert) -> str | None:
        """Return why an alert is none of this target's, None if it is."""
        if alert.state in _STEPS:
            return f"{alert.state} is a step of its rule, and steps are not delivered"
        if SEVERITIES.index(alert.severity) < SEVERITIES.index(self.least_severity):
            return f"its severity is {alert.severity}, expected at least {self.least_severity}"
        if (found := mismatch(self.matchers, alert)) is not None:
            return f"its {found[0]} is {found[2]!r}, expected {found[1]!r}"
        if alert.state not in OPENING and not self.ends:
            return "the ends of alerts are not delivered to it"
        return None


class Target(TargetFilter, frozen=True, kw_only=True, omit_defaults=True):
    """A target: where alerts are delivered, how, and which ones.

    `url` and `secret` are never given back; a target that is written again without them keeps those it has.
    """

    id: Annotated[Name, Meta(description="Names it in addresses and in the log.", examples=["desk-bot"])]
    name: Annotated[Id, Meta(description="For people; the id if it is empty.")] = ""
    kind: Annotated[
        TargetKind,
        Meta(
            description="`webhook`: Standard Webhooks, signed with `secret`. `slack`: a webhook that takes the JSON of "
            "Slack, as Mattermost and Rocket.Chat do. `mail`: to the addresses of `to`. `apprise`: a URL of Apprise, "
            "if the service has it.",
            examples=["webhook"],
        ),
    ]
    url: Annotated[
        str,
        Meta(
            max_length=2048,
            description="Where it is sent: http or https, of apprise its own schemes; empty of mail.",
            examples=["https://example.org/hooks/alerts"],
        ),
    ] = ""
    secret: Annotated[
        str,
        Meta(
            max_length=256,
            description="Key of the signature, of a webhook: `whsec_` and 24 to 64 random bytes in base64. A new one "
            "replaces the one before within a day, during which messages are signed with both.",
            examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="],
        ),
    ] = ""
    to: Annotated[
        tuple[Id, ...], Meta(max_length=16, description="Addresses of mail.", examples=[["desk@example.org"]])
    ] = ()
    group_by: Annotated[
        tuple[Name, ...],
        Meta(
            max_length=8,
            description="Alerts that are alike in these fields come together in one delivery.",
            examples=[["rule", "labels.desk"]],
        ),
    ] = ("rule",)
    group_wait_s: Annotated[
        Seconds | None,
        Meta(
            description="How long the first alert of a group waits for others, s; 0 without it for a webhook, else 10."
        ),
    ] = None
    per_minute: Annotated[
        Annotated[int, Meta(ge=1, le=60_000)] | None,
        Meta(
            description="Deliveries in a minute at most; 6,000 without it for a webhook, 60 for slack, else 30.",
        ),
    ] = None
    paused: Annotated[bool, Meta(description="To a paused target nothing is delivered, nor later.")] = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself (ValueError), and fill what depends on the kind."""
        if not _ID.fullmatch(self.id):
            raise WrongFieldError("id", "letters a-z, digits, _ . and -", repr(self.id))
        require_matchers(self.matchers)
        require_matchers(dict.fromkeys(self.group_by, ""), "group_by")
        self._require_address()
        if self.kind == "webhook":
            require_secret(self.secret)
        elif self.secret:
            raise WrongFieldError("secret", f"none, because a {self.kind} is not signed", "one")
        if not self.name:
            force_setattr(self, "name", self.id)
        if self.group_wait_s is None:
            force_setattr(self, "group_wait_s", 0.0 if self.kind == "webhook" else _PEOPLE_WAIT_S)
        if self.per_minute is None:
            force_setattr(self, "per_minute", _PER_MINUTE[self.kind])

    def _require_address(self) -> None:
        if self.kind == "mail":
            if self.url:
                raise WrongFieldError("url", "none, because mail has addresses in to", "one")
            if not self.to:
                raise WrongFieldError("to", "an address of mail, such as desk@example.org", "none")
            for address in self.to:
                if not _ADDRESS.fullmatch(address):
                    raise WrongFieldError("to", "an address such as desk@example.org", repr(address))
            return
        if self.to:
            raise WrongFieldError("to", f"none, because a {self.kind} has its address in url", "some")
        require_url(self.url, self.kind)


class AlertNotification(Struct, frozen=True, kw_only=True):
    """What one delivery tells: alerts to which the same has happened; the body of webhooks has it as ``data``."""

    kind: Annotated[
        DeliveryKind,
        Meta(
            description="What has happened to the alerts: they have `begun` or `ended`, fire still and are told of "
            "`again` or, nobody having acknowledged them, `escalated`, or the silence is over. `test`: nothing."
        ),
    ]
    target: Annotated[Name, Meta(description="The target.")]
    group: Annotated[dict[Name, Id], Meta(description="The values in which the alerts are alike.")]
    alerts: Annotated[tuple[Alert, ...], Meta(description="The alerts, as they are on the topic `alerts`.")]


class WebhookBody(Struct, frozen=True, kw_only=True):
    """Body of a webhook, as Standard Webhooks has it; its schema is ``webhook.v1.json``."""

    type: Annotated[WebhookType, Meta(description="`alert.` and the kind of `data`.")]
    timestamp: Annotated[
        str, Meta(description="When the delivery was made, ISO 8601, UTC; the same at each try.")
    ]
    data: AlertNotification


def require_secret(secret: str) -> None:
    """Refuse what is no key of Standard Webhooks (ValueError); the secret itself is in no message."""
    fewest, most = SECRET_BYTES
    expected = f"{SECRET_PREFIX} and {fewest} to {most} random bytes in base64"
    if not secret:
        raise WrongFieldError("secret", expected, "none")
    if not secret.startswith(SECRET_PREFIX):
        raise WrongFieldError("secret", expected, "a text that begins otherwise")
    try:
        size = len(base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True))
    except (binascii.Error, ValueError):
        raise WrongFieldError("secret", expected, "a text that is no base64") from None
    if not fewest <= size <= most:
        raise WrongFieldError("secret", expected, f"{size} bytes")


def require_url(url: str, kind: TargetKind) -> None:
    """Refuse what no request could be sent to (ValueError); of the URL no message tells more than its scheme."""
    schemes = ("http", "https")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise WrongFieldError("url", "a URL such as https://example.org/alerts", "none that is one") from None
    if kind == "apprise":
        if "://" not in url or parts.scheme in ("", "file"):
            raise WrongFieldError("url", "a URL of Apprise, such as tgram://token/chat", "another text")
        # They would have the library send twice, or elsewhere.
        if {"redirect", "retry"} & parse_qs(parts.query, keep_blank_values=True).keys():
            raise WrongFieldError("url", "a URL of Apprise without redirect and retry", "one with")
        return
    if parts.scheme not in schemes:
        raise WrongFieldError("url", "http:// or https://", repr(parts.scheme or "no scheme"))
    if not parts.hostname or port == 0 or not url.isascii() or any(one <= " " for one in url):
        raise WrongFieldError("url", "a URL with a host, in ASCII and without spaces", "one without")
    if parts.username is not None or parts.password is not None or "#" in url:
        raise WrongFieldError("url", "a URL without user, password and fragment", "one with")


def masked_url(url: str, kind: TargetKind) -> str | None:
    """Return what may be shown of a URL: of a webhook all but values of its query, of others, whose paths are secrets,
    the host.

    >>> masked_url("https://example.org/hooks?key=1", "webhook"), masked_url("https://hooks.slack.com/T0/B0/x", "slack")
    ('https://example.org/hooks?…', 'https://hooks.slack.com/…')
    """
    if not url:
        return None
    parts = urlsplit(url)
    if kind == "apprise":
        return f"{parts.scheme}://…"
    shown = f"{parts.scheme}://{parts.netloc}"
    if kind == "slack":
        return f"{shown}/…"
    return f"{shown}{parts.path}" + ("?…" if parts.query else "")
