"""Messages for the live state, and the parts that a subscription reads."""

import json
from collections.abc import Iterable
from typing import Any

from msgspec import structs

from services.api.serialization.rows import Row
from services.api.stream.composer import StreamComposer, Topic
from services.api.stream.live_state import LiveState
from services.api.stream.subscription import StreamQuery, Subscription
from services.contracts.messages import Alert, RadarEvent, Signal, Tick
from tests import builders


class Present:
    """Live state, and a status that counts how often it was asked for; `seconds` is the clock."""

    def __init__(self) -> None:
        self.live_state = LiveState()
        self.feed: str | None = None
        self.asked = 0
        self.wrong: list[str] = []
        self.seconds = 0.0
        self.composer = StreamComposer(self, lambda: self.seconds)

    def status(self) -> Row:
        self.asked += 1
        return {"asked": self.asked}

    def problems(self) -> list[str]:
        return list(self.wrong)

    def subscription(
        self,
        *topics: Topic,
        symbols: Iterable[str] = (),
        pairs: Iterable[str] = (),
        interval_ms: int = 0,
        last_event_id: str | None = None,
    ) -> Subscription:
        query = StreamQuery.model_construct(
            topics=list(topics),
            symbols=list(symbols),
            pairs=list(pairs),
            interval_ms=interval_ms,
            last_event_id=last_event_id,
        )
        return Subscription(self.composer, query)


def tick(symbol: str, event_us: int, trade_id: int = 0) -> Tick:
    return builders.tick(venue="v", symbol=symbol, trade_id=trade_id, event_us=event_us)


def signal(pair: str, event_us: int, closed: bool = True, revision: int = 0) -> Signal:
    return builders.signal(
        pair=pair,
        event_us=event_us,
        y_price=1.0,
        x_price=1.0,
        samples=1,
        quality="not_enough_data",
        closed=closed,
        revision=revision,
    )


def alert(number: int, pair: str = "A-B") -> Alert:
    return builders.alert(
        alert_id=str(number), rule_id="r", pair=pair, event_us=number, value=1.0, threshold=1.0, message="m"
    )


def alert_of(number: int, subject: str) -> Alert:
    """Return an alert of a rule that measures no z-score."""
    return Alert(
        alert_id=str(number),
        rule="moves",
        metric="price_move",
        subject=subject,
        event_us=number,
        state="firing",
        message="m",
        values={"price_move": 0.052},
    )


def retraction(number: int, pair: str = "A-B") -> Alert:
    known = alert(number, pair)
    return structs.replace(known, alert_id=f"{number}:retracted", state="retracted", retracts=known.alert_id)


def radar_event(number: int, pair: str = "A1-B1") -> RadarEvent:
    return RadarEvent(
        event_id=str(number),
        radar="r",
        kind="confirmed",
        pair=pair,
        at_us=number,
        confirmed_us=number,
        p_value=0.01,
    )


def put(live_state: LiveState, message: Tick | Signal | Alert | RadarEvent | str) -> None:
    """Put a message, and a text nowhere."""
    match message:
        case Tick():
            live_state.put_tick(message)
        case Signal():
            live_state.put_signal(message)
        case Alert():
            live_state.put_alert(message)
        case RadarEvent():
            live_state.put_radar_event(message)


def read(text: str | None) -> dict[str, Any]:
    """Return a message, empty if there is none."""
    return {} if text is None else dict(json.loads(text))
