import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.contracts.messages import Quality, ReversionState, Signal
from services.stream_analytics.threshold_rule import ThresholdRule


def signal(zscore: float | None, event_us: int = 1, quality: Quality = "ok") -> Signal:
    return Signal(
        pair="ETHUSDT-BTCUSDT",
        event_us=event_us,
        y_price=1.0,
        x_price=1.0,
        hedge_ratio=1.0,
        intercept=0.0,
        method="ols",
        spread=0.0,
        zscore=zscore,
        correlation=1.0,
        window=10,
        samples=10,
        quality=quality,
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_it_fires_at_the_entry_and_resolves_at_the_exit(sign: int) -> None:
    rule = ThresholdRule(entry=2.0, exit=0.5)
    levels = [1.99, 2.0, 3.0, 1.0, 0.51, 0.5, 1.9]
    states = [alert and alert.state for z in levels if (alert := rule.judge(signal(sign * z))) or True]
    assert states == [None, "firing", None, None, None, "resolved", None]


@given(st.lists(st.floats(-5, 5), max_size=100))
def test_transitions_alternate(zscores: list[float]) -> None:
    rule = ThresholdRule(entry=2.0, exit=0.5)
    alerts = [alert for z in zscores if (alert := rule.judge(signal(z)))]
    assert [alert.state for alert in alerts] == [
        "firing" if number % 2 == 0 else "resolved" for number in range(len(alerts))
    ]
    assert all(
        abs(alert.values["zscore"]) >= 2 if alert.state == "firing" else abs(alert.values["zscore"]) <= 0.5
        for alert in alerts
    )


def test_what_is_stale_or_unknown_neither_fires_nor_resolves() -> None:
    rule = ThresholdRule(entry=2.0, exit=0.5)
    assert rule.judge(signal(5.0, quality="stale")) is None
    assert rule.judge(signal(2.5)) is not None
    assert rule.judge(signal(None, quality="not_enough_data")) is None
    assert rule.firing


def test_with_the_gate_it_fires_only_while_the_spread_reverts_and_resolves_in_any_case() -> None:
    rule = ThresholdRule(entry=2.0, exit=0.5, only_while_reverting=True)
    seen: list[tuple[float, ReversionState | None]] = [
        (2.5, None), (2.5, "unproven"), (2.5, "broken"), (2.4, "reverting"), (2.6, "broken"), (0.1, "broken"),
        (3.0, "unproven"),
    ]  # fmt: skip
    said = [rule.judge(structs.replace(signal(z), reversion=state)) for z, state in seen]
    assert [alert and (alert.state, alert.value, alert.reversion) for alert in said] == [
        None, None, None, ("firing", 2.4, "reverting"), None, ("resolved", 0.1, "broken"), None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "end"),
    [("reverting", "±2"), ("broken", "±2, reversion broken"), (None, "±2, reversion unproven")],
)
def test_an_alert_says_whether_the_spread_is_seen_to_revert(state: ReversionState | None, end: str) -> None:
    alert = ThresholdRule(2.0, 0.5).judge(structs.replace(signal(3.0), reversion=state))
    assert alert is not None
    assert alert.message.endswith(end)


def test_the_alert_says_what_happened() -> None:
    alert = ThresholdRule(entry=2.0, exit=0.5).judge(signal(-2.25, event_us=7))
    assert alert is not None
    assert alert.alert_id == "zscore:ETHUSDT-BTCUSDT:7:firing"
    assert alert.message == "ETHUSDT-BTCUSDT: z-score -2.25 reached ±2, reversion unproven"
    assert alert.reversion == "unproven"
    assert (alert.rule, alert.metric, alert.subject) == ("zscore-threshold", "zscore", alert.pair)
    assert alert.values == {"zscore": -2.25, "entry": 2.0, "exit": 0.5}
