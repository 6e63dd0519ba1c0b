"""Whether the time of a trade can be true: none happens after it was received."""

from collections import deque
from statistics import median

from services.common.clock import SECOND
from services.common.messages import Tick, encode
from services.ingest.feeds.feed import Rejected

_AHEAD_US = 2 * SECOND
_REMEMBERED = 31


class Stamps:
    """Refuse trades of one recording, or of one venue, that are dated more than 2 s ahead of their receipt.

    One of them would make all that follows late, in every pair. The receipt is the recorded one where there is a
    recording. If the latest trades of all symbols are ahead, it is the clock of the receipts that is behind: then the
    venue's counts.
    """

    def __init__(self) -> None:
        self._ahead_us: deque[int] = deque(maxlen=_REMEMBERED)

    def refuse(self, tick: Tick) -> Rejected | None:
        """Return why the time of a trade cannot be true, if so."""
        ahead_us = tick.event_us - tick.received_us
        self._ahead_us.append(ahead_us)
        if ahead_us <= _AHEAD_US or (ahead_us := ahead_us - int(median(self._ahead_us))) <= _AHEAD_US:
            return None
        reason = (
            f"expected a trade from before its receipt, received one dated {ahead_us / SECOND:.0f} s ahead of it; "
            "it is put aside, for all that follows would seem late"
        )
        return Rejected(encode(tick), reason, f"{tick.symbol} trade {tick.trade_id}")
