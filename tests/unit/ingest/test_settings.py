"""The environment of ingest."""

import math
from pathlib import Path

import pytest

from services.common.errors import FatalError
from services.common.settings import load
from services.ingest.settings import IngestSettings


def test_defaults_are_the_contract() -> None:
    settings = load(IngestSettings, {})
    assert settings.feed == "live"
    assert settings.symbols == ("BTCUSDT", "ETHUSDT")
    assert settings.binance_ws_url == "wss://fstream.binance.com"
    assert settings.binance_rest_url == "https://fapi.binance.com"
    assert (settings.speed, settings.seed, settings.rate, settings.history_s) == (1.0, 1, 20.0, 900)


def test_replay_file_is_a_path_and_not_the_file_twin_of_another_variable(tmp_path: Path) -> None:
    file = tmp_path / "frames"
    file.write_text("not a path")
    settings = load(IngestSettings, {"PAIRSTREAM_FEED": "replay", "PAIRSTREAM_REPLAY_FILE": str(file)})
    assert settings.replay_file == file


@pytest.mark.parametrize(
    ("text", "speed"), [("max", math.inf), ("MAX", math.inf), ("0.5", 0.5), ("100", 100)]
)
def test_speed(text: str, speed: float) -> None:
    assert load(IngestSettings, {"PAIRSTREAM_SPEED": text}).speed == speed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SPEED", "0"),
        ("SPEED", "-1"),
        ("SPEED", "nan"),
        ("SPEED", "inf"),
        ("SPEED", "fast"),
        ("FEED", "auto"),
        ("RATE", "-1"),
        ("RATE", "inf"),
        ("HISTORY_S", "-1"),
        ("SEED", "-1"),
        ("SYMBOLS", "BTC USDT"),
        ("BINANCE_WS_URL", "https://fstream.binance.com"),
        ("BINANCE_REST_URL", "fapi.binance.com"),
    ],
)
def test_wrong_values_name_their_variable(name: str, value: str) -> None:
    with pytest.raises(FatalError, match=f"^PAIRSTREAM_{name}: ") as caught:
        load(IngestSettings, {f"PAIRSTREAM_{name}": value})
    assert "\n" not in str(caught.value)


def test_replay_without_a_file() -> None:
    with pytest.raises(FatalError, match=r"^PAIRSTREAM_REPLAY_FILE: expected the file to replay"):
        load(IngestSettings, {"PAIRSTREAM_FEED": "replay"})


def test_base_urls_lose_their_last_slash() -> None:
    settings = load(IngestSettings, {"PAIRSTREAM_BINANCE_WS_URL": "ws://127.0.0.1:9/"})
    assert settings.binance_ws_url == "ws://127.0.0.1:9"
