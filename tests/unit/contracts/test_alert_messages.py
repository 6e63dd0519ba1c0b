"""Alerts of any rule; those from before, and readers from before."""

from typing import Any

import msgspec
import pytest
from msgspec import Struct, structs

from services.common.codec import decode, decode_all, encode
from services.common.errors import BadMessageError
from services.contracts.messages import Alert, Signal
from services.stream_analytics.threshold_rule import ThresholdRule

PAIR = "ETHUSDT-BTCUSDT"
FROM_BEFORE = (
    b'{"alert_id":"zscore:ETHUSDT-BTCUSDT:7:firing","rule_id":"zscore","pair":"ETHUSDT-BTCUSDT","event_us":7,'
    b'"state":"firing","value":-2.25,"threshold":2.0,"message":"ETHUSDT-BTCUSDT: z-score -2.25 reached \\u00b12"}'
)
PRICE_MOVE: dict[str, Any] = {
    "alert_id": "btc-moves:BTCUSDT:7:firing",
    "rule": "btc-moves",
    "metric": "price_move",
    "subject": "BTCUSDT",
    "event_us": 7,
    "state": "firing",
    "message": "BTCUSDT moved by 5.2 % in a minute",
    "severity": "critical",
    "labels": {"desk": "majors"},
    "values": {"price_move": 0.052, "limit": 0.05},
}


class AlertOfBefore(Struct, frozen=True, kw_only=True):
    """What the version before reads of an alert."""

    alert_id: str
    rule_id: str
    pair: str
    event_us: int
    state: str
    value: float
    threshold: float
    message: str


def of_default_rule() -> Alert:
    signal = Signal(
        pair=PAIR, event_us=7, y_price=1.0, x_price=1.0, hedge_ratio=1.0, intercept=0.0, method="ols", spread=0.0,
        zscore=-2.25, correlation=1.0, window=10, samples=10, quality="ok",
    )  # fmt: skip
    alert = ThresholdRule(2.0, 0.5).judge(signal)
    assert alert is not None
    return alert


def test_an_alert_from_before_is_one_of_the_rule_that_every_pair_has() -> None:
    alert = decode(FROM_BEFORE, Alert)
    assert (alert.rule, alert.metric, alert.subject) == ("zscore-threshold", "zscore", PAIR)
    assert (alert.severity, alert.labels, alert.values) == (
        "warning",
        {},
        {"zscore": -2.25, "threshold": 2.0},
    )
    assert (alert.rule_id, alert.pair, alert.value, alert.threshold) == ("zscore", PAIR, -2.25, 2.0)


def test_a_reader_from_before_reads_the_rule_that_every_pair_has() -> None:
    raw = encode(of_default_rule())
    before = msgspec.json.decode(FROM_BEFORE, type=AlertOfBefore)
    assert structs.replace(msgspec.json.decode(raw, type=AlertOfBefore), message="") == structs.replace(
        before, message=""
    )
    assert raw.startswith(FROM_BEFORE.partition(b',"message"')[0])


def test_an_alert_of_another_rule_comes_back_as_it_went() -> None:
    alert = Alert(**PRICE_MOVE)
    found = decode_all([encode(alert), FROM_BEFORE, encode(of_default_rule())], Alert)
    assert found.messages[0] == alert
    assert (len(found.messages), found.bad) == (3, {})
    assert (alert.rule_id, alert.pair, alert.value, alert.measured) == ("btc-moves", None, None, 0.052)


def test_a_batch_of_alerts_of_no_pair_is_read_at_once() -> None:
    alerts = [Alert(**PRICE_MOVE), of_default_rule(), Alert(**{**PRICE_MOVE, "subject": "sink"})]
    plain = [structs.replace(one, message="plain") for one in alerts]
    assert decode_all([encode(one) for one in plain], Alert) == (plain, {})


def test_the_subject_of_a_metric_of_pairs_is_the_pair_and_that_of_any_other_is_none() -> None:
    # BTC-USDT may be a symbol, and may be a pair.
    for subject in (PAIR, "BTC-USDT"):
        assert Alert(**{**PRICE_MOVE, "subject": subject, "metric": "spread"}).pair == subject
        assert Alert(**{**PRICE_MOVE, "subject": subject, "metric": "coverage_1h"}).pair is None
        # A metric that is not ours does not say.
        assert Alert(**{**PRICE_MOVE, "subject": subject}).pair == subject
    leg = Alert(**{**PRICE_MOVE, "pair": PAIR})
    assert (leg.subject, leg.pair) == ("BTCUSDT", PAIR)


def test_the_old_name_of_a_rule_is_the_rule() -> None:
    for name in ("zscore", "zscore-threshold"):
        alert = Alert(**{**PRICE_MOVE, "rule": name})
        assert (alert.rule, alert.rule_id) == ("zscore-threshold", "zscore")


@pytest.mark.parametrize("field", ["rule", "subject", "metric"])
def test_an_alert_that_does_not_say_what_it_is_of_is_refused(field: str) -> None:
    raw = encode({name: value for name, value in PRICE_MOVE.items() if name != field})
    with pytest.raises(BadMessageError, match=f"expected {field} of an alert, received none"):
        decode(raw, Alert)


@pytest.mark.parametrize(
    "wrong",
    [
        {"labels": {"desk": "a\0b"}},
        {"labels": {"de\nsk": "a"}},
        {"labels": {"desk": "x" * 257}},
        {"labels": {str(n): "a" for n in range(65)}},
        {"values": {"price\x7fmove": 1.0}},
        {"values": {"price_move": "much"}},
        {"values": {"price_move": None}},
        {"subject": "BTC\0"},
        {"severity": "odd"},
        {"pair": "BTCUSDT"},
    ],
)
def test_what_nobody_can_store_or_show_is_refused_and_takes_nothing_from_others(
    wrong: dict[str, Any],
) -> None:
    raws = [encode(PRICE_MOVE), encode({**PRICE_MOVE, **wrong}), FROM_BEFORE]
    found = decode_all(raws, Alert)
    assert (len(found.messages), list(found.bad)) == (2, [1])
    assert "expected" in str(found.bad[1]).casefold()
