import random
from typing import get_args

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from services.common.clock import SECOND
from services.contracts import messages
from services.contracts.messages import LegTrade, Method, PairConfig
from services.quant.estimators.registry import ESTIMATORS
from services.quant.transform import TRANSFORMS
from services.stream_analytics.corrections import Outcome
from services.stream_analytics.state_storage import Store
from tests.unit.stream_analytics.made_tape import CONFIG, Event, closed, closed_signals, partition, run, tape

LEGS = ("ETHUSDT", "BTCUSDT")


def test_each_signal_is_fitted_on_the_window_before_it() -> None:
    signals = [signal for signal, _ in run(tape(1))]
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


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    cut=st.integers(0, 600),
    every=st.integers(1, 200),
    kept=st.integers(0, 5),
    method=st.sampled_from(sorted(ESTIMATORS)),
    transform=st.sampled_from(sorted(TRANSFORMS)),
)
def test_a_kill_changes_no_bit(
    seed: int, cut: int, every: int, kept: int, method: Method, transform: messages.Transform
) -> None:
    """State was stored every so many trades; the last stores are cut short; what was not acknowledged comes again."""
    config = structs.replace(CONFIG, method=method, transform=transform)
    trades = tape(seed)
    stored = Recorded()
    first = partition(config, store=stored)
    acknowledged: list[int] = []
    said: list[Outcome] = []
    resume_at = 0
    for number, trade in enumerate(trades[:cut]):
        said += closed(first.take([trade])[0])
        first.hold(Event(number, acknowledged), [trade])
        if number % every == 0:
            resume_at = len(acknowledged)
            stored.mark()
            first.save()
            first.acknowledge()
    # Acknowledgements are committed after the writes before them are flushed, so the last writes may be lost
    # only together with theirs.
    second = partition(config, store=stored.cut(kept))
    again = closed(second.take(trades[resume_at:])[0])
    whole = run(trades, config)
    by_time = {outcome.signal.event_us: outcome for outcome in said + again}
    assert [by_time[time] for time in sorted(by_time)] == whole
    assert all(by_time[outcome.signal.event_us] == outcome for outcome in said + again)


class Recorded(dict[bytes, bytes]):
    """A store that remembers the order of its writes."""

    def __init__(self) -> None:
        super().__init__()
        self._safe: dict[bytes, bytes] = {}
        self._since: list[tuple[bytes, bytes]] = []

    def __setitem__(self, key: bytes, value: bytes) -> None:
        super().__setitem__(key, value)
        self._since.append((key, value))

    def mark(self) -> None:
        """All that was written so far has been flushed."""
        self._safe, self._since = dict(self), []

    def cut(self, kept: int) -> dict[bytes, bytes]:
        """Return what a crash leaves: of the writes since the mark the first few."""
        return self._safe | dict(self._since[:kept])


@given(seed=st.integers(0, 100), shuffle=st.integers(0, 100), size=st.integers(1, 50))
@settings(max_examples=25, deadline=None)
def test_how_symbols_interleave_and_how_trades_are_packed_changes_nothing(
    seed: int, shuffle: int, size: int
) -> None:
    """As partitions and workers do, keep each symbol's own order and nothing else."""
    configs = (CONFIG, PairConfig(pair="SOLUSDT-ETHUSDT", window=20), PairConfig(pair="BTCUSDT-SOLUSDT"))
    trades = tape(seed, 60, ("BTCUSDT", "ETHUSDT", "SOLUSDT"))
    queues = {name: [t for t in trades if t.symbol == name] for name in ("BTCUSDT", "ETHUSDT", "SOLUSDT")}
    choose, mixed = random.Random(shuffle), []
    while left := [name for name, queue in queues.items() if queue]:
        mixed.append(queues[choose.choice(left)].pop(0))
    one = partition(*configs)
    said = [s for at in range(0, len(mixed), size) for s in closed_signals(one, mixed[at : at + size])]
    for config in configs:
        alone = [signal for signal, _ in run(trades, config)]
        assert [signal for signal in said if signal.pair == config.pair] == alone


@pytest.mark.parametrize("number", [100, 250, 400])
def test_the_future_changes_nothing_of_the_past(number: int) -> None:
    trades = tape(2)
    cut = trades[number].event_us
    other = [structs.replace(t, price=t.price * 3) if t.price and t.event_us > cut else t for t in trades]
    past = [signal for signal, _ in run(trades) if signal.event_us <= cut]
    assert past == [signal for signal, _ in run(other) if signal.event_us <= cut]
    assert past


def test_a_stale_leg_is_named_and_its_old_price_enters_no_window() -> None:
    trades = [LegTrade("BTCUSDT", 0, 1, 1.0), LegTrade("BTCUSDT", 30 * SECOND, 1)]
    trades += [LegTrade("ETHUSDT", us * SECOND, us, 1.0 + us) for us in range(31)]
    signals = [signal for signal, _ in run(trades)]
    assert [signal.quality for signal in signals[10:]] == ["stale"] * 20
    assert {signal.reason for signal in signals[10:]} == {"BTCUSDT went quiet"}
    assert {signal.samples for signal in signals[10:]} == {10}
    assert all(signal.zscore is None for signal in signals[10:])


def test_a_gap_is_not_filled_with_an_old_price() -> None:
    trades = tape(3)
    at = [n for n, trade in enumerate(trades) if trade.symbol == "ETHUSDT"]
    gone = {n for n in at if 40 * SECOND <= trades[n].event_us < 44 * SECOND}
    signals = [signal for signal, _ in run([t for n, t in enumerate(trades) if n not in gone])]
    torn = [signal for signal in signals if signal.reason == "trades of ETHUSDT are missing"]
    assert {signal.event_us // SECOND for signal in torn} >= {41, 42, 43, 44}
    assert all((signal.quality, signal.zscore) == ("stale", None) for signal in torn)
    assert signals[-1].quality == "ok"


def test_a_gap_as_long_as_the_window_begins_a_new_one() -> None:
    """After it the old regression says nothing, however many samples it has; a restart does not bring it back."""
    before = tape(4, seconds=60)[:-2]
    gap_us, ids = 3600 * SECOND, {trade.symbol: trade.trade_id for trade in before}
    after = [
        LegTrade(t.symbol, t.event_us + gap_us, t.trade_id + ids[t.symbol], t.price)
        for t in tape(5, seconds=60)
    ]
    store: Store = {}
    first = partition(store=store)
    signals = closed_signals(first, before + after[:100])
    fresh = [signal for signal in signals if signal.event_us > gap_us and signal.quality != "stale"]
    assert [signal.samples for signal in fresh[:4]] == [0, 1, 2, 3]
    assert {signal.quality for signal in fresh[:4]} == {"not_enough_data"}
    first.save()
    closed_until = first.trackers[CONFIG.pair].settled_until
    signals += closed_signals(partition(store=store), [t for t in after if t.event_us >= closed_until])
    assert signals == [signal for signal, _ in run(before + after)]


def test_an_alert_names_the_moment_and_comes_again_with_the_same_id() -> None:
    alerts = [alert for outcome in run(tape(1)) for alert in outcome.alerts]
    assert alerts == [alert for outcome in run(tape(1)) for alert in outcome.alerts]
    states = ["firing", "resolved"] * len(alerts)
    assert [alert.state for alert in alerts] == states[: len(alerts)]
    assert len({alert.alert_id for alert in alerts}) == len(alerts) > 0


def test_late_trades_are_counted_and_said() -> None:
    one = partition()
    one.take(tape(1))
    one.take([LegTrade("ETHUSDT", SECOND, 1, 5.0), LegTrade("ETHUSDT", 2 * SECOND, 2, 5.0)])
    assert one.tapes["ETHUSDT"].late == 2
    ahead = LegTrade("ETHUSDT", 500 * SECOND, 10_000, 5.0)
    [signal] = [o.signal for o in one.take([ahead], every_trade=True)[0] if not o.signal.closed]
    assert signal.late == 2


def test_trades_are_acknowledged_in_order_once_their_seconds_are_stored() -> None:
    trades = tape(6, 30)
    one, acknowledged = partition(), list[int]()
    for number, trade in enumerate(trades):
        one.take([trade])
        one.hold(Event(number, acknowledged), [trade])
    one.acknowledge()
    assert acknowledged == []
    one.save()
    one.acknowledge()
    assert acknowledged == list(range(len(trades)))


def test_a_pair_whose_other_leg_is_unknown_does_not_hold_up_the_others_for_ever() -> None:
    one, acknowledged = partition(CONFIG, PairConfig(pair="ETHUSDT-NONEUSDT")), list[int]()
    seconds = 1000
    for second in range(seconds):
        trades = [LegTrade(name, second * SECOND, second, 1.0) for name in ("ETHUSDT", "BTCUSDT")]
        one.take(trades)
        one.hold(Event(second, acknowledged), trades)
    one.save()
    one.acknowledge()
    assert seconds - 605 < len(acknowledged) < seconds - 590


def test_pairs_come_change_pause_and_go() -> None:
    store: Store = {}
    one, trades = partition(store=store), tape(1)
    third = len(trades) // 3
    closed_signals(one, trades[:third])
    one.save()
    other = PairConfig(pair="BTCUSDT-ETHUSDT", window=30)
    louder = structs.replace(CONFIG, entry_z=9.0)
    one.configure({CONFIG.pair: louder, other.pair: other})
    signals = closed_signals(one, trades[third : 2 * third])
    samples = [signal.samples for signal in signals if signal.pair == other.pair]
    assert samples == [min(30, number) for number in range(len(samples))]
    # New thresholds leave the window alone; a new window begins anew.
    assert {signal.samples for signal in signals if signal.pair == CONFIG.pair} == {20}
    one.configure(
        {CONFIG.pair: structs.replace(louder, window=40), other.pair: structs.replace(other, paused=True)}
    )
    before = dict(store)
    signals = closed_signals(one, trades[2 * third :])
    assert {signal.pair for signal in signals} == {CONFIG.pair}
    assert [signal.samples for signal in signals[:3]] == [0, 1, 2]
    assert not any(key.startswith(b"ETHUSDT-BTCUSDT/20/") for key in before)
    one.configure({})
    one.save()
    assert not any(key.startswith(b"ETHUSDT-BTCUSDT") for key in store)
    assert (one.trackers, one.tapes) == ({}, {})


def test_a_pair_goes_on_after_a_pause_without_the_seconds_nobody_watched() -> None:
    one, trades = partition(), tape(1)
    seen = closed_signals(one, trades[:200])
    one.save()
    one.configure({CONFIG.pair: structs.replace(CONFIG, paused=True)})
    assert closed_signals(one, trades[200:220]) == []
    one.configure({CONFIG.pair: CONFIG})
    after = closed_signals(one, trades[220:])
    assert min(signal.event_us for signal in after) > trades[219].event_us
    assert after[0].samples == min(20, seen[-1].samples + 1)


def test_swapped_legs_are_another_pair() -> None:
    swapped = PairConfig(pair="BTCUSDT-ETHUSDT", window=20, min_samples=5)
    signals = [signal for signal, _ in run(tape(1), CONFIG, swapped)]
    y_prices = {signal.pair: signal.y_price for signal in signals}
    assert y_prices["BTCUSDT-ETHUSDT"] > 10_000 > y_prices["ETHUSDT-BTCUSDT"]


def test_the_names_on_the_topic_are_those_of_the_mathematics() -> None:
    assert set(get_args(messages.Method)) == set(ESTIMATORS)
    assert set(get_args(messages.Transform)) == set(TRANSFORMS)


def test_a_mark_is_not_acknowledged_before_what_it_closes_is_stored() -> None:
    """The mark that ends a tape does not come again."""
    trades = [
        LegTrade(name, second * SECOND, second + 1, 1.0 + second) for second in range(3) for name in LEGS
    ]
    marks = [LegTrade(name, 5 * SECOND, 3) for name in LEGS]
    store: Store = {}
    first, acknowledged = partition(store=store), list[int]()
    said = closed_signals(first, trades)
    first.hold(Event(0, acknowledged), trades)
    first.save()
    said += closed_signals(first, marks)
    first.hold(Event(1, acknowledged), marks)
    first.acknowledge()
    assert acknowledged == []
    said += closed_signals(partition(store=store), trades + marks)
    assert {signal.event_us // SECOND for signal in said} == {1, 2, 3, 4, 5}
    first.save()
    first.acknowledge()
    assert acknowledged == [0, 1]


def test_silence_that_is_passed_over_holds_up_nothing() -> None:
    one, acknowledged = partition(), list[int]()
    silence = [LegTrade(name, 1000 * SECOND, 1) for name in LEGS]
    for number, trades in enumerate(([LegTrade(name, 0, 1, 1.0) for name in LEGS], silence)):
        one.take(trades)
        one.hold(Event(number, acknowledged), trades)
    one.save()
    one.acknowledge()
    assert acknowledged == [0, 1]
