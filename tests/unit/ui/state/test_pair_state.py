"""State of a pair: whether its numbers are of now, and why not."""

import msgspec
import pytest

from services.common.clock import SECOND
from services.contracts.messages import Filling
from services.ui.api.types import Status, WatchedPair
from services.ui.state.live_state import LiveState, Now
from services.ui.state.pair_state import PAST, PairState, states
from tests.unit.ui.answers import answer, update
from tests.unit.ui.conftest import PAIR, START_S, Make


def state(market: LiveState, now: Now, seconds: float = 0.0) -> PairState:
    return states(market, Now(now.us + int(seconds * SECOND), now.s + seconds))[PAIR]


def test_a_pair_is_fine_until_its_last_signal_is_old(market: LiveState, pair: WatchedPair, now: Now) -> None:
    fine = state(market, now)
    assert (fine.condition, fine.reason, fine.zscore, fine.is_old) == ("ok", "", 0.75, False)
    old = state(market, now, pair.stale_after_s + 1)
    assert (old.condition, old.zscore, old.is_old) == ("stale", 0.75, True)
    assert old.reason == f"no signal for more than {pair.stale_after_s:g} s"
    assert old.age_s == pair.stale_after_s + 1


def test_a_lost_stream_says_nothing_of_now(market: LiveState, now: Now) -> None:
    market.link(False, now, "gone")
    assert (state(market, now).condition, state(market, now).is_old) == ("lost", True)
    market.signals.clear()
    assert state(market, now).reason == "no signal yet"


@pytest.mark.parametrize(
    ("quality", "condition", "reason"),
    [("stale", "stale", "BTCUSDT went quiet"), ("not_enough_data", "collecting", "12 samples, 30 needed")],
)
def test_what_is_not_known_has_the_reason_of_its_signal(
    quality: str, condition: str, reason: str, market: LiveState, signal: Make, now: Now
) -> None:
    market.apply(update(signals=(signal(START_S + 1, quality=quality, reason=reason),)), now)
    assert (state(market, now).condition, state(market, now).reason) == (condition, reason)


def test_old_numbers_while_the_past_is_played_are_of_the_past(
    market: LiveState, service: Make, now: Now
) -> None:
    filling = service(filling=Filling(done_s=1.0, total_s=9.0))
    market.apply(update(status=answer(Status, services=(filling,))), now)
    assert state(market, now, 700).reason == PAST


def test_a_pair_fires_by_its_newest_alert_of_any_rule_unless_it_is_paused(
    market: LiveState, pair: WatchedPair, alert: Make, price_move: Make, now: Now
) -> None:
    assert state(market, now).firing is None
    other = price_move(2, START_S + 1, subject=PAIR, pair=PAIR)
    market.apply(update(alerts=(alert(1), other)), now)
    firing = state(market, now).firing
    assert firing is not None
    assert firing.rule == other.rule
    market.watch([msgspec.structs.replace(pair, paused=True)], [])
    assert (state(market, now).condition, state(market, now).firing) == ("paused", None)


def test_a_pair_without_a_signal_waits(market: LiveState, now: Now) -> None:
    market.signals.clear()
    assert (state(market, now).condition, state(market, now).age_s) == ("waiting", None)
