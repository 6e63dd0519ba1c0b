from typing import Any

import msgspec
import pytest

from services.common.codec import decode, encode
from services.contracts.fields import WrongFieldError
from services.contracts.messages import Alert, Rule, Silence
from services.contracts.metrics import METRICS

CONDITION = {"metric": "zscore", "operator": "outside", "fire": 2.0, "clear": 0.5}
RULE: dict[str, Any] = {"id": "wide", "conditions": [CONDITION]}


def wrong(body: dict[str, Any], kind: type[msgspec.Struct] = Rule) -> WrongFieldError:
    """Return why a body is refused."""
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(body, kind)
    assert isinstance(refused.value.__cause__, WrongFieldError), refused.value
    return refused.value.__cause__


def test_a_rule_comes_back_as_it_went() -> None:
    rule = msgspec.convert(RULE | {"labels": {"desk": "fx"}, "schedule": {"start": "08:00"}}, Rule)
    assert decode(encode(rule), Rule) == rule
    assert rule.name == rule.id


@pytest.mark.parametrize(
    ("change", "field", "received"),
    [
        ({"id": "Big Rule"}, "id", "'Big Rule'"),
        ({"id": "zscore-threshold"}, "id", "'zscore-threshold'"),
        ({"message": "{foo:.2f}"}, "message", "{foo}"),
        ({"message": "{zscore:999999999}"}, "message", "{zscore:999999999}"),
        ({"message": "{zscore!r}"}, "message", "{zscore!r}"),
        ({"message": "{zscore.__class__}"}, "message", "{zscore.__class__}"),
        ({"message": "{zscore"}, "message", None),
        (
            {"gates": [{"metric": "degraded", "operator": "above", "level": 1}]},
            "gates[0].metric",
            "'degraded'",
        ),
        (
            {"conditions": [CONDITION, {"metric": "silent_s", "operator": "above", "fire": 5}]},
            "conditions",
            "pair and service",
        ),
        ({"conditions": [CONDITION | {"operator": "crosses"}], "for_s": 5}, "for_s", "5"),
        ({"conditions": [CONDITION | {"operator": "crosses"}], "breaches": 2}, "breaches", "2"),
        (
            {"conditions": [CONDITION | {"operator": "changes_by", "over_s": 10}], "for_s": 20},
            "conditions[0].over_s",
            "10",
        ),
        ({"schedule": {"start": "08:00", "end": "08:10"}, "for_s": 3_600}, "schedule", "600 s"),
        ({"schedule": {"start": "25:00"}}, "start", "'25:00'"),
        ({"schedule": {"timezone": "Moon"}}, "timezone", "'Moon'"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_its_field(
    change: dict[str, Any], field: str, received: str | None
) -> None:
    error = wrong(RULE | change)
    assert error.field == field
    assert received is None or str(error.received) == received


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({"metric": "mood", "operator": "above", "fire": 1}, "metric"),
        ({"metric": "zscore", "operator": "above", "fire": 2, "clear": 3}, "clear"),
        ({"metric": "zscore", "operator": "below", "fire": 2, "clear": 1}, "clear"),
        ({"metric": "zscore", "operator": "outside", "fire": 2, "clear": 3}, "clear"),
        ({"metric": "zscore", "operator": "outside", "fire": 2, "fire_low": 2}, "fire_low"),
        ({"metric": "zscore", "operator": "inside", "fire": 2, "clear": 1}, "clear"),
        ({"metric": "zscore", "operator": "above", "fire": 2, "fire_low": 1}, "fire_low"),
        ({"metric": "zscore", "operator": "changes_by", "fire": 2}, "over_s"),
        ({"metric": "zscore", "operator": "changes_by", "fire": -2, "over_s": 9}, "fire"),
        ({"metric": "zscore", "operator": "above", "fire": 2, "over_s": 9}, "over_s"),
        ({"metric": "zscore", "operator": "above", "fire": 2, "percent": True}, "percent"),
        ({"metric": "y_volatility", "operator": "above", "fire": 2}, "over_s"),
        ({"metric": "y_volatility", "operator": "crosses", "fire": 2, "over_s": 9}, "operator"),
    ],
)
def test_levels_that_contradict_each_other_are_refused(condition: dict[str, Any], field: str) -> None:
    assert wrong(RULE | {"conditions": [condition]}).field == field


def test_every_metric_makes_a_rule() -> None:
    for name, metric in METRICS.items():
        over = {"over_s": 60} if metric.needs_over_s else {}
        rule = msgspec.convert(
            RULE | {"conditions": [{"metric": name, "operator": "above", "fire": 1, **over}]}, Rule
        )
        assert rule.subject_kind == metric.subject


def test_bounds_below_are_those_above_with_the_sign_turned() -> None:
    rule = msgspec.convert(RULE, Rule)
    assert rule.conditions[0].levels == (2.0, 0.5, -2.0, -0.5)


def test_a_silence_matches_fields_and_labels() -> None:
    alert = Alert(
        alert_id="a", event_us=1, state="firing", message="", rule="r", metric="m", subject="ETHUSDT-BTCUSDT"
    )
    assert alert.pair == "ETHUSDT-BTCUSDT"
    matching = [{"subject": "ETH*"}, {"rule": "r", "severity": "warning"}, {"labels.desk": ""}]
    for matchers in matching:
        assert Silence(id="s", matchers=matchers, end_us=1).matches(alert)
    for matchers in [{"subject": "BTC*"}, {"rule": "r", "severity": "info"}, {"labels.desk": "?*"}]:
        assert not Silence(id="s", matchers=matchers, end_us=1).matches(alert)


def test_a_silence_that_cannot_be_is_refused() -> None:
    assert wrong({"id": "s", "matchers": {"price": "1"}, "end_us": 1}, Silence).field == "matchers"
    assert (
        wrong({"id": "s", "matchers": {"rule": "*"}, "start_us": 5, "end_us": 5}, Silence).field == "end_us"
    )
