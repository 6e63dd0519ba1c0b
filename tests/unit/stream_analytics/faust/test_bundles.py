import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.common.codec import encode
from services.common.kafka.dead_letters import DeadLetter
from services.contracts.messages import Tick
from services.stream_analytics.faust.bundles import bundle
from services.stream_analytics.metrics import Stage
from services.stream_analytics.router import messages
from tests import builders

GOOD = builders.tick(venue="test", symbol="AUSDT", trade_id=0, event_us=1_750_000_000_000_000)
# Bad by itself; some of it would be good JSON once joined to what is beside it.
bad_values = st.one_of(
    st.none(),
    st.binary(max_size=20),
    st.sampled_from([b"[]", b"{", b"}", b"[", b"]", b"1,2", b"\n"]),
    st.sampled_from([1, GOOD.event_us // 1_000, GOOD.event_us + 3_000_000]).map(
        lambda event_us: encode(structs.replace(GOOD, event_us=event_us))
    ),
)


class Buried:
    """Notes what is put aside."""

    def __init__(self) -> None:
        self.offsets: list[int] = []

    def took(self, event: Any, stage: Stage) -> float:
        """Note nothing."""
        return 0.0

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        """Note the places."""
        self.offsets += [int(letter.origin.removeprefix("ticks/2/")) for letter in letters]


def record(offset: int, value: bytes | None) -> Any:
    return SimpleNamespace(topic="ticks", partition=2, offset=offset, timestamp=1_000 + offset, value=value)


@given(st.lists(st.one_of(st.just(encode(GOOD)), bad_values), min_size=1, max_size=30))
def test_a_bad_message_of_a_bundle_is_put_aside_with_its_place_and_takes_nothing_from_the_others(
    values: list[bytes | None],
) -> None:
    buried = Buried()
    made = bundle([record(10 + 3 * place, value) for place, value in enumerate(values)])
    found = asyncio.run(messages(SimpleNamespace(message=made), Tick, buried))
    is_good = [value == encode(GOOD) for value in values]
    assert found == [GOOD] * sum(is_good)
    assert buried.offsets == [10 + 3 * place for place, good in enumerate(is_good) if not good]


def test_a_bundle_has_the_offset_of_its_last_message_and_the_time_of_its_first() -> None:
    made = bundle([record(offset, b"") for offset in (4, 5, 9)])
    assert (made.topic, made.partition, made.offset, made.timestamp) == ("ticks", 2, 9, 1_004)
