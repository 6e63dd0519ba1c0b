"""Ids of one symbol's trades: their chain, the open gaps between them, and their coverage."""

from services.ingest.tape.chain import Chain, IdSpan
from services.ingest.tape.coverage import Coverage
from services.ingest.tape.ledger import GapLedger, OpenGap


class SymbolIds:
    """State of the tape of one symbol."""

    __slots__ = ("chain", "coverage", "denied", "ledger", "previous", "symbol", "venue")

    def __init__(self, symbol: str, venue: str) -> None:
        self.symbol = symbol
        self.venue = venue
        self.ledger = GapLedger()
        self.coverage = Coverage()
        self.start(0, 0)
        self.previous: Chain | None = None
        """The numbering before this one: what looked like a new one may be a single wrong id."""

    def start(self, next_id: int, last_us: int) -> None:
        self.chain = Chain(next_id, last_us)
        self.denied = (0, -1)
        """The ids, from the one asked for on, before the first trade of the latest page of REST."""

    def gap(self, span: IdSpan, at_us: int) -> OpenGap:
        gap = OpenGap(self.symbol, self.venue, *span, found_us=at_us, missing=span.ids)
        self.ledger.add(gap)
        return gap
