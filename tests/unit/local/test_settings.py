"""Flags as variables of the services."""

from argparse import Namespace
from pathlib import Path

import pytest

from services.common.errors import FatalError
from services.common.settings import DatabaseSettings, SymbolSettings
from services.local.settings import RETENTION, RecordSettings, UpSettings, unknown


def flags(**given: object) -> Namespace:
    return Namespace(
        **{"file": Path("f"), "force": False, "symbols": None, "streams": None, "duration": None} | given
    )


def test_flags_come_before_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRSTREAM_SYMBOLS", "BTCUSDT")
    monkeypatch.setenv("PAIRSTREAM_FEED", "replay")
    assert RecordSettings.of(flags()).environment["PAIRSTREAM_SYMBOLS"] == "BTCUSDT"
    settings = RecordSettings.of(flags(symbols="ETHUSDT", streams="trades"))
    assert settings.environment["PAIRSTREAM_SYMBOLS"] == "ETHUSDT"
    assert settings.environment["PAIRSTREAM_STREAMS"] == "trades"
    assert settings.environment["PAIRSTREAM_FEED"] == "live"
    assert settings.duration_s is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("90", 90), ("1.5", 1.5), ("10m", 600), ("2h", 7200), ("1d", 86400)]
)
def test_durations(text: str, seconds: float) -> None:
    assert RecordSettings.of(flags(duration=text)).duration_s == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-1s", "10x", "nan", "1e9", "ten minutes", "1h30m"])
def test_a_wrong_duration_says_what_would_be_right(text: str) -> None:
    with pytest.raises(FatalError, match="--duration: expected a time above 0 such as 90s"):
        RecordSettings.of(flags(duration=text))


def test_a_variable_that_nothing_reads_is_said_with_the_nearest() -> None:
    names = (
        "PAIRSTREAM_SYMBOL",
        "PAIRSTREAM_SYMBOLS",
        "PAIRSTREAM_DATABASE_URL_FILE",
        "PAIRSTREAM_TEST_X",
        "HOME",
    )
    assert list(unknown(names, (SymbolSettings, DatabaseSettings))) == [
        "PAIRSTREAM_SYMBOL is no setting and changes nothing; did you mean PAIRSTREAM_SYMBOLS?"
    ]
    assert list(unknown(("PAIRSTREAM_ZZ",), ())) == ["PAIRSTREAM_ZZ is no setting and changes nothing."]


@pytest.mark.parametrize(
    ("feed", "told", "variable", "kept"),
    [
        ("live", None, None, "7d"),
        ("auto", None, None, "7d"),
        ("replay", None, None, None),
        ("replay", "30d", None, "30d"),
        ("synthetic", "forever", "2d", "forever"),
        ("live", None, "2d", "2d"),
    ],
)
def test_raw_ticks_are_kept_for_a_week_but_those_of_a_replay(
    feed: str, told: str | None, variable: str | None, kept: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(RETENTION, raising=False)
    if variable is not None:
        monkeypatch.setenv(RETENTION, variable)
    names = ("replay_file", "replay_store", "speed", "symbols", "pairs", "seed", "api_port", "ui_port")
    given = Namespace(**dict.fromkeys(names), feed=feed, data_dir=Path("d"), keep=told)
    assert UpSettings.of(given).environment.get(RETENTION) == kept
