"""Account of the ids of a synthetic tape."""

import pytest

from services.common.clock import HOUR, MINUTE
from services.ingest.feeds.synthetic.account import NOT_PLAYED, Account
from services.ingest.tape.chain import IdSpan
from services.ingest.tape.ledger import OpenGap
from services.ingest.tape.stored import Shelf

NOW = 29_915_280 * MINUTE
MISSING = IdSpan(100, 219, NOW - 40 * MINUTE, NOW - 20 * MINUTE)


def coverage(account: Account, symbol: str = "A", at_us: int = NOW - 1) -> tuple[object, object, object]:
    (event,) = account.events([symbol], at_us, at_us)
    return event.coverage_1h, event.coverage_24h, event.missing


def test_a_tape_that_lacks_nothing_is_whole() -> None:
    account = Account("synthetic")
    account.leave_out("B", MISSING, NOW)
    assert coverage(account) == (1.0, 1.0, 0)


def test_what_is_left_out_is_said_once_and_lowers_the_share() -> None:
    account = Account("synthetic")
    # An hour of 6 a minute before the stop, 20 minutes of it after.
    have = [
        IdSpan(100 - 6 * (n + 1), 99 - 6 * n, NOW - (41 + n) * MINUTE, NOW - (40 + n) * MINUTE)
        for n in range(60)
    ]
    account.resume("A", Shelf(have), NOW - 20 * MINUTE)
    found, given_up = account.leave_out("A", MISSING, NOW)
    assert (found.kind, found.missing, given_up.reason) == ("gap_found", 120, NOT_PLAYED)
    assert account.leave_out("A", MISSING, NOW) == []
    for minute in range(20):
        account.played(NOW // MINUTE - 20 + minute, {"A": 6})
    hour, day, missing = coverage(account)
    assert hour == pytest.approx(40 * 6 / 360, abs=0.01)
    assert day == pytest.approx(80 * 6 / 600, abs=0.01)
    assert missing == 120
    # An hour later the gap is out of that hour, and never was of tomorrow.
    for minute in range(60):
        account.played(NOW // MINUTE + minute, {"A": 6})
    assert coverage(account, at_us=NOW + HOUR - 1)[0] == 1.0
    account.played(NOW // MINUTE + 2_000, {"A": 6})
    assert coverage(account, at_us=NOW + 2_001 * MINUTE - 1)[:2] == (1.0, 1.0)


def test_what_is_played_again_counts_once() -> None:
    account = Account("synthetic")
    gap = OpenGap("A", "synthetic", 1, 6, NOW - 5 * MINUTE, NOW - 4 * MINUTE, NOW, missing=6)
    have = [IdSpan(7 + 6 * n, 12 + 6 * n, NOW - (4 - n) * MINUTE, NOW - (3 - n) * MINUTE) for n in range(4)]
    account.resume("A", Shelf(have, [gap]), NOW - 2 * MINUTE)
    for minute in (2, 1):
        account.played(NOW // MINUTE - minute, {"A": 6})
    assert coverage(account) == (24 / 30, 24 / 30, 6)
