"""Poll cache: responses that are refreshed in the background."""

import asyncio

from services.common.errors import TransientError
from services.ui.api.poll_cache import UNUSED_S, PollCache


class Answers:
    """Counts how often it is asked; an error is what it says while `problem` is set."""

    def __init__(self) -> None:
        self.asked = 0
        self.problem: str | None = None

    async def __call__(self) -> int:
        self.asked += 1
        if self.problem:
            raise TransientError(self.problem)
        return self.asked


class Clock:
    """A clock that stands."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_one_answer_serves_everybody_until_it_is_old() -> None:
    async def run() -> None:
        clock, answers = Clock(), Answers()
        readings = PollCache(clock)
        first = readings.get("fit", answers, 15)
        assert first.value is None
        await first.settled()
        assert readings.get("fit", answers, 15).value == 1
        clock.now_s = 14.9
        await readings.get("fit", answers, 15).settled()
        assert answers.asked == 1
        clock.now_s = 15.0
        await readings.get("fit", answers, 15).settled()
        assert readings.get("fit", answers, 15).value == 2

    asyncio.run(run())


def test_an_error_keeps_what_was_known_and_is_said() -> None:
    async def run() -> None:
        clock, answers = Clock(), Answers()
        readings = PollCache(clock)
        await readings.get("fit", answers, 1).settled()
        answers.problem, clock.now_s = "away", 1.0
        reading = readings.get("fit", answers, 1)
        await reading.settled()
        assert (reading.value, reading.error) == (1, "away")
        answers.problem, clock.now_s = None, 2.0
        await readings.get("fit", answers, 1).settled()
        assert (reading.value, reading.error) == (3, None)

    asyncio.run(run())


def test_a_slow_answer_is_not_asked_for_again() -> None:
    async def run() -> None:
        clock, gate, asked = Clock(), asyncio.Event(), []
        readings = PollCache(clock)

        async def slow() -> int:
            asked.append(clock())
            await gate.wait()
            return len(asked)

        reading = readings.get("slow", slow, 1)
        await asyncio.sleep(0)
        clock.now_s = 5.0
        readings.get("slow", slow, 1)
        gate.set()
        await reading.settled()
        assert asked == [0.0]

    asyncio.run(run())


def test_what_nobody_looks_at_is_forgotten() -> None:
    async def run() -> None:
        clock, answers = Clock(), Answers()
        readings = PollCache(clock)
        await readings.get("fit", answers, 1).settled()
        clock.now_s = UNUSED_S + 1
        other = readings.get("other", answers, 1)
        again = readings.get("fit", answers, 1)
        assert again.value is None
        await asyncio.gather(other.settled(), again.settled())

    asyncio.run(run())
