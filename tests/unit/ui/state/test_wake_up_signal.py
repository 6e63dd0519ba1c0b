"""Wake-up signal that ends a push loop's wait early."""

import asyncio

from services.ui.state.wake_up_signal import WakeUpSignal


def test_all_who_wait_are_woken() -> None:
    async def run() -> None:
        bell = WakeUpSignal()
        waiting = [asyncio.create_task(bell.wait(bell.rung, 60)) for _ in range(3)]
        await asyncio.sleep(0)
        bell.ring()
        async with asyncio.timeout(5):
            await asyncio.gather(*waiting)

    asyncio.run(run())


def test_a_ring_between_two_waits_is_not_missed() -> None:
    async def run() -> None:
        bell = WakeUpSignal()
        heard = bell.rung
        bell.ring()
        async with asyncio.timeout(5):
            await bell.wait(heard, 60)

    asyncio.run(run())


def test_without_a_ring_the_time_passes() -> None:
    async def run() -> bool:
        bell = WakeUpSignal()
        waiting = asyncio.create_task(bell.wait(bell.rung, 0.02))
        await asyncio.sleep(0)
        was_waiting = not waiting.done()
        await waiting
        return was_waiting

    assert asyncio.run(run())
