"""Settings of ingest."""

import math
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from services.common.clock import MINUTE, SECOND
from services.common.settings import (
    PREFIX,
    DatabaseSettings,
    KafkaSettings,
    MetricsSettings,
    SymbolSettings,
    WindowSettings,
    split,
)
from services.contracts.messages import FeedName
from services.ingest.feed import StreamKind
from services.ingest.time_marks import AWAITED_US


def _speed(value: object) -> float:
    """Return the factor of real time, infinity for ``max``."""
    if str(value).strip().lower() == "max":
        return math.inf
    try:
        speed = float(str(value))
    except ValueError:
        speed = math.nan
    if not (math.isfinite(speed) and speed > 0):
        raise ValueError(f"expected a number above 0 or max, received {value!r}")
    return speed


# People know the optional streams by the venue's names too.
_STREAMS: dict[str, StreamKind] = {
    "quotes": "quotes",
    "bookticker": "quotes",
    "mark-prices": "mark-prices",
    "markprice": "mark-prices",
    "liquidations": "liquidations",
    "forceorder": "liquidations",
}


def _streams(value: object) -> tuple[StreamKind, ...]:
    """Return the optional stream kinds; an empty text names none."""
    names = split(value) if str(value).strip() else []
    if unknown := [name for name in names if name.lower() not in _STREAMS]:
        raise ValueError(
            f"expected some of quotes, mark-prices, liquidations, received {', '.join(map(repr, unknown))}"
        )
    return tuple(dict.fromkeys(_STREAMS[name.lower()] for name in names))


def _base_url(value: object) -> str:
    return str(value).strip().rstrip("/")


Speed = Annotated[float, BeforeValidator(_speed)]
WebSocketUrl = Annotated[str, BeforeValidator(_base_url), Field(pattern=r"^wss?://[^/\s]+")]
HttpUrl = Annotated[str, BeforeValidator(_base_url), Field(pattern=r"^https?://[^/\s]+")]


class IngestSettings(KafkaSettings, DatabaseSettings, SymbolSettings, WindowSettings, MetricsSettings):
    """The broker, the symbols, the feed they come from, and the database that remembers what we have."""

    feed: FeedName = "live"
    replay_file: Path | None = None
    # Replay and synthetic: how many times faster than real time; infinity never waits.
    speed: Speed = 1.0
    seed: Annotated[int, Field(ge=0)] = 1
    # Synthetic: ticks per second of all symbols together; 0 is a market without trades.
    rate: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] = 20.0
    # Synthetic: how much of the past is played at once when the feed starts.
    history_s: Annotated[int, Field(ge=0, le=30 * 86_400)] = 900
    binance_ws_url: WebSocketUrl = "wss://fstream.binance.com"
    binance_rest_url: HttpUrl = "https://fapi.binance.com"
    okx_ws_url: WebSocketUrl = "wss://ws.okx.com:8443"
    okx_rest_url: HttpUrl = "https://www.okx.com"
    # Live and replay: what is wanted of every symbol besides its trades.
    streams: Annotated[tuple[StreamKind, ...], BeforeValidator(_streams)] = Field(default="")  # type: ignore[arg-type]
    # Live: how much of the past is fetched at the start; none given is enough to fill the longest window.
    history_minutes: Annotated[int | None, Field(ge=0, le=48 * 60)] = None
    # Live: how many frames may wait while the broker is slow; 0 is two minutes of the busiest minute seen.
    buffer_frames: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    # Live: the least silence that can make a stream stale; one that trades less often is given longer.
    silence_s: Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)] = 10.0
    # Live: a connection so old is replaced; Binance ends its own after 24 h.
    reconnect_after_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 23 * 3_600
    # How long, by event time, a symbol is waited for whose trades may be on their way while others trade.
    trades_awaited_s: Annotated[float, Field(ge=3, le=600, allow_inf_nan=False)] = AWAITED_US / SECOND
    # Live: the share of the last minute's frames that may be damaged before that is an alarm.
    rejected_share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.05

    @property
    def history_us(self) -> int:
        """Length of history before the live feed (us): whole minutes, and one more for the window's first
        sample.
        """
        given = self.history_minutes
        return (math.ceil(self.window / 60) + 1 if given is None else given) * MINUTE

    @model_validator(mode="after")
    def _replay_has_a_file(self) -> Self:
        if self.feed == "replay" and self.replay_file is None:
            raise ValueError(
                f"{PREFIX}REPLAY_FILE: expected the file to replay, because {PREFIX}FEED is replay; received none"
            )
        return self
