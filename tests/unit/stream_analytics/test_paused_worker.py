"""Old state of a paused worker, written over the new owner's: the stored read positions rule."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from services.contracts.messages import LegTrade, Method, PairConfig
from services.quant.estimators.registry import ESTIMATORS
from services.stream_analytics.corrections import Outcome
from services.stream_analytics.pair_partition import PairPartition
from services.stream_analytics.pair_storage import stored_position
from services.stream_analytics.pair_tracker import PairTracker
from services.stream_analytics.state_storage import Store
from tests.unit.stream_analytics.made_tape import CONFIG, Event, closed, partition, run, tape

OTHER = structs.replace(CONFIG, pair="BTCUSDT-ETHUSDT", window=150)


class Worker:
    """One that goes on where the store says, and stores its state now and then; offsets are places on the tape."""

    def __init__(self, store: Store, trades: list[LegTrade], configs: list[PairConfig]) -> None:
        found = [stored_position(config, store) for config in configs]
        self._next = min((one for one in found if one is not None), default=0)
        self._trades = trades
        # Its own writes: what a store holds for others is what has been sent.
        self.written: list[tuple[bytes, bytes]] = []
        self._partition: PairPartition = partition(*configs, store=Written(store, self.written))
        self.said: list[Outcome] = []

    def read(self, until: int, every: int, share: float = 1.0) -> None:
        """Take the tape up to `until`, and store a share of the states after every so many trades."""
        for number in range(self._next, until):
            trade = self._trades[number]
            self.said += closed(self._partition.take([trade])[0])
            self._partition.hold(Event(number, []), [trade], (number, number))
            if number % every == 0:
                self._partition.save(share)
                self._partition.acknowledge()
        self._next = max(self._next, until)


class Written(dict[bytes, bytes]):
    """A copy of a store that notes what is written to it, in order."""

    def __init__(self, store: Store, written: list[tuple[bytes, bytes]]) -> None:
        super().__init__(store)
        self._written = written

    def __setitem__(self, key: bytes, value: bytes) -> None:
        super().__setitem__(key, value)
        self._written.append((key, value))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 100),
    paused=st.integers(0, 3_000),
    missed=st.integers(0, 3_500),
    fetched=st.integers(0, 100),
    every=st.integers(1, 400),
    share=st.sampled_from([0.5, 1.0]),
    kept=st.integers(0, 500),
    method=st.sampled_from(sorted(ESTIMATORS)),
)
def test_an_old_state_costs_work_and_changes_no_number(
    seed: int, paused: int, missed: int, fetched: int, every: int, share: float, kept: int, method: Method
) -> None:
    configs = [structs.replace(config, method=method) for config in (CONFIG, OTHER)]
    # Long enough for the chunks of samples to be written again.
    trades = tape(seed, seconds=700)
    paused = min(paused, len(trades))
    woken = min(paused + missed, len(trades))
    store: dict[bytes, bytes] = {}
    ghost = Worker(store, trades, configs)
    ghost.read(paused, every, share)
    store |= dict(ghost.written)
    owner = Worker(store, trades, configs)
    owner.read(woken, every, share)
    store |= dict(owner.written)
    # It wakes, works on with what it had fetched, and some of what it writes is taken, until it learns of its end.
    ghost.written.clear()
    ghost.read(min(paused + fetched, len(trades)), 1)
    store |= dict(ghost.written[:kept])
    last = Worker(store, trades, configs)
    last.read(len(trades), every, share)
    by_second: dict[tuple[str, int], Outcome] = {}
    for outcome in ghost.said + owner.said + last.said:
        key = outcome.signal.pair, outcome.signal.event_us
        assert by_second.setdefault(key, outcome) == outcome
    for config in configs:
        mine = sorted(at for name, at in by_second if name == config.pair)
        assert [by_second[config.pair, at] for at in mine] == run(trades, config)


def test_a_state_of_which_a_part_is_missing_begins_anew() -> None:
    trades, store = tape(1, seconds=400), dict[bytes, bytes]()
    config = structs.replace(CONFIG, window=300)
    worker = Worker(store, trades, [config])
    assert stored_position(config, store) is None
    worker.read(len(trades), 10)
    store |= dict(worker.written)
    position = stored_position(config, store)
    assert position is not None
    assert position > 0
    chunk = max(key for key in store if not key.endswith(b"/head"))
    del store[chunk]
    assert stored_position(config, store) == 0


def test_a_state_that_stays_as_it_is_says_where_to_go_on_nevertheless() -> None:
    trades, store = tape(1), dict[bytes, bytes]()
    one = partition(store=store)
    for number, trade in enumerate(trades):
        one.take([trade])
        one.hold(Event(number, []), [trade], (number, number))
    one.save()
    before = stored_position(CONFIG, store)
    assert before is not None
    tracker: PairTracker = one.trackers[CONFIG.pair]
    tracker.save(before + 999)
    assert stored_position(CONFIG, store) == before
    tracker.save(before + 1_000)
    assert stored_position(CONFIG, store) == before + 1_000
