"""Tape health: of two statements on one thing the later counts, whether from topic or store."""

import pytest

from services.api.tape_health import OpenGap, TapeHealth, coverage_reason
from services.common.errors import BadMessageError
from services.contracts.messages import TapeEvent, TapeEventKind

SYMBOL = "BTCUSDT.OKX"


def gap(kind: TapeEventKind, at_us: int, first_id: int = 10, missing: int | None = None) -> TapeEvent:
    return TapeEvent(
        kind=kind, venue="v", symbol=SYMBOL, at_us=at_us, first_id=first_id, last_id=19, missing=missing
    )


def stream(kind: TapeEventKind, at_us: int, name: str = "trades") -> TapeEvent:
    return TapeEvent(kind=kind, venue="v", symbol=SYMBOL, at_us=at_us, stream=name)


def coverage(at_us: int, share: float) -> TapeEvent:
    return TapeEvent(
        kind="coverage", venue="v", symbol=SYMBOL, at_us=at_us, coverage_1h=share, coverage_24h=share / 2
    )


def stored(updated_us: int, first_id: int = 10, missing: int = 10) -> OpenGap:
    return OpenGap(SYMBOL, first_id, 19, updated_us, missing)


def tape_of(*events: TapeEvent) -> TapeHealth:
    tape = TapeHealth()
    for event in events:
        tape.put(event)
    return tape


def open_and_missing(tape: TapeHealth) -> tuple[int, int]:
    row = tape.coverage(SYMBOL)
    assert tape.state(SYMBOL, 0)["open_gaps"] == row["open_gaps"]
    return row["open_gaps"], row["missing"]


def test_nothing_is_claimed_before_anything_is_known() -> None:
    assert TapeHealth().coverage(SYMBOL) == {
        "symbol": SYMBOL,
        "coverage_1h": None,
        "coverage_24h": None,
        "coverage_us": None,
        "coverage_time": None,
        "open_gaps": 0,
        "missing": 0,
    }
    assert TapeHealth().state(SYMBOL, 0) == {
        "coverage_1h": None,
        "coverage_24h": None,
        "open_gaps": 0,
        "stale": [],
    }


def test_the_last_coverage_of_each_symbol_is_kept() -> None:
    tape = tape_of(coverage(2, 0.5), coverage(1, 1.0))
    row = tape.coverage(SYMBOL)
    assert (row["coverage_1h"], row["coverage_24h"], row["coverage_us"]) == (0.5, 0.25, 2)
    assert tape.state(SYMBOL, 0)["coverage_1h"] == 0.5
    assert tape.coverage("BTCUSDT")["coverage_1h"] is None


def test_a_stream_is_stale_until_it_lives_or_its_ingest_is_gone() -> None:
    tape = tape_of(
        stream("stream_stale", 5, "trades"),
        stream("stream_stale", 6, "quotes"),
        stream("stream_live", 7, "quotes"),
        stream("stream_stale", 6, "quotes"),
        stream("stream_stale", 8, "marks"),
    )
    assert tape.state(SYMBOL, 0)["stale"] == ["marks", "trades"]
    assert tape.state(SYMBOL, 6)["stale"] == ["marks"]


@pytest.mark.parametrize("seeded", [True, False], ids=["store known", "store not known yet"])
def test_a_gap_is_open_until_it_is_repaired_or_refuted(seeded: bool) -> None:
    tape = TapeHealth()
    if seeded:
        tape.seed([])
    for event, expected in [
        (gap("gap_found", 1), (1, 10)),
        (gap("gap_found", 2, 18), (2, 12)),
        (gap("gap_found", 3, missing=4), (2, 6)),
        (gap("gap_found", 2), (2, 6)),
        (gap("gap_repaired", 2), (2, 6)),
        (gap("gap_unrepaired", 4, missing=3), (2, 5)),
        (gap("gap_refuted", 5, 18), (1, 3)),
        (gap("gap_repaired", 6), (0, 0)),
    ]:
        tape.put(event)
        assert open_and_missing(tape) == expected


@pytest.mark.parametrize(
    ("events", "gaps", "expected"),
    [
        ([], [stored(1), stored(1, 18, 2)], (2, 12)),
        ([gap("gap_repaired", 2)], [stored(1)], (0, 0)),
        ([gap("gap_repaired", 2)], [stored(3, missing=5)], (1, 5)),
        ([gap("gap_unrepaired", 2, missing=7)], [stored(1)], (1, 7)),
    ],
    ids=["only stored", "closed since", "opened again since", "known better"],
)
def test_the_store_says_what_no_topic_has_said_since(
    events: list[TapeEvent], gaps: list[OpenGap], expected: tuple[int, int]
) -> None:
    tape = tape_of(*events)
    tape.seed(gaps)
    assert open_and_missing(tape) == expected
    tape.put(gap("gap_repaired", 9))
    tape.put(gap("gap_repaired", 9, 18))
    assert open_and_missing(tape) == (0, 0)


def test_a_gap_without_its_ids_is_a_bad_message() -> None:
    with pytest.raises(BadMessageError, match="expected first_id and last_id"):
        tape_of(TapeEvent(kind="gap_found", venue="v", symbol=SYMBOL, at_us=1, first_id=1))


def test_messages_that_a_reader_lost_are_no_news_of_a_symbol() -> None:
    lost = TapeEvent(
        kind="messages_lost",
        venue="",
        symbol="",
        at_us=9,
        reader="sink",
        topic="ticks",
        partition=0,
        messages=5,
    )
    tape = tape_of(gap("gap_found", 1), lost)
    assert (open_and_missing(tape), tape.coverage("")) == ((1, 10), TapeHealth().coverage(""))


def test_what_has_no_coverage_says_why() -> None:
    assert coverage_reason(1.0, "replay") is None
    assert coverage_reason(0.0, "live") is None
    assert "a replay plays" in (coverage_reason(None, "replay") or "")
    assert "once a minute" in (coverage_reason(None, "synthetic") or "")
