"""What becomes of a delivery after a try."""

import pytest

from services.contracts.targets import DeliveryKind, DeliveryState
from services.delivery.channels.answer import Answer
from services.delivery.sender import outcome_of
from services.store.deliveries import TakenDelivery

FAILED = Answer("received 503", 503)


@pytest.mark.parametrize(
    ("kind", "tries", "answer", "state", "wait_s"),
    [
        ("begun", 1, Answer(None, 200), "delivered", None),
        ("begun", 1, FAILED, "failed", 5),
        ("begun", 2, FAILED._replace(retry_after_s=600), "failed", 600),
        ("begun", 7, FAILED, "dead", None),
        ("begun", 1, Answer("received 410", 410, is_gone=True), "dead", None),
        ("test", 1, FAILED, "dead", None),
        ("test", 1, Answer(None, 200), "delivered", None),
    ],
)
def test_a_try_is_followed_by_another_one_or_by_none(
    kind: DeliveryKind, tries: int, answer: Answer, state: DeliveryState, wait_s: float | None
) -> None:
    outcome = outcome_of(TakenDelivery("d", kind, b"", tries, 0), answer, 7, 0.0)
    assert (outcome.state, outcome.next_s, outcome.reason, outcome.took_ms) == (
        state,
        wait_s,
        answer.problem,
        7,
    )
