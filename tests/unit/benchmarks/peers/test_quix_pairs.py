"""Peer on Quix: it computes the same signals, in whatever order partitions are read."""

from itertools import groupby
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import asdict

from benchmarks.peers.quix.pairs import Grouped, Pairs, Row
from services.contracts.messages import PairConfig, Tick
from tests.analytics import outcomes, walk

START_US = 1_767_225_600_000_000
PAIRS = ["ETHUSDT-BTCUSDT", "SOLUSDT-ETHUSDT"]
PRICES = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0, "SOLUSDT": 150.0}
Said = list[dict[str, object]]
# What both say: the peer has none of what signals say of their own numbers, nor why there are none.
BOTH = (
    *("pair", "event_us", "y_price", "x_price", "hedge_ratio", "intercept", "method", "spread", "zscore"),
    *("correlation", "window", "samples", "quality"),
)


def expected(ticks: list[Tick], pair: str) -> Said:
    """Return what one worker of ours says of a pair without Kafka."""
    signals = [asdict(one.signal) for one in outcomes(ticks, PairConfig(pair=pair), ends=False)]
    return [{name: one[name] for name in BOTH} for one in signals]


def said(rows: list[Row], pair: str) -> Said:
    """Return what the peer says of a pair."""
    return [
        {name: value for name, value in row.items() if name != "reason"}
        for row in rows
        if row["pair"] == pair
    ]


def interleaved(ticks: list[Tick], draw: Random) -> list[Tick]:
    """Return the ticks as a reader may get them: of each symbol in order, but one symbol ahead of another."""
    of = {
        name: list(found)
        for name, found in groupby(sorted(ticks, key=lambda one: one.symbol), lambda one: one.symbol)
    }
    read: list[Tick] = []
    while of:
        name = draw.choice(sorted(of))
        count = draw.randrange(1, 60)
        read += of[name][:count]
        if rest := of.pop(name)[count:]:
            of[name] = rest
    return read


def test_a_trade_that_comes_after_its_second_counts_for_neither() -> None:
    tape = walk(PRICES, per_second=30, start_us=START_US, seconds=9, draw=Random(1))
    # After each trade one that is seconds older comes again, at another price.
    late = [structs.replace(tick, price=2 * tick.price) for tick in tape]
    ticks = [*tape[:120], *(tick for both in zip(tape[120:], late, strict=False) for tick in both)]
    peer = Pairs(PAIRS)
    rows = [row for tick in map(asdict, ticks) for row in peer.take(tick)]
    for pair in PAIRS:
        assert said(rows, pair) == expected(ticks, pair)


@pytest.mark.parametrize("grouped", [False, True])
@given(seed=st.integers(0, 2**32))
def test_the_peer_says_what_we_say(grouped: bool, seed: int) -> None:
    draw = Random(seed)
    # Trades so dense that no second, and no symbol for three seconds, is without one.
    ticks = walk(PRICES, per_second=30, start_us=START_US, seconds=50, draw=draw)
    rows: list[Row] = []
    peer = Grouped(PAIRS) if grouped else Pairs(PAIRS)
    for tick in interleaved(ticks, draw):
        sent = [asdict(tick)]
        if isinstance(peer, Grouped):
            sent = peer.route(sent[0])
        rows += [row for one in sent for row in peer.take(one)]
    for pair in PAIRS:
        assert said(rows, pair) == expected(ticks, pair)
    assert sum(row["zscore"] is not None for row in rows) > len(rows) // 4
