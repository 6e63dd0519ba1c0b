"""Subscription of a client of the stream: its filter, its commands, and its position. No I/O."""

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from services.api.stream.composer import (
    STATUS_EVERY_S,
    TOPICS,
    Filter,
    StreamComposer,
    StreamMessage,
    StreamPosition,
    Topic,
)
from services.contracts.symbol_forms import spelled_pair, spelled_symbol

INTERVAL_MS = 30
NAMES_MAX = 1_000
# The share of an interval by which a timer may be early, for its point of the grid.
_EARLY = 0.05
LISTS = ("topics", "symbols", "pairs")

N = TypeVar("N", bound=str)


def _split(given: Any) -> Any:
    """Take names one by one, or several with commas between them."""
    if not isinstance(given, list | tuple):
        return given
    return [
        part.strip()
        for text in given
        for part in (text.split(",") if isinstance(text, str) else [text])
        if not isinstance(part, str) or part.strip()
    ]


Topics = Annotated[
    list[Topic],
    Field(max_length=len(TOPICS), description="Empty: all of them.", examples=[["ticks", "signals"]]),
]
Symbols = Annotated[
    list[Annotated[str, AfterValidator(spelled_symbol)]],
    Field(
        max_length=NAMES_MAX,
        description="Of `ticks`, and of `alerts` of a symbol; empty: all of them.",
        examples=[["BTCUSDT"]],
    ),
]
Pairs = Annotated[
    list[Annotated[str, AfterValidator(spelled_pair)]],
    Field(
        max_length=NAMES_MAX,
        description="Of `signals`, of `alerts` that have to do with a pair, and of `radar` either way round; empty: "
        "all of them. Alerts of neither a pair nor a symbol always come.",
        examples=[["ETHUSDT-BTCUSDT"]],
    ),
]
IntervalMs = Annotated[
    int,
    Field(
        ge=0,
        le=60_000,
        description="The least time between two messages while there is news all the time: of each key the latest "
        "is sent, closed signals and alerts are collected. After a silence news is sent at once.",
        examples=[INTERVAL_MS],
    ),
]
Split = BeforeValidator(_split)


class StreamQuery(BaseModel):
    """Query of the stream; a list is repeated or has commas between its names."""

    model_config = ConfigDict(extra="forbid")

    topics: Annotated[Topics, Split] = []
    symbols: Annotated[Symbols, Split] = []
    pairs: Annotated[Pairs, Split] = []
    interval_ms: IntervalMs = INTERVAL_MS
    last_event_id: Annotated[
        str | None,
        Field(
            max_length=100,
            description="The `id` of the last message that was received, to get what came one by one since.",
            examples=["5f0c2ab93d17-4711"],
        ),
    ] = None


class Command(BaseModel):
    """Command of a client that changes its subscription.

    `subscribe` adds names to its lists, `unsubscribe` takes names away, `set` replaces the lists that are given;
    an empty list means all. `ping` is answered by `pong`.
    """

    model_config = ConfigDict(extra="forbid")

    op: Literal["subscribe", "unsubscribe", "set", "ping"]
    topics: Topics | None = None
    symbols: Symbols | None = None
    pairs: Pairs | None = None
    interval_ms: IntervalMs | None = None
    request_id: Annotated[
        Annotated[str, Field(max_length=100)] | int | None,
        Field(description="Comes back with the answer.", examples=["7"]),
    ] = None

    @field_validator("topics", "symbols", "pairs", "interval_ms")
    @classmethod
    def _fits_op(cls, value: object, info: ValidationInfo) -> object:
        op = info.data.get("op")
        if value is not None and (op == "ping" or (op == "unsubscribe" and info.field_name == "interval_ms")):
            raise ValueError(f"expected no {info.field_name} with {op}")
        return value

    def applied_to(self, wanted: Filter) -> Filter:
        """Return the new filter; ValueError if a list would become empty, which would mean all."""
        return Filter(
            self._applied("topics", wanted.topics, self.topics) or frozenset(TOPICS),
            self._applied("symbols", wanted.symbols, self.symbols),
            self._applied("pairs", wanted.pairs, self.pairs),
        )

    def _applied(self, name: str, has: frozenset[N], given: Iterable[N] | None) -> frozenset[N]:
        if given is None:
            return has
        named = frozenset(given)
        if self.op == "set":
            return named
        if self.op == "subscribe":
            return has | named if has and named else frozenset()
        if not has:
            raise ValueError(
                f"{name}: expected set with those to keep, received unsubscribe while all are wanted"
            )
        if has <= named:
            raise ValueError(f"{name}: expected to keep at least one, for an empty list would mean all")
        return has - named


class Subscription:
    """Subscription of one client: its filter, its position, and the time of its next message."""

    def __init__(self, composer: StreamComposer, query: StreamQuery) -> None:
        self.wanted = Filter(
            frozenset(query.topics or TOPICS), frozenset(query.symbols), frozenset(query.pairs)
        )
        self.interval_ms = query.interval_ms
        self._composer = composer
        self._phase = composer.phase()
        composer.join(self)
        self._last_event_id = query.last_event_id
        self._place: StreamPosition | None = None
        self._due_s = 0.0

    def first(self) -> StreamMessage:
        """Return the first message: the present, or what came since the last one that the client got."""
        place = self._composer.place_of(self._last_event_id, self.wanted)
        if place is None:
            is_back = self._last_event_id is not None
            return self._told(self._composer.snapshot(self.wanted, is_back))
        return self._told(self._composer.update(self.wanted, place, resumed=True))

    def update(self) -> StreamMessage:
        """Return the updates since the last message; LaggingError if some of them are lost."""
        assert self._place is not None, "the first message comes first"
        return self._told(self._composer.update(self.wanted, self._place))

    def change(self, command: Command) -> StreamMessage:
        """Change the filter as told and return the added scope; ValueError if nothing would be left."""
        assert self._place is not None, "the first message comes first"
        before, self.wanted = self.wanted, command.applied_to(self.wanted)
        if command.interval_ms is not None:
            self.interval_ms, self._due_s = command.interval_ms, 0.0
        return self._composer.added(self.wanted, before, self._place)

    def due_s(self) -> float:
        """Return the seconds until the next message may be sent."""
        return max(0.0, self._due_s - self._composer.seconds())

    def patience_s(self) -> float:
        """Return for how many seconds there is no use in looking unless something has come."""
        return self._composer.status_due_s() if "status" in self.wanted.topics else STATUS_EVERY_S

    def _told(self, said: StreamMessage) -> StreamMessage:
        self._place = said.place
        if said.text is not None and self.interval_ms:
            # Grids that many share: clients that are due in the same moment share what is composed for them.
            interval_s = self.interval_ms / 1000
            passed = math.floor(self._composer.seconds() / interval_s - self._phase + _EARLY)
            self._due_s = (passed + 1 + self._phase) * interval_s
        return said
