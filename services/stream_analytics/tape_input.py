"""Input of a tape: what one trade, mark or loss on ``leg-trades`` tells it."""

from services.contracts.messages import LegTrade
from services.stream_analytics.symbol_tape import SymbolTape
from services.stream_analytics.trades import TapeTrade


def feed(tape: SymbolTape, trade: LegTrade) -> bool:
    """Tell `tape` of a trade, with the marks before it, and return whether it is the latest one."""
    if trade.marks:
        tape.follow_marks(trade.marks)
    if trade.lost:
        tape.lose()
    elif trade.price is None:
        tape.mark(trade.event_us, trade.trade_id, trade.is_doubtful)
    else:
        return tape.add(TapeTrade(trade.event_us, trade.price, trade.trade_id), trade.first_id)
    return False
