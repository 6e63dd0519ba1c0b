"""Wake-up signal that ends a push loop's wait early."""

import asyncio

from services.ui.state.wake_up_signal import WakeUpSignal


def test_all_who_wait_are_woken() -> None:
    async def run() -> None:
        wake_up = WakeUpSignal()
        waiting = [asyncio.create_task(wake_up.wait(wake_up.count, 60)) for _ in range(3)]
        await asyncio.sleep(0)
        wake_up.fire()
        async with asyncio.timeout(5):
            await asyncio.gather(*waiting)

    asyncio.run(run())


def test_a_ring_between_two_waits_is_not_missed() -> None:
    async def run() -> None:
        wake_up = WakeUpSignal()
        seen = wake_up.count
        wake_up.fire()
        async with asyncio.timeout(5):
            await wake_up.wait(seen, 60)

    asyncio.run(run())


def test_without_a_ring_the_time_passes() -> None:
    async def run() -> bool:
        wake_up = WakeUpSignal()
        waiting = asyncio.create_task(wake_up.wait(wake_up.count, 0.02))
        await asyncio.sleep(0)
        was_waiting = not waiting.done()
        await waiting
        return was_waiting

    assert asyncio.run(run())
