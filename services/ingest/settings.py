"""Settings of ingest."""

import math
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from services.common.clock import MINUTE, SECOND
from services.common.setting_types import split
from services.common.settings import (
    PREFIX,
    HistorySettings,
    KafkaSettings,
    MetricsSettings,
    SymbolSettings,
    WindowSettings,
)
from services.contracts.messages import FeedName
from services.ingest.feed import StreamKind
from services.ingest.stored_range import StoredRange, parse_range
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


class IngestSettings(KafkaSettings, HistorySettings, SymbolSettings, WindowSettings, MetricsSettings):
    """The broker, the symbols, the feed they come from, and the database that remembers what we have."""

    feed: FeedName = "live"
    """Feed of ticks: `live`, `replay` or `synthetic`."""
    replay_file: Path | None = None
    """Path of the file to replay, or of several, separated by commas; `feed` is `replay`."""
    replay_store: Annotated[StoredRange | None, BeforeValidator(parse_range)] = None
    """Range of stored ticks to replay in place of a file, `START..END`, two times of ISO 8601 with their zones."""
    speed: Speed = 1.0
    """Speed of replay and synthetic feed, a factor of real time; `max` never waits."""
    seed: Annotated[int, Field(ge=0, lt=2**64)] = 1
    """Seed of the synthetic market."""
    rate: Annotated[float | None, Field(ge=0, le=100_000, allow_inf_nan=False)] = None
    """Ticks of the synthetic feed a second, all symbols together; without a value 10 of each symbol, and 0 is a market
    without trades.
    """
    history_s: Annotated[int, Field(ge=0, le=30 * 86_400)] = 900
    """History of the synthetic feed, s: played at once at the start."""
    binance_ws_url: WebSocketUrl = "wss://fstream.binance.com"
    """Base URL of Binance for WebSocket, without route or path."""
    binance_rest_url: HttpUrl = "https://fapi.binance.com"
    """Base URL of Binance for REST, without path."""
    okx_ws_url: WebSocketUrl = "wss://ws.okx.com:8443"
    """Base URL of OKX for WebSocket, without path."""
    okx_rest_url: HttpUrl = "https://www.okx.com"
    """Base URL of OKX for REST, without path."""
    streams: Annotated[tuple[StreamKind, ...], BeforeValidator(_streams)] = Field(default="")  # type: ignore[arg-type]
    """Further streams of live and replay: `quotes`, `mark-prices`, `liquidations`, separated by commas; each has its
    own topic.
    """
    history_minutes: Annotated[int | None, Field(ge=0, le=48 * 60)] = None
    """History that the live feed requests at the start, and for a symbol that is added later, minutes. Without a value:
    enough for `window`. 0: only the gaps that the store has open.
    """
    listing_s: Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)] = 30.0
    """Interval at which the live feed requests the venues' listings, and volumes if these select symbols, s."""
    buffer_frames: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    """Frames of the live feed that may wait for the broker; 0 is twice the busiest minute so far, at least 20,000."""
    silence_s: Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)] = 10.0
    """Shortest silence that makes a live stream stale, s; longer for a stream with rare trades."""
    reconnect_after_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 23 * 3_600
    """Age at which a live connection is replaced, s: the new one opens first. Binance ends connections after 24 h."""
    trades_awaited_s: Annotated[float, Field(ge=3, le=600, allow_inf_nan=False)] = AWAITED_US / SECOND
    """Longest wait, by event time, for delayed trades of a symbol while others trade, s; then the second closes, and
    the silence is doubtful.
    """
    rejected_share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.05
    """Highest share of damaged frames in the last minute of the live feed, 0 to 1; beyond it ingest is `degraded`."""

    @property
    def history_us(self) -> int:
        """Return the history before the live feed (us): whole minutes, one more for the window's first sample."""
        given = self.history_minutes
        return (math.ceil(self.window / 60) + 1 if given is None else given) * MINUTE

    @model_validator(mode="after")
    def _replays_one_thing(self) -> Self:
        given = [one for one in (self.replay_file, self.replay_store) if one is not None]
        if self.feed == "replay" and len(given) != 1:
            raise ValueError(
                f"{PREFIX}REPLAY_FILE, {PREFIX}REPLAY_STORE: expected the file or the range of stored ticks to replay, "
                f"because {PREFIX}FEED is replay; received {'both' if given else 'none'}"
            )
        return self
