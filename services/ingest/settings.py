"""Settings of ingest."""

import math
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from services.common.messages import FeedName
from services.common.settings import PREFIX, KafkaSettings, SymbolSettings


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


def _base_url(value: object) -> str:
    return str(value).strip().rstrip("/")


Speed = Annotated[float, BeforeValidator(_speed)]
WebSocketUrl = Annotated[str, BeforeValidator(_base_url), Field(pattern=r"^wss?://[^/\s]+")]
HttpUrl = Annotated[str, BeforeValidator(_base_url), Field(pattern=r"^https?://[^/\s]+")]


class IngestSettings(KafkaSettings, SymbolSettings):
    """The broker, the symbols, and the feed they come from."""

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

    @model_validator(mode="after")
    def _replay_has_a_file(self) -> Self:
        if self.feed == "replay" and self.replay_file is None:
            raise ValueError(
                f"{PREFIX}REPLAY_FILE: expected the file to replay, because {PREFIX}FEED is replay; received none"
            )
        return self
