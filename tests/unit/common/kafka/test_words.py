"""Words of producers: whatever pieces they are heard in, they are the same; and what is kept of them."""

from aiokafka import TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.told_batches import ToldBatches
from services.common.kafka.words import GOODBYE, News, numbered, packed, span, taken

PLACE = TopicPartition("ticks", 3)
places = st.builds(TopicPartition, st.text("abc-/", min_size=1, max_size=9), st.integers(0, 999))
news = st.lists(st.builds(News, places, st.binary(max_size=99), st.just(False)), max_size=5)


def batch(first: int, count: int) -> bytes:
    builder = BatchBuilder(1 << 20, 0)
    for _ in range(count):
        builder.append(timestamp=1, key=None, value=b"1")
    return numbered(builder._build(), first)


@given(news, st.lists(st.integers(1, 200), max_size=9), st.booleans())
def test_words_are_heard_as_they_were_said_in_whatever_pieces(
    said: list[News], cuts: list[int], ends: bool
) -> None:
    word, heard, found = packed(said) + GOODBYE * ends, bytearray(), list[News]()
    for cut in [*cuts, len(word)]:
        heard += word[:cut]
        word = word[cut:]
        found += taken(heard)
    assert found == said
    assert heard == GOODBYE * ends


@given(st.integers(0, 1 << 40), st.integers(1, 50))
def test_a_batch_says_its_offsets(first: int, count: int) -> None:
    assert span(batch(first, count)) == (first, first + count)


def test_of_what_is_large_or_unknown_only_the_place_is_told() -> None:
    assert numbered(b"x" * (1 << 16), 5) == b""
    assert numbered(b"x" * 99, -1) == b""


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.data())
def test_what_is_kept_goes_on_where_a_reader_is_and_ends_where_something_is_missing(
    counts: list[int], data: st.DataObject
) -> None:
    spans = [(sum(counts[:number]), count) for number, count in enumerate(counts)]
    kept = data.draw(st.lists(st.sampled_from(spans), unique=True), "told, in this order")
    told, end, offset = ToldBatches(), sum(counts), data.draw(st.sampled_from([first for first, _ in spans]))
    for one in kept:
        told.put(PLACE, batch(*one))
    missing = [first for first, count in spans if first >= offset and (first, count) not in kept]
    whole = [one for one in spans if offset <= one[0] < min(missing, default=end)]
    rest = [one for one in kept if one[0] >= offset]
    assert told.has_news(PLACE, offset) == bool(rest)
    assert told.after(PLACE, offset) == (b"".join(batch(*one) for one in whole), min(missing, default=end))
    told.asked(PLACE)
    assert told.has_news(PLACE, offset) == bool(whole)
    assert not told.has_news(PLACE, end)
