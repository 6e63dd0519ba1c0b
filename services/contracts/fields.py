"""Field types of messages, with the values they allow."""

from typing import Annotated

from msgspec import Meta

from services.contracts.pairs import MOST_CHARACTERS, PAIR, SYMBOL

# No venue comes near the bound; beyond it squares of prices overflow.
Positive = Annotated[float, Meta(gt=0, lt=1e20)]
# Before the year 10000: Python's datetime ends there, and milli- or nanoseconds by mistake fall outside.
Microseconds = Annotated[int, Meta(ge=0, lt=253_402_300_800_000_000)]

# An index takes no longer name, and a name has no character that breaks a database or a terminal. The pattern is
# for readers of the schemas: `decode` sees to it, at a fraction of what a regular expression costs.
_PRINTED = {"pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"}
_SYMBOL = {"pattern": f"^{SYMBOL.pattern}$"}
_PAIR = {"pattern": f"^{PAIR.pattern}$"}
Name = Annotated[str, Meta(max_length=64, extra_json_schema=_PRINTED)]
Symbol = Annotated[str, Meta(max_length=MOST_CHARACTERS, extra_json_schema=_SYMBOL)]
PairName = Annotated[str, Meta(max_length=2 * MOST_CHARACTERS + 2, extra_json_schema=_PAIR)]
Id = Annotated[str, Meta(max_length=256, extra_json_schema=_PRINTED)]

NotNegative = Annotated[float, Meta(ge=0, lt=1e20)]
Share = Annotated[float, Meta(ge=0, le=1)]
Correlation = Annotated[float, Meta(ge=-1, le=1)]
Count = Annotated[int, Meta(ge=0, lt=2**31)]
TradeId = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class WrongFieldError(ValueError):
    """A field of a message that contradicts others, or itself: what was expected, and what was received."""

    def __init__(self, field: str, expected: str, received: object) -> None:
        super().__init__(f"expected {expected}, received {received} - at `$.{field}`")
        self.field, self.expected, self.received = field, expected, received
