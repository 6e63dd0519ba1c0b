"""A pair that is filled says what one says that had been there all along."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from services.common.clock import SECOND
from services.contracts.messages import LegTrade, Method, PairConfig, Signal
from services.quant.estimators.registry import ESTIMATORS
from services.stream_analytics.corrections import Outcome
from services.stream_analytics.pair_filling import LegHistory, PairFilling, Span
from services.stream_analytics.pair_partition import PairPartition
from services.stream_analytics.state_storage import Store
from tests.unit.stream_analytics.made_tape import CONFIG, Event, closed, run, tape

OTHER = PairConfig(pair="SOLUSDT-BTCUSDT", window=20, min_samples=5)
HORIZON_US = 10 * SECOND


def history(
    trades: Iterable[LegTrade], start_us: int = 0, stored_until_us: int = 1 << 60
) -> Mapping[str, LegHistory]:
    """Return the past of each symbol: the last trade of each stored second, with the first id, and later all."""
    legs: dict[str, list[LegTrade]] = {}
    for trade in trades:
        if trade.price is not None and trade.event_us >= start_us:
            legs.setdefault(trade.symbol, []).append(trade)
    return {
        symbol: LegHistory(
            tuple(map(_last, _seconds([trade for trade in leg if trade.event_us < stored_until_us]))),
            recent=[trade for trade in leg if trade.event_us >= stored_until_us - 30 * SECOND],
        )
        for symbol, leg in legs.items()
    }


def _seconds(leg: Sequence[LegTrade]) -> list[list[LegTrade]]:
    return [list(some) for _, some in groupby(leg, key=lambda trade: trade.event_us // SECOND)]


def _last(trades: Sequence[LegTrade]) -> LegTrade:
    return structs.replace(trades[-1], first_id=trades[0].trade_id)


def filling_of(partition: PairPartition) -> PairFilling:
    return partition.fillings[CONFIG.pair]


def fill(partition: PairPartition, stored: Mapping[str, LegHistory], step: int = 50) -> list[Outcome]:
    """Fill the pairs that are heard, and have them join the others."""
    outcomes: list[Outcome] = []
    for name, filling in list(partition.fillings.items()):
        if filling.is_heard:
            filling.begin(stored)
            while not filling.is_done:
                outcomes += filling.step(step)
            partition.join(name)
    return outcomes


def plain(outcomes: Iterable[Outcome]) -> list[Signal]:
    """Return the signals without what tells that they were filled."""
    return [structs.replace(one.signal, filled=None) for one in outcomes]


def same(found: Signal, expected: Signal) -> bool:
    """Tell whether two signals are equal to 1e-9."""
    pairs = zip(structs.astuple(found), structs.astuple(expected), strict=True)
    return all(
        one == (pytest.approx(other, rel=1e-9, abs=1e-12) if isinstance(other, float) else other)
        for one, other in pairs
    )


def filled_at(
    trades: list[LegTrade],
    added: int,
    filled: int,
    config: PairConfig = CONFIG,
    beside: bool = True,
    store: Store | None = None,
    start_us: int = 0,
    behind_us: int = 0,
) -> list[Outcome]:
    """Return what a pair says that is added at the trade `added`, and filled at the trade `filled` after it."""
    partition = PairPartition({} if store is None else store, 0, HORIZON_US, has_history=True)
    partition.configure({OTHER.pair: OTHER} if beside else {})
    said = closed(partition.take(trades[:added])[0])
    fill(partition, {})
    partition.configure({**({OTHER.pair: OTHER} if beside else {}), config.pair: config})
    said += closed(partition.take(trades[added:filled])[0])
    assert filling_of(partition).is_heard
    said += fill(partition, history(trades[:filled], start_us, trades[added].event_us - behind_us))
    said += closed(partition.take(trades[filled:])[0])
    return [one for one in said if one.signal.pair == config.pair]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    added=st.integers(0, 500),
    waits=st.integers(20, 80),
    beside=st.booleans(),
    method=st.sampled_from(sorted(ESTIMATORS)),
    behind_s=st.sampled_from([-20, 0, 20]),
)
def test_a_filled_pair_says_what_one_says_that_was_there_all_along(
    seed: int, added: int, waits: int, beside: bool, method: Method, behind_s: int
) -> None:
    """Whether the database is up to now or behind."""
    config = structs.replace(CONFIG, method=method)
    trades = tape(seed, 180, ("BTCUSDT", "ETHUSDT", "SOLUSDT"))
    found = filled_at(trades, added, added + waits, config, beside, behind_us=behind_s * SECOND)
    alone = PairPartition({}, 0, HORIZON_US)
    alone.configure({config.pair: config})
    expected = closed(alone.take(trades)[0])[-len(found) :]
    assert all(map(same, plain(found), plain(expected)))
    first_us = max(
        next(trade.event_us for trade in trades[added:] if trade.symbol == symbol)
        for symbol in ("BTCUSDT", "ETHUSDT")
    )
    assert found[0].signal.event_us == first_us - first_us % SECOND + SECOND
    later = [alert for one in found[1:] for alert in one.alerts]
    assert later == [alert for one in expected[1:] for alert in one.alerts]


def test_a_filled_pair_says_so_as_long_as_the_past_is_in_its_window() -> None:
    found = filled_at(tape(5), 300, 330)
    first = found[0].signal
    assert (first.quality, first.samples) == ("ok", 20)
    text = f"ticks 1970-01-01T00:00:00Z to 1970-01-01T00:01:0{first.event_us // SECOND - 61}Z"
    assert first.filled == text
    filled = [one.signal for one in found if one.signal.filled]
    assert len(filled) == 20
    assert filled == [one.signal for one in found[:20]]


def test_a_rule_that_fires_already_says_so_once() -> None:
    low = structs.replace(CONFIG, entry_z=0.02, exit_z=0.01)
    found = filled_at(tape(6), 300, 330, low)
    (alert,) = found[0].alerts
    assert alert.state == "firing"
    assert "had been beyond" in alert.message or "reached" in alert.message


@pytest.mark.parametrize("added", [0, 5, 100, 300])
@pytest.mark.parametrize("known", [(), ("BTCUSDT",), ("ETHUSDT",)])
def test_a_pair_without_a_past_begins_beside_others_that_have_one(added: int, known: tuple[str, ...]) -> None:
    """What others know of the past of a leg is not taken for what this pair has seen."""
    trades = tape(7, 180, ("BTCUSDT", "ETHUSDT", "SOLUSDT"))
    partition = PairPartition({}, 0, HORIZON_US, has_history=True)
    others = {OTHER.pair: OTHER, "SOLUSDT-ETHUSDT": structs.replace(OTHER, pair="SOLUSDT-ETHUSDT")}
    partition.configure(others)
    partition.take(trades[:added])
    fill(partition, {})
    partition.configure({**others, CONFIG.pair: CONFIG})
    said = closed(partition.take(trades[added : added + 30])[0])
    past = history(trades[: added + 30])
    said += fill(partition, {symbol: past[symbol] for symbol in known})
    said += closed(partition.take(trades[added + 30 :])[0])
    times = [one.signal.event_us for one in said if one.signal.pair == CONFIG.pair]
    assert times == list(range(times[0], 180 * SECOND + 1, SECOND))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 300), cut=st.integers(20, 200), saves=st.booleans(), again=st.integers(30, 60))
def test_a_kill_while_a_pair_is_filled_or_after_changes_nothing(
    seed: int, cut: int, saves: bool, again: int
) -> None:
    """What was held comes again, the pair is filled again where nothing was stored, and begins in the same second."""
    trades, added = tape(seed, 180), 250
    end = added + cut
    store: dict[bytes, bytes] = {}
    acknowledged: list[int] = []
    first = PairPartition(store, 0, HORIZON_US, has_history=True)
    first.configure({})
    first.configure({CONFIG.pair: CONFIG})
    said: list[Outcome] = []
    for number, trade in enumerate(trades[added:end], added):
        said += closed(first.take([trade])[0])
        first.hold(Event(number, acknowledged), [trade])
        if number == added + 20:
            said += fill(first, history(trades[: number + 1]))
        if saves:
            first.save()
            first.acknowledge()
    resumes = acknowledged[-1] + 1 if acknowledged else added
    second = PairPartition(store, 0, HORIZON_US, has_history=True)
    second.configure({CONFIG.pair: CONFIG})
    said_again = closed(second.take(trades[resumes : end + again])[0])
    if second.fillings:
        said_again += fill(second, history(trades[: end + again]))
    said_again += closed(second.take(trades[end + again :])[0])
    by_time = {one.signal.event_us: one for one in said + said_again}
    whole = {one.signal.event_us: one for one in run(trades)}
    assert min(by_time) == min(one.signal.event_us for one in said + said_again)
    assert all(same(*plain([one, whole[at]])) for at, one in by_time.items())
    ids = [alert.alert_id for at in sorted(by_time) for alert in by_time[at].alerts]
    assert len(ids) == len(set(ids))
    states = [alert.state for at in sorted(by_time) for alert in by_time[at].alerts]
    assert all(one != other for one, other in pairwise(states))


def trade(trade_id: int, second: int) -> LegTrade:
    return LegTrade("BTCUSDT", second * SECOND, trade_id, 1.0, trade_id)


def test_the_past_ends_before_what_came_first_in_the_order_of_arrival() -> None:
    """Trade 7 came late, after 9: whoever had been there all along would have learned of it then."""
    arrived = [trade(number, number) for number in (5, 6, 8, 9, 7, 10)]
    past = LegHistory([trade(number, number) for number in range(1, 11)], recent=arrived)

    def before(trade_id: int, start: int = 0) -> list[int]:
        span = Span(start * SECOND, trade_id * SECOND, 11 * SECOND, trade_id)
        return [one.trade_id for one in past.before(span)]

    assert before(9) == [1, 2, 3, 4, 5, 6, 8]
    assert before(7) == [1, 2, 3, 4, 5, 6, 8, 9]
    assert before(5) == [1, 2, 3, 4]
    assert before(10, start=4) == [4, 5, 6, 8, 9, 7]
    assert before(11) == [1, 2, 3, 4, 5, 6, 8, 9, 7, 10]
