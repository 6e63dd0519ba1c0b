"""Rules over the signals of disorderly tapes: no alert lasts that the final signals do not say."""

import random

import pytest

from services.contracts.alert_messages import Alert
from services.contracts.conditions import Condition
from services.contracts.messages import PairConfig
from services.contracts.rules import Rule
from services.rules.observation import of_signal
from tests.analytics import final_signals, outcomes, walk
from tests.disorder import KINDS, arrivals
from tests.unit.rules.test_engine import engine_of, lasting, told

START_US = 1_767_225_600_000_000
PAIR = PairConfig(pair="ETHUSDT-BTCUSDT", window=30, entry_z=1.5)
OUTSIDE = Condition(metric="zscore", operator="outside", fire=1.5, clear=0.5)
FAST = Condition(metric="y_price", operator="changes_by", fire=0.02, percent=True, over_s=10)
RULES = (
    Rule(id="far", conditions=(OUTSIDE,)),
    Rule(id="long", conditions=(OUTSIDE,), for_s=2, clear_after=2),
    Rule(id="fast", conditions=(FAST, OUTSIDE), match="any", no_data="alert", no_data_after_s=5),
)


def told_of(alert: Alert) -> tuple[str, int, str]:
    """Return what an alert says, without its numbers."""
    return alert.rule_id, alert.event_us, alert.state


@pytest.mark.parametrize("kind", KINDS)
def test_no_alert_lasts_that_the_final_signals_do_not_say(kind: str) -> None:
    prices = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0, "SOLUSDT": 150.0}
    said = outcomes(arrivals(walk(prices, 25, START_US, 100, random.Random(9)), kind), PAIR)
    live = [of_signal(outcome.signal) for outcome in said]
    final = [of_signal(signal) for signal in final_signals(said)]
    expected = told(engine_of(*RULES), final)
    assert expected
    found = lasting(told(engine_of(*RULES), live))
    # A correction that leaves an alert where it is changes none of its numbers.
    assert {told_of(one) for one in found} == {told_of(one) for one in expected}
    assert len(found) == len(expected)
