"""What a target may be, which alerts are its, and that no message and no answer tells its secrets."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.fields import WrongFieldError
from services.contracts.targets import Target, masked_url, require_secret, require_url
from tests import builders

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
WEBHOOK = {"id": "bot", "kind": "webhook", "url": "https://example.org/x", "secret": SECRET}
MAIL = {"id": "desk", "kind": "mail", "to": ["desk@example.org"]}


def made(body: dict[str, Any], **more: Any) -> Target:
    """Return the target of a body."""
    return msgspec.convert(body | more, Target)


def test_what_is_left_out_follows_from_the_kind() -> None:
    assert (made(WEBHOOK).group_wait_s, made(WEBHOOK).per_minute) == (0.0, 6_000)
    assert (made(MAIL).group_wait_s, made(MAIL).per_minute, made(MAIL).name) == (10.0, 30, "desk")


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        (WEBHOOK | {"id": "Bot!"}, "id", "letters a-z"),
        (WEBHOOK | {"secret": ""}, "secret", "whsec_ and 24 to 64"),
        (WEBHOOK | {"secret": "whsec_abc"}, "secret", "whsec_ and 24 to 64"),
        (WEBHOOK | {"secret": "whsec_" + base64.b64encode(bytes(23)).decode()}, "secret", "whsec_ and 24"),
        (WEBHOOK | {"url": ""}, "url", "http:// or https://"),
        (WEBHOOK | {"url": "ftp://example.org"}, "url", "http:// or https://"),
        (WEBHOOK | {"url": "https://"}, "url", "a URL with a host"),
        (WEBHOOK | {"url": "https://example.org:99999/"}, "url", "a URL such as"),
        (WEBHOOK | {"url": "https://user:password@example.org/"}, "url", "a URL without user"),
        (WEBHOOK | {"url": "https://exämple.org/"}, "url", "a URL with a host, in ASCII"),
        (WEBHOOK | {"to": ["a@b"]}, "to", "none, because"),
        (WEBHOOK | {"matchers": {"price": "1"}}, "matchers", "one of rule"),
        (WEBHOOK | {"group_by": ["price"]}, "group_by", "one of rule"),
        (WEBHOOK | {"kind": "slack"}, "secret", "none, because"),
        (MAIL | {"to": []}, "to", "an address of mail"),
        (MAIL | {"to": ["desk"]}, "to", "an address such as"),
        (MAIL | {"to": ["desk@example.org\nBcc: all@example.org"]}, "to", "an address such as"),
        (MAIL | {"url": "https://example.org"}, "url", "none, because"),
        ({"id": "phone", "kind": "apprise", "url": "tgram"}, "url", "a URL of Apprise"),
        ({"id": "phone", "kind": "apprise", "url": "file:///etc/passwd"}, "url", "a URL of Apprise"),
    ],
)
def test_a_target_that_cannot_be_is_refused_by_its_field(
    body: dict[str, Any], field: str, expected: str
) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        made(body)
    cause = raised.value.__cause__
    assert isinstance(cause, WrongFieldError)
    assert cause.field == field
    assert cause.expected.startswith(expected)


@given(st.text(min_size=8, max_size=200), st.sampled_from(["", "whsec_"]))
def test_no_message_tells_a_secret(text: str, prefix: str) -> None:
    with pytest.raises(WrongFieldError) as raised:
        require_secret(f"{prefix}{text}!")
    assert text not in str(raised.value)


@given(st.text("abcxyz0189", min_size=12, max_size=40))
def test_no_shown_url_tells_what_is_secret_in_it(token: str) -> None:
    assert token not in str(masked_url(f"https://hooks.slack.com/services/{token}", "slack"))
    assert token not in str(masked_url(f"https://example.org/hook?key={token}", "webhook"))
    assert token not in str(masked_url(f"tgram://{token}/1", "apprise"))
    with pytest.raises(WrongFieldError) as raised:
        require_url(f"ftp://{token}.example.org/", "webhook")
    assert token not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "alert", "why"),
    [
        ({}, {}, None),
        ({"matchers": {"subject": "ETH*"}}, {}, None),
        ({"matchers": {"subject": "SOL*"}}, {}, "its subject is 'ETHUSDT-BTCUSDT', expected 'SOL*'"),
        ({"matchers": {"labels.desk": "fx"}}, {}, "its labels.desk is '', expected 'fx'"),
        ({"least_severity": "critical"}, {}, "its severity is warning, expected at least critical"),
        ({"least_severity": "warning"}, {}, None),
        ({"ends": False}, {"state": "resolved"}, "the ends of alerts are not delivered to it"),
        ({}, {"state": "resolved"}, None),
        ({}, {"state": "pending"}, "pending is a step of its rule, and steps are not delivered"),
    ],
)
def test_an_alert_is_a_target_s_or_the_reason_is_told(
    options: dict[str, Any], alert: dict[str, Any], why: str | None
) -> None:
    one = builders.alert(pair="ETHUSDT-BTCUSDT", **alert)
    assert made(WEBHOOK, **options).refusal(one) == why
