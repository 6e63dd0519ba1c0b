"""Previews and uploads, as the page shows them."""

from typing import Any

import pytest

from services.ui.pages.upload.result import shown

READING = {
    "name": "may.csv.gz",
    "delimiter": "semicolon",
    "decimal": ",",
    "header_line": 1,
    "columns": {"time": "Date", "close": "Adj Close"},
    "time": "ms",
    "zone": "UTC",
    "symbol": "BTCUSDT",
    "close_only": True,
}
BAR = {"line": 2, "symbol": "BTCUSDT", "start_us": 0, "open": 1.5, "high": 2, "low": 1, "close": 1.25}
READINGS = {"dmy": 1_704_240_000_000_000, "mdy": 1_709_251_200_000_000}
FOUND = {
    "files": [READING],
    "symbols": ["BTCUSDT"],
    "width_s": 60.0,
    "lines": 8192,
    "complete": True,
    "rejected": 0,
    "out_of_order": 0,
    "skipped": 0,
    "adjusted": 0,
    "bars": [{**BAR, "volume": None}],
    "findings": [],
}


def answered(document: Any, status: int = 200, **more: Any) -> dict[str, dict[str, Any]]:
    return shown({"kind": "preview", "status": status, "document": document, **more}, "UTC")


def test_how_a_file_is_understood_stands_in_the_empty_fields() -> None:
    props = answered(FOUND)
    assert props["column-close"] == {"placeholder": "Adj Close"}
    assert props["column-volume"] == {"placeholder": "not found"}
    assert props["file-delimiter"]["placeholder"] == "semicolon"
    assert props["file-time_unit"]["placeholder"] == "ms since 1970"
    assert props["file-symbols"]["placeholder"] == "BTCUSDT"
    assert props["file-name"]["placeholder"] == "may"


@pytest.mark.parametrize(
    ("differs", "partial", "said"),
    [
        ({}, False, "1 file: BTCUSDT, bars of 1 min. All 8\u202f192 lines were looked at: each is a bar."),
        ({}, True, "The first 8\u202f192 lines were looked at: each is a bar."),
        ({"complete": False}, False, "The first 8\u202f192 lines were looked at"),
        ({"rejected": 3}, False, "3 of them are invalid and would be skipped."),
        ({"out_of_order": 2}, False, "each is a bar, 2 are out of order."),
        ({"width_s": None}, False, "one bar of each symbol"),
        ({"symbols": list("ABCDEFG")}, False, "A, B, C, D, E and 2 more"),
    ],
)
def test_what_files_would_become_is_said_in_words(differs: dict[str, Any], partial: bool, said: str) -> None:
    assert said in answered({**FOUND, **differs}, partial=partial)["upload-found"]["children"]


def test_a_file_that_cannot_be_used_is_told_in_the_words_of_the_api() -> None:
    document = {
        "detail": "iPhone.csv:1: expected a csv of bars, received a web page",
        "file": "iPhone.csv",
        "line": 1,
    }
    wrong = answered(document, 422)["upload-wrong"]
    assert wrong["children"] == "iPhone.csv:1: expected a csv of bars, received a web page."


def test_what_a_file_does_not_tell_is_asked_with_what_each_reading_gives() -> None:
    readings = [
        {"value": value, "bars": [{**BAR, "start_us": at, "volume": 2.0}]} for value, at in READINGS.items()
    ]
    question = {"option": "date_order", "readings": readings}
    document = {"detail": "a.csv: expected a date", "file": "a.csv", "line": None, "question": question}
    props = answered(document, 422)
    assert props["upload-wrong"]["children"] == "a.csv: expected a date."
    assert props["file-date_order"] == {"error": "The file does not say"}
    first, second = (str(one) for one in props["upload-question"]["children"])
    assert ("data-option='date_order'" in first, "data-value='dmy'" in first) == (True, True)
    assert "2024-01-03" in first
    assert ("data-value='mdy'" in second, "2024-03-01" in second) == (True, True)
    assert answered(FOUND)["upload-question"] == {"children": []}


def test_what_was_decided_by_evidence_is_said() -> None:
    reading = {**READING, "thousands": "comma", "time": "mdy", "notes": ["in dates the month comes first"]}
    props = answered({**FOUND, "files": [reading], "skipped": 2, "adjusted": 1})
    assert "in dates the month comes first" in str(props["upload-readings"])
    assert props["file-thousands"]["placeholder"] == "comma"
    assert props["file-date_order"]["placeholder"] == "mdy"
    assert "2 are not meant as one, 1 are adjusted by rounding" in props["upload-found"]["children"]


def test_what_is_wrong_with_a_field_is_said_there() -> None:
    error = {"field": "zone", "expected": "a zone such as UTC", "received": "Mars"}
    props = answered({"detail": "zone: expected a zone such as UTC", "errors": [error]}, 422)
    assert props["file-zone"] == {"error": "Expected a zone such as UTC, received Mars."}
    assert props["file-name"] == {"error": ""}
    assert props["upload-wrong"]["children"] == ""


@pytest.mark.parametrize(
    ("status", "document", "said"),
    [
        (0, None, "The dashboard server does not answer"),
        (
            413,
            {"detail": "expected a body of at most 10 bytes, received more"},
            "Expected a body of at most 10 bytes",
        ),
        (
            403,
            {"detail": "expected a caller with the role write"},
            "PAIRSTREAM_API_KEY must be one",
        ),
        (
            502,
            {"detail": "expected an answer from http://api: refused"},
            "Expected an answer from http://api",
        ),
        (500, None, "The API answered with status 500 and no reason."),
    ],
)
def test_every_refusal_is_said_in_words(status: int, document: Any, said: str) -> None:
    assert said in answered(document, status)["upload-wrong"]["children"]
