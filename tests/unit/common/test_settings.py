from pathlib import Path

import pytest

from services.common.errors import FatalError
from services.common.settings import DatabaseSettings, KafkaSettings, PairSettings, load
from services.contracts.pairs import Pair


def test_the_defaults_are_the_contract() -> None:
    pairs, kafka = load(PairSettings, {}), load(KafkaSettings, {})
    assert pairs.symbols == ("BTCUSDT", "ETHUSDT")
    assert pairs.pairs == (Pair("ETHUSDT", "BTCUSDT"),)
    assert kafka.brokers == "127.0.0.1:9092"
    assert load(DatabaseSettings, {}).database_url == "postgresql://pairstream@127.0.0.1:5432/pairstream"


def test_symbols_and_pairs_are_normalised() -> None:
    settings = load(
        PairSettings,
        {
            "PAIRSTREAM_SYMBOLS": " btc/usdt:usdt, ETHUSDT,btcusdt,BTC-USDT-SWAP",
            "PAIRSTREAM_PAIRS": "ethusdt-btcusdt,eth/usdt--btcusdt_perp",
        },
    )
    assert settings.symbols == ("BTCUSDT", "ETHUSDT")
    assert settings.pairs == (Pair("ETHUSDT", "BTCUSDT"),)


def test_a_value_can_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "name"
    secret.write_text("open sesame\n")
    assert (
        load(KafkaSettings, {"PAIRSTREAM_KAFKA_PASSWORD_FILE": str(secret)}).kafka_password == "open sesame"  # noqa: S105
    )
    assert load(KafkaSettings, {"PAIRSTREAM_KAFKA_CA_FILE": str(secret)}).kafka_ca_file == secret


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"PAIRSTREAM_SYMBOLS": "BTC USDT"}, ["PAIRSTREAM_SYMBOLS", "such as BTCUSDT", "'BTC USDT'"]),
        ({"PAIRSTREAM_SYMBOLS": "BTCUSDT,,ETHUSDT"}, ["PAIRSTREAM_SYMBOLS", "single commas"]),
        ({"PAIRSTREAM_PAIRS": "ETHUSDT"}, ["PAIRSTREAM_PAIRS", "Y-X such as ETHUSDT-BTCUSDT", "'ETHUSDT'"]),
        ({"PAIRSTREAM_PAIRS": "ETHUSDT-ETHUSDT"}, ["PAIRSTREAM_PAIRS", "two different symbols"]),
        ({"PAIRSTREAM_PAIRS": "SOLUSDT-BTCUSDT"}, ["PAIRSTREAM_PAIRS", "BTCUSDT,ETHUSDT", "SOLUSDT"]),
        ({"PAIRSTREAM_WINDOW": "ten"}, ["PAIRSTREAM_WINDOW", "integer", "'ten'"]),
        ({"PAIRSTREAM_WINDOW": "1"}, ["PAIRSTREAM_WINDOW", "greater than or equal to 10", "'1'"]),
        ({"PAIRSTREAM_ENTRY_Z": "inf"}, ["PAIRSTREAM_ENTRY_Z", "finite"]),
        ({"PAIRSTREAM_EXIT_Z": "3"}, ["PAIRSTREAM_EXIT_Z", "less than entry_z 2.0", "3.0"]),
        ({"PAIRSTREAM_LOG_LEVEL": "loud"}, ["PAIRSTREAM_LOG_LEVEL", "'debug', 'info'", "'loud'"]),
        ({"PAIRSTREAM_WINDOW_FILE": "/nowhere"}, ["PAIRSTREAM_WINDOW_FILE", "readable file", "/nowhere"]),
    ],
)
def test_a_wrong_value_is_one_line_that_says_what_would_be_right(
    environ: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(FatalError) as caught:
        load(PairSettings, environ)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_port_that_none_is_is_refused() -> None:
    with pytest.raises(
        FatalError, match="PAIRSTREAM_BROKERS: expected a port up to 65535, received 'b:65536'"
    ):
        load(KafkaSettings, {"PAIRSTREAM_BROKERS": "a:65535,b:65536"})


def test_a_password_is_never_repeated() -> None:
    with pytest.raises(FatalError) as caught:
        load(KafkaSettings, {"PAIRSTREAM_KAFKA_SECURITY": "SASL", "PAIRSTREAM_KAFKA_PASSWORD": "hunter2"})
    assert "hunter2" not in str(caught.value)
