"""Settings of ingest."""

import math
from pathlib import Path

import pytest

from services.common.clock import MINUTE
from services.common.errors import FatalError
from services.common.settings import load
from services.ingest.settings import IngestSettings


def test_defaults_are_the_contract() -> None:
    settings = load(IngestSettings, {})
    assert settings.feed == "live"
    assert settings.symbols == ("BTCUSDT", "ETHUSDT")
    assert settings.binance_ws_url == "wss://fstream.binance.com"
    assert settings.binance_rest_url == "https://fapi.binance.com"
    assert (settings.speed, settings.seed, settings.rate, settings.history_s) == (1.0, 1, None, 900)


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


def test_nothing_is_wanted_of_a_symbol_but_its_trades_unless_said_so() -> None:
    settings = load(IngestSettings, {})
    assert settings.streams == ()
    assert (settings.buffer_frames, settings.silence_s, settings.reconnect_after_s) == (0, 10, 82_800)
    assert settings.okx_ws_url == "wss://ws.okx.com:8443"
    assert settings.okx_rest_url == "https://www.okx.com"


@pytest.mark.parametrize(
    ("text", "streams"),
    [
        ("quotes", ("quotes",)),
        ("bookTicker, markPrice, forceOrder", ("quotes", "mark-prices", "liquidations")),
        ("mark-prices,markPrice,liquidations", ("mark-prices", "liquidations")),
        (" ", ()),
    ],
)
def test_streams_have_our_names_and_the_venues(text: str, streams: tuple[str, ...]) -> None:
    assert load(IngestSettings, {"PAIRSTREAM_STREAMS": text}).streams == streams


@pytest.mark.parametrize(
    ("given", "minutes"),
    [
        ({}, 6),
        ({"PAIRSTREAM_WINDOW": "301"}, 7),
        ({"PAIRSTREAM_HISTORY_MINUTES": "0"}, 0),
        ({"PAIRSTREAM_HISTORY_MINUTES": "90", "PAIRSTREAM_WINDOW": "300"}, 90),
    ],
)
def test_history_fills_the_longest_window_unless_said_otherwise(given: dict[str, str], minutes: int) -> None:
    assert load(IngestSettings, given).history_us == minutes * MINUTE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STREAMS", "trades"),
        ("STREAMS", "quotes,"),
        ("HISTORY_MINUTES", "-1"),
        ("HISTORY_MINUTES", "2881"),
        ("BUFFER_FRAMES", "-1"),
        ("SILENCE_S", "0"),
        ("RECONNECT_AFTER_S", "86401"),
        ("REJECTED_SHARE", "1.1"),
        ("OKX_WS_URL", "ws.okx.com"),
        ("OKX_REST_URL", "wss://www.okx.com"),
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
        ("SEED", str(2**64)),
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
    with pytest.raises(
        FatalError, match=r"^PAIRSTREAM_REPLAY_FILE, PAIRSTREAM_REPLAY_STORE: expected the file or"
    ):
        load(IngestSettings, {"PAIRSTREAM_FEED": "replay"})


def test_base_urls_lose_their_last_slash() -> None:
    settings = load(IngestSettings, {"PAIRSTREAM_BINANCE_WS_URL": "ws://127.0.0.1:9/"})
    assert settings.binance_ws_url == "ws://127.0.0.1:9"
