"""What people and programs read of a notification."""

import json
from typing import get_args

import jsonschema_rs
import pytest

from services.cli.schemas import DIRECTORY
from services.contracts.targets import AlertNotification, DeliveryKind
from services.delivery.channels import texts
from tests.unit.rules.test_routing import PAIR, alert


def notification(kind: DeliveryKind = "begun", number: int = 1, message: str = "wide") -> AlertNotification:
    """Return a notification of alerts."""
    alerts = tuple(alert(start=one, message=message) for one in range(number))
    return AlertNotification(kind=kind, target="bot", group={"rule": "r"}, alerts=alerts)


def test_the_body_of_a_webhook_is_the_same_at_each_try() -> None:
    body = texts.webhook_body(notification(), 0)
    assert body == texts.webhook_body(notification(), 0)
    told = json.loads(body)
    assert (told["type"], told["timestamp"]) == ("alert.begun", "1970-01-01T00:00:00.000000Z")
    assert told["data"]["alerts"][0]["subject"] == PAIR


@pytest.mark.parametrize("kind", get_args(DeliveryKind))
def test_the_body_of_a_webhook_is_what_its_schema_says(kind: DeliveryKind) -> None:
    schema = json.loads((DIRECTORY / "webhook.v1.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.Draft202012Validator(schema)
    body = json.loads(texts.webhook_body(notification(kind, 2), 0))
    assert [one.message for one in validator.iter_errors(body)] == []
    body["data"]["alerts"][0]["state"] = "somehow"
    assert not validator.is_valid(body)


def test_what_a_rule_says_is_no_markup_of_slack() -> None:
    text = json.loads(texts.slack_body(notification(message="<!channel> & <http://a|b>")))["text"]
    assert text.startswith("&lt;!channel&gt; &amp; &lt;http://a|b&gt; · ")


def test_lines_are_as_many_as_people_read() -> None:
    lines = texts.lines_of(notification("ended", 50))
    assert len(lines) == 21
    assert lines[0].startswith("ended: wide")
    assert lines[-1] == "and 30 more"
    assert texts.lines_of(notification("test", 0)) == [texts.title_of(())]
