import random
from collections.abc import Iterator

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.common.messages import PairEvent
from services.common.pairs import Pair
from services.common.settings import PairSettings
from services.stream_analytics.alignment import Leg
from services.stream_analytics.tracker import Outcome, PairTracker, routes

PAIR = Pair("ETHUSDT", "BTCUSDT")
LEGS: tuple[Leg, Leg] = ("y", "x")
SETTINGS = PairSettings(window=20, min_samples=5)


def tape(seed: int, seconds: int = 120) -> Iterator[PairEvent]:
    """Two walking legs with some 5 trades a second, in order of time."""
    draw = random.Random(seed)
    prices: dict[Leg, float] = {"y": 3000.0, "x": 60000.0}
    now = 0
    while (now := now + int(draw.expovariate(5 / SECOND))) < seconds * SECOND:
        leg: Leg = draw.choice(LEGS)
        prices[leg] *= 1 + draw.gauss(0, 1e-4)
        yield PairEvent(pair=str(PAIR), leg=leg, event_us=now, price=prices[leg])


def run(events: list[PairEvent]) -> list[Outcome]:
    tracker = PairTracker(PAIR, SETTINGS, {})
    return [outcome for event in events for outcome in tracker.take(event)]


def test_each_signal_is_fitted_on_the_window_before_it() -> None:
    signals = [signal for signal, _ in run(list(tape(1)))]
    assert len(signals) > 100
    for number, signal in enumerate(signals):
        before = signals[max(0, number - 20) : number]
        assert signal.samples == len(before)
        if len(before) < 5:
            assert (signal.quality, signal.zscore) == ("not_enough_data", None)
            assert signal.reason == f"{len(before)} samples, 5 needed"
            continue
        y, x = np.array([(s.y_price, s.x_price) for s in before]).T
        model = sm.OLS(y, sm.add_constant(x)).fit()
        spread = signal.y_price - model.params[0] - model.params[1] * signal.x_price
        assert signal.quality == "ok"
        assert signal.hedge_ratio == pytest.approx(model.params[1], rel=1e-6)
        assert signal.intercept == pytest.approx(model.params[0], rel=1e-6)
        assert signal.spread == pytest.approx(spread, abs=1e-6)
        assert signal.zscore == pytest.approx(spread / model.mse_resid**0.5, rel=1e-5, abs=1e-6)
        assert signal.correlation == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-8)


@settings(max_examples=25)
@given(seed=st.integers(0, 1000), cut=st.integers(0, 600), replayed=st.integers(0, 50))
def test_a_restart_goes_on_as_if_nothing_had_happened(seed: int, cut: int, replayed: int) -> None:
    events = list(tape(seed))
    cut = min(cut, len(events))
    store: dict[bytes, bytes] = {}
    first = PairTracker(PAIR, SETTINGS, store)
    outcomes = [outcome for event in events[:cut] for outcome in first.take(event)]
    # What belongs to seconds that are still open was never acknowledged, so it comes again.
    held = sum(event.event_us >= first.alignment.closed_until for event in events[:cut])
    second = PairTracker(PAIR, SETTINGS, store)
    outcomes += [
        outcome for event in events[max(0, cut - held - replayed) :] for outcome in second.take(event)
    ]
    assert outcomes == run(events)  # to the last bit


def test_a_flush_cut_short_by_a_crash_still_restores_the_window_it_names() -> None:
    """The samples of the last 20 seconds were stored, the progress was not: the ring still holds its window."""
    events = list(tape(3))
    before, since = (
        events[:300],
        [event for event in events[300:] if event.event_us < events[300].event_us + 20 * SECOND],
    )
    store: dict[bytes, bytes] = {}
    crashed = PairTracker(PAIR, SETTINGS, store)
    for event in before:
        crashed.take(event)
    progress = f"{PAIR}/20/progress".encode()
    kept = store[progress]
    for event in since:
        crashed.take(event)
    store[progress] = kept
    restored = PairTracker(PAIR, SETTINGS, store)
    signals = [signal for event in events[280:] for signal, _ in restored.take(event)]
    expected = {signal.event_us: signal for signal, _ in run(events)}
    assert len(signals) > 20
    assert signals == [expected[signal.event_us] for signal in signals]


def test_a_stale_leg_is_named_and_its_old_price_enters_no_window() -> None:
    tracker = PairTracker(PAIR, SETTINGS, {})
    events = [PairEvent(pair=str(PAIR), leg="x", event_us=0, price=1.0)]
    events += [PairEvent(pair=str(PAIR), leg="y", event_us=us * SECOND, price=1.0 + us) for us in range(30)]
    events += [PairEvent(pair=str(PAIR), leg="clock", event_us=30 * SECOND)]
    signals = [signal for event in events for signal, _ in tracker.take(event)]
    assert [signal.quality for signal in signals[10:]] == ["stale"] * len(signals[10:])
    assert {signal.reason for signal in signals[10:]} == {"BTCUSDT went quiet"}
    assert {signal.samples for signal in signals[10:]} == {10}
    assert all(signal.zscore is None for signal in signals[10:])


def test_an_event_of_a_leg_without_a_price_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a price on leg y of ETHUSDT-BTCUSDT"):
        PairTracker(PAIR, SETTINGS, {}).take(PairEvent(pair=str(PAIR), leg="y", event_us=0))


def test_swapped_legs_are_another_pair() -> None:
    swapped = Pair(PAIR.x, PAIR.y)
    table = routes((PAIR, swapped))
    assert table == {
        "ETHUSDT": [(PAIR, "y"), (swapped, "x")],
        "BTCUSDT": [(PAIR, "x"), (swapped, "y")],
    }


def test_an_alert_names_the_moment_and_comes_again_with_the_same_id() -> None:
    alerts = [alert for _, alert in run(list(tape(1))) if alert is not None]
    again = [alert for _, alert in run(list(tape(1))) if alert is not None]
    assert alerts == again
    assert [alert.state for alert in alerts] == ["firing", "resolved"] * (len(alerts) // 2) + ["firing"] * (
        len(alerts) % 2
    )
    assert len({alert.alert_id for alert in alerts}) == len(alerts) > 0


def test_a_gap_as_long_as_the_window_begins_a_new_one() -> None:
    """After it the old regression says nothing, however many samples it has."""
    before = list(tape(4, seconds=60))
    gap_us = 3600 * SECOND
    after = [
        PairEvent(pair=event.pair, leg=event.leg, event_us=event.event_us + gap_us, price=event.price)
        for event in tape(5, seconds=60)
    ]
    store: dict[bytes, bytes] = {}
    tracker = PairTracker(PAIR, SETTINGS, store)
    outcomes = [outcome for event in before + after[:100] for outcome in tracker.take(event)]
    fresh = [outcome.signal for outcome in outcomes if outcome.signal.event_us > gap_us]
    assert [signal.samples for signal in fresh[:4]] == [0, 1, 2, 3]
    assert {signal.quality for signal in fresh[:4]} == {"not_enough_data"}
    # And a restart does not bring the old window back.
    closed = tracker.alignment.closed_until
    restarted = PairTracker(PAIR, SETTINGS, store)
    outcomes += [o for event in after if event.event_us >= closed for o in restarted.take(event)]
    assert outcomes == run(before + after)
