import asyncio
import contextlib

from hypothesis import given
from hypothesis import strategies as st

from services.common.backoff import Backoff


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 100))
def test_delays_grow_to_a_cap_and_keep_at_least_half_of_it(jitter: float, attempts: int) -> None:
    backoff = Backoff(first_s=0.5, cap_s=8.0, jitter=lambda: jitter)
    delays = [backoff.next_s() for _ in range(attempts)]
    assert delays == sorted(delays)
    assert all(0.25 <= delay <= 8.0 for delay in delays)
    if attempts > 4:
        assert delays[-1] >= 4.0


def test_two_clients_do_not_come_back_together() -> None:
    assert Backoff().next_s() != Backoff().next_s()


def test_a_success_starts_again_from_the_first_delay() -> None:
    backoff = Backoff(first_s=1.0, cap_s=60.0, jitter=lambda: 1.0)
    first = [backoff.next_s(), backoff.next_s()]
    backoff.reset()
    assert [backoff.next_s(), backoff.next_s()] == first == [1.0, 2.0]


def test_a_loop_that_tries_again_ends_when_its_cancellation_was_swallowed() -> None:
    async def stubborn() -> None:
        backoff = Backoff(first_s=0)
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.001)
            await asyncio.sleep(backoff.next_s())

    async def scene() -> None:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.cancelled()

    asyncio.run(scene())
