"""Disorderly tapes: the same signals however topics race or workers crash, and correct in the end."""

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from services.common.clock import SECOND
from services.contracts.messages import Alert, LegTrade, PairConfig, Signal, Tick
from services.stream_analytics.corrections import Outcome
from services.stream_analytics.pair_partition import PairPartition
from tests.analytics import walk
from tests.disorder import KINDS, arrivals, mixed, topics
from tests.unit.stream_analytics.made_tape import CONFIG, Event, run

HORIZON_US = 30 * SECOND
LEGS = ("ETHUSDT", "BTCUSDT")
PAIR = structs.replace(CONFIG, window=12, entry_z=1.2, exit_z=0.4, stale_after_s=4.0)


# They share their tapes, and are stored one after the other.
BOTH = (PAIR, structs.replace(PAIR, pair="BTCUSDT-ETHUSDT", window=20))


class Symbol(NamedTuple):
    """What ingest has published of a symbol: its trades, and its marks, each with how many trades went before it."""

    trades: list[LegTrade]
    marks: list[tuple[int, LegTrade]]


def published(name: str, seed: int, seconds: int = 90, worst_s: int = 20) -> Symbol:
    """Return a tape out of order: trades late by up to `worst_s`, alone and in stretches, and marks that deny them."""
    draw = random.Random(f"{name}{seed}")
    late = draw.choice((0.0, 0.05, 0.3))
    stretch = range(start := draw.randrange(10, seconds), start + draw.randrange(1, 15))
    price, arrivals = 100.0, []
    at_us = 0
    for trade_id in range(1, 10_000):
        at_us += 1 + int(draw.expovariate(1.2 / SECOND))
        if at_us >= seconds * SECOND:
            break
        price *= 1 + draw.gauss(0, 1e-3)
        delay_us = int(draw.random() * worst_s * SECOND) if draw.random() < late else 0
        delay_us += worst_s * SECOND // 2 if at_us // SECOND in stretch else 0
        arrivals.append((at_us + delay_us, LegTrade(name, at_us, trade_id, price)))
    trades: list[LegTrade] = []
    marks: list[tuple[int, LegTrade]] = []
    known_us, ends = 0, [0]
    ordered = sorted(arrivals, key=lambda one: one[0])
    for number, (arrived_us, trade) in enumerate(ordered):
        if ends != [known_us]:
            trade = structs.replace(trade, marks=tuple(ends))
        trades.append(trade)
        known_us = max(trade.event_us, ends[-1])
        ends = [known_us]
        following = ordered[number + 1][0] if number + 1 < len(ordered) else seconds * SECOND
        for second in range(-(-arrived_us // SECOND), following // SECOND):
            until_us = (second - 3) * SECOND
            if until_us > ends[-1] and draw.random() < 0.7:
                is_doubtful = draw.random() < 0.4
                # Certain and doubtful stretches by turns; those of one kind are one.
                if is_doubtful == (len(ends) % 2 == 0):
                    ends[-1] = until_us
                else:
                    ends.append(until_us)
                mark = LegTrade(name, until_us, trade.trade_id, is_doubtful=is_doubtful)
                marks.append((len(trades), mark))
    marks.append((len(trades), LegTrade(name, (seconds + 30) * SECOND, trades[-1].trade_id)))
    return Symbol(trades, marks)


def raced(symbols: Sequence[Symbol], seed: int) -> list[LegTrade]:
    """Return trades and marks as a reader may find them: each topic of each symbol in its own order, and no other."""
    trades = [symbol.trades for symbol in symbols]
    return mixed([*trades, *([mark for _, mark in symbol.marks] for symbol in symbols)], seed)


def in_order(symbols: Sequence[Symbol]) -> list[LegTrade]:
    """Return trades and marks as they were published, one symbol after the other."""
    found: list[LegTrade] = []
    for trades, marks in symbols:
        for number, trade in enumerate(trades, 1):
            found.append(trade)
            found += [mark for after, mark in marks if after == number]
    return found


class Said:
    """All that was published: of a second the highest revision."""

    def __init__(self) -> None:
        self.signals: dict[tuple[str, int], Signal] = {}
        self.alerts: dict[str, Alert] = {}
        self.revisions: dict[tuple[str, int, int], Signal] = {}

    def take(self, outcomes: list[Outcome]) -> None:
        """AssertionError if a revision says something else than it did before."""
        for signal, alerts in outcomes:
            if signal.closed:
                key = signal.pair, signal.event_us
                assert self.revisions.setdefault((*key, signal.revision), signal) == signal
                if key not in self.signals or self.signals[key].revision <= signal.revision:
                    self.signals[key] = signal
            for alert in alerts:
                assert self.alerts.setdefault(alert.alert_id, alert) == alert


def partition(
    store: dict[bytes, bytes] | None = None, lateness_us: int = 0, configs: Sequence[PairConfig] = (PAIR,)
) -> PairPartition:
    """Return a partition that corrects."""
    made = PairPartition({} if store is None else store, lateness_us, HORIZON_US)
    made.configure({config.pair: config for config in configs})
    return made


def said_of(
    trades: list[LegTrade], size: int = 7, lateness_us: int = 0, configs: Sequence[PairConfig] = (PAIR,)
) -> Said:
    """Return what a worker says that nothing interrupts."""
    said, one = Said(), partition(None, lateness_us, configs)
    for at in range(0, len(trades), size):
        said.take(one.take(trades[at : at + size])[0])
    return said


@given(
    seed=st.integers(0, 10_000), race=st.integers(0, 10_000), lateness_us=st.sampled_from([0, 0, 2_500_000])
)
@settings(max_examples=60, deadline=None)
def test_what_is_said_depends_on_the_tapes_and_on_no_race(seed: int, race: int, lateness_us: int) -> None:
    symbols = [published(name, seed) for name in LEGS]
    calm = said_of(in_order(symbols), lateness_us=lateness_us)
    other = said_of(raced(symbols, race), lateness_us=lateness_us)
    assert other.revisions == calm.revisions
    assert other.alerts == calm.alerts
    assert calm.signals


@given(
    seed=st.integers(0, 10_000), race=st.integers(0, 10_000), cut=st.floats(0, 1), every=st.integers(1, 60)
)
# The state of one pair had a trade of a symbol of which that of the other, saved earlier, had none.
@example(seed=340, race=4096, cut=0.5, every=13)
@example(seed=2426, race=2426, cut=0.6875, every=5)
@settings(max_examples=60, deadline=None)
def test_a_kill_changes_nothing_of_a_disorderly_tape(seed: int, race: int, cut: float, every: int) -> None:
    trades = mixed([in_order([published(name, seed)]) for name in LEGS], race)
    store: dict[bytes, bytes] = {}
    acknowledged: list[int] = []
    said, first, resume_at, saved = Said(), partition(store, 0, BOTH), 0, dict(store)
    for number, trade in enumerate(trades[: int(cut * len(trades))]):
        said.take(first.take([trade])[0])
        first.hold(Event(number, acknowledged), [trade])
        if number % every == 0:
            first.save(0.5)
            saved = dict(store)
            first.acknowledge()
            resume_at = len(acknowledged)
    second = partition(saved, 0, BOTH)
    said.take(second.take(trades[resume_at:])[0])
    whole = said_of(trades, configs=BOTH)
    assert said.revisions == whole.revisions
    assert said.alerts == whole.alerts


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_in_the_end_every_second_says_what_an_orderly_tape_would_have_said(seed: int) -> None:
    """No trade here is later than the horizon, so nothing of the disorder is left but the counts of what was late."""
    symbols = [published(name, seed, worst_s=8) for name in LEGS]
    said = said_of(in_order(symbols))
    orderly = [
        structs.replace(trade, marks=())
        for symbol in symbols
        for trade in [*sorted(symbol.trades, key=lambda one: one.event_us), symbol.marks[-1][1]]
    ]
    truth = {outcome.signal.event_us: outcome.signal for outcome in run(orderly, PAIR)}
    found = {at: structs.replace(signal, late=0, revision=0) for (_, at), signal in said.signals.items()}
    assert found == truth


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_what_fires_now_is_what_the_corrected_seconds_say(seed: int) -> None:
    symbols = [published(name, seed) for name in LEGS]
    said = said_of(in_order(symbols))
    retracted = {alert.retracts for alert in said.alerts.values()}
    holding = [a for a in said.alerts.values() if a.state != "retracted" and a.alert_id not in retracted]
    by_second: dict[int, list[str]] = defaultdict(list)
    for alert in sorted(holding, key=lambda one: one.event_us):
        by_second[alert.event_us].append(alert.state)
    firing, expected = False, {}
    for (_, at), signal in sorted(said.signals.items()):
        if signal.zscore is not None and firing != (
            abs(signal.zscore) > PAIR.exit_z if firing else abs(signal.zscore) >= PAIR.entry_z
        ):
            firing = not firing
            expected[at] = ["firing" if firing else "resolved"]
    assert by_second == expected


def test_a_late_trade_corrects_its_second_and_takes_back_its_alert() -> None:
    """The frozen price made an outlier; the trade that came 4 s late shows that there was none."""
    trades = [
        LegTrade(name, at * SECOND + offset, at + 1, base + draw)
        for at in range(40)
        for name, offset, base in (("BTCUSDT", 100_000, 50.0), ("ETHUSDT", 200_000, 100.0))
        for draw in [((at * 7) % 5 - 2) * (0.01 if name == "BTCUSDT" else 0.011) + (at >= 30) * (base / 50)]
    ]
    late = next(t for t in trades if t.symbol == "ETHUSDT" and t.trade_id == 31)
    trades.remove(late)
    place = next(n for n, t in enumerate(trades) if t.symbol == "ETHUSDT" and t.trade_id == 35)
    trades.insert(place, late)
    # The trades of the second are 30 (its price stays) and 32.
    one, said = partition(), Said()
    outcomes = one.take(trades)[0]
    said.take(outcomes)
    corrected = said.signals["ETHUSDT-BTCUSDT", 31 * SECOND]
    assert (corrected.revision, corrected.late, corrected.y_price) == (1, 1, late.price)
    assert one.tapes["ETHUSDT"].late == 1


@pytest.mark.parametrize("swapped", [(5, 6), (6, 5)])
def test_swapped_ids_and_repairs_in_time_are_no_gap(swapped: tuple[int, int]) -> None:
    made = [LegTrade("BTCUSDT", at * SECOND, at + 1, 50.0 + at) for at in range(12)]
    ids = [1, 2, 3, 4, *swapped, 7, 8, 9, 10, 11, 12]
    other = [LegTrade("ETHUSDT", at * SECOND, trade_id, 100.0 + at**1.5) for at, trade_id in enumerate(ids)]
    said = Said()
    said.take(partition().take([*made, *other])[0])
    assert {signal.reason for signal in said.signals.values()} <= {
        f"{samples} samples, 5 needed" for samples in range(5)
    } | {None}


def orderly() -> list[Tick]:
    return walk({"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0, "SOLUSDT": 150.0}, 25, 0, 100, random.Random(9))


def last_before(ticks: Sequence[Tick], symbol: str, end_us: int) -> float:
    """Return the close of the last bar before the end of a second: the price of its highest id."""
    own = [tick for tick in ticks if tick.symbol == symbol and tick.event_us < end_us]
    return max(own, key=lambda one: (one.event_us // SECOND, one.trade_id)).price


@pytest.mark.parametrize("kind", KINDS)
def test_of_every_disorder_the_same_is_said_and_nothing_that_its_trades_contradict(kind: str) -> None:
    arrived = arrivals(orderly(), kind)
    trades, marks = topics(arrived)
    whole = said_of(mixed([*trades.values(), *marks.values()], 0))
    for seed in range(1, 5):
        other = said_of(mixed([*trades.values(), *marks.values()], seed), size=1 + 100 * (seed % 2))
        assert other.revisions == whole.revisions
        assert other.alerts == whole.alerts
    told = [signal for signal in whole.signals.values() if signal.quality == "ok"]
    for signal in told:
        assert signal.y_price == last_before(arrived, "ETHUSDT", signal.event_us), signal
        assert signal.x_price == last_before(arrived, "BTCUSDT", signal.event_us), signal
    assert len(told) > 15


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_trades_that_are_sent_again_change_nothing(kind: str, seed: int) -> None:
    """As after the crash of a worker that had not acknowledged them."""
    draw, (trades, marks) = random.Random(seed), topics(arrivals(orderly(), kind))
    again = {}
    for symbol, own in trades.items():
        # In the middle some of the disorders begin.
        last = draw.randrange(len(own)) if seed else len(own) // 2 + 30
        again[symbol] = own[:last] + own[max(0, last - 60) : last] + own[last:]
    once = said_of(mixed([*trades.values(), *marks.values()], 0))
    twice = said_of(mixed([*again.values(), *marks.values()], 0))
    assert twice.revisions == once.revisions
    assert twice.alerts == once.alerts


@pytest.mark.parametrize(
    "kind", ["one leg late", "both in turn", "connection late", "swapped ids", "future stamps"]
)
def test_what_is_only_late_or_swapped_makes_no_second_another(kind: str) -> None:
    """Waiting is enough: nothing had to be corrected, but for what a fresh tape did not know of its symbols."""
    arrived = arrivals(orderly(), kind)
    trades, marks = topics(arrived)
    said = said_of(mixed([*trades.values(), *marks.values()], 0))
    assert not [signal for signal in said.signals.values() if signal.revision]
    assert {signal.quality for signal in said.signals.values()} <= {"ok", "not_enough_data"}
