"""What holds of the alerts of a pair, and how it ends."""

from hypothesis import given
from hypothesis import strategies as st

from services.contracts.messages import Alert
from services.stream_analytics.alert_record import AlertRecord

PAIR = "ETHUSDT-BTCUSDT"


def alert(at_us: int, state: str = "firing", **fields: object) -> Alert:
    return Alert(
        alert_id=f"zscore:{PAIR}:{at_us}:{state}",
        rule_id="zscore",
        pair=PAIR,
        event_us=at_us,
        state=state,  # type: ignore[arg-type]
        message="z-score",
        value=2.0,
        threshold=2.0,
        **fields,  # type: ignore[arg-type]
    )


def record(*alerts: Alert) -> AlertRecord:
    made = AlertRecord("measured")
    for one in alerts:
        made = made.noted(one)
    return made


def test_an_alert_that_fires_ends_by_an_id_of_its_own_and_without_numbers() -> None:
    ended = record(alert(1), alert(2, "resolved"), alert(5)).end(9, "was removed").ended
    assert ended is not None
    assert (ended.alert_id, ended.state, ended.event_us) == (f"zscore:{PAIR}:5:firing:ended", "ended", 9)
    assert (ended.measured, ended.threshold) == (None, None)
    assert ended.message == f"{PAIR}: ended, the pair was removed"
    assert ended.rule == alert(1).rule


def test_what_fires_no_longer_does_not_end_and_what_has_ended_stays_as_it_is() -> None:
    assert record(alert(1), alert(2, "resolved")).end(9, "was removed").ended is None
    once = record(alert(1)).end(9, "was removed")
    assert once.end(99, "is paused") == once


def test_one_that_is_retracted_does_not_end_and_one_whose_end_is_retracted_does() -> None:
    taken_back = alert(1, "retracted", retracts=alert(1).alert_id)
    assert record(alert(1), taken_back).firing is None
    again = alert(2, "retracted", retracts=alert(2, "resolved").alert_id)
    assert record(alert(1), alert(2, "resolved"), again).firing == alert(1)


@given(st.lists(st.integers(0, 9), min_size=1))
def test_transitions_that_come_again_change_nothing(order: list[int]) -> None:
    """As after a crash, from an earlier one on."""
    alerts = [alert(at, "firing" if at % 2 == 0 else "resolved") for at in range(10)]
    whole = record(*alerts)
    assert record(*alerts, *(one for first in order for one in alerts[first:])) == whole
