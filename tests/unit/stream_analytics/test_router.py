import random

from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.contracts.messages import LegTrade, Tick
from services.stream_analytics.alignment import EVER
from services.stream_analytics.router import runs
from services.stream_analytics.symbol_tape import SymbolTape
from services.stream_analytics.trades import TapeTrade
from tests import builders

# Seconds, ids and symbols that often meet: late trades, swapped ids, gaps, a numbering that begins anew.
steps = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from([1, 1, 1, 1, 2, 0, -1, -50]), st.integers(-2, 6)),
    max_size=60,
)


def ticks(made: list[tuple[str, int, int]]) -> list[Tick]:
    ids, now = {"A": 100, "B": 100}, {"A": 50 * SECOND, "B": 50 * SECOND}
    draw, used = random.Random(1), set()
    tape = []
    for symbol, id_step, quarters in made:
        ids[symbol] = max(0, ids[symbol] + id_step)
        now[symbol] += quarters * SECOND // 4
        if (symbol, ids[symbol]) in used:
            continue
        used.add((symbol, ids[symbol]))
        tape.append(
            builders.tick(
                venue="test",
                symbol=symbol,
                trade_id=ids[symbol],
                event_us=now[symbol],
                price=draw.uniform(1, 2),
            )
        )
    return tape


def state(trades: list[LegTrade], symbol: str) -> object:
    """Return all that a tape knows after trades; of gaps the ends of seconds that they hide."""
    tape = SymbolTape()
    for trade in trades:
        if trade.symbol == symbol and trade.price is not None:
            tape.add(TapeTrade(trade.event_us, trade.price, trade.trade_id), trade.first_id)
    torn = [second for second in range(30, 70) if tape.hole_at(second * SECOND, EVER)]
    return tape.seconds, torn, tape.late, tape.known_us, tape.closed_us, tape.newest


@given(steps)
def test_runs_tell_a_tape_what_their_trades_tell_it(made: list[tuple[str, int, int]]) -> None:
    tape = ticks(made)
    one_by_one = [LegTrade(tick.symbol, tick.event_us, tick.trade_id, tick.price) for tick in tape]
    for symbol in "AB":
        assert state(runs(tape), symbol) == state(one_by_one, symbol)


def test_a_second_of_consecutive_trades_is_one() -> None:
    tape = ticks([("A", 1, 0)] * 50 + [("B", 1, 0)] * 50 + [("A", 1, 4)])
    assert [(trade.symbol, trade.first_id, trade.trade_id) for trade in runs(tape)] == [
        ("A", 101, 150),
        ("A", 151, 151),
        ("B", 101, 150),
    ]
