"""A dead letter: how it is shown, and whether it can be sent again."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.dead_letters.letter import Origin, StoredLetter
from services.contracts import topics

LETTER = StoredLetter(
    "0/17", 1_700_000_000_000_000, "ticks", "ticks/3/99", "sink", "price: expected a number", b"{"
)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({}, None),
        ({"source": "feed live"}, "it came from feed live, not from a topic"),
        ({"source": ""}, "it came from an unknown source, not from a topic"),
        (
            {"origin": "ticks/3/10-99"},
            "ticks/3/10-99 is no single message: what is kept are the bytes of a batch",
        ),
        (
            {"origin": "signals/3/99"},
            "signals/3/99 is no single message: what is kept are the bytes of a batch",
        ),
        ({"reason": "(the first 1000000 of 2000000 bytes) too long"}, "only its beginning is kept"),
    ],
)
def test_a_letter_goes_where_it_came_from_or_says_why_not(
    change: dict[str, str], refusal: str | None
) -> None:
    assert LETTER._replace(**change).refusal() == refusal  # type: ignore[arg-type]
    assert (LETTER._replace(**change).place() is None) == (not {"origin", "source"}.isdisjoint(change))  # type: ignore[arg-type]


@given(st.sampled_from(topics.ALL), st.integers(0, 99), st.integers(0, 1 << 60))
def test_every_topic_has_its_place(topic: topics.Topic, partition: int, offset: int) -> None:
    letter = LETTER._replace(source=topic.name, origin=f"{topic.name}/{partition}/{offset}")
    assert letter.place() == Origin(topic.name, partition, offset)
    assert letter.needs_key() == (topic.cleanup != "delete")


@pytest.mark.parametrize(("raw", "shown"), [("{“é”".encode(), "{“é”"), (b"\xff\x00", "ff 00")])
def test_bytes_are_shown_as_text_or_in_hexadecimal(raw: bytes, shown: str) -> None:
    assert LETTER._replace(raw=raw).text().splitlines()[-1] == shown


def test_a_letter_of_others_may_lack_headers() -> None:
    record = SimpleNamespace(
        partition=1, offset=2, timestamp=3, headers=[("reason", b"\xff"), ("x", None)], value=None
    )
    letter = StoredLetter.of(record)
    assert (letter.id, letter.time_us, letter.source, letter.reason, letter.raw) == (
        "1/2",
        3_000,
        "",
        "\ufffd",
        b"",
    )
    assert "1970-01-01T00:00:00Z" in letter.line()
