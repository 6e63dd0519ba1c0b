import asyncio

from services.common.messages import LegTrade, LegTrades, decode
from services.stream_analytics.fan_out import FanOut
from tests.unit.stream_analytics.made_tape import Event

ROUTES = {"AUSDT": (0, 2), "BUSDT": (2,)}


class Sent:
    """What reached the partitions, and what had been acknowledged by then."""

    def __init__(self) -> None:
        self.trades: dict[int, list[LegTrade]] = {}
        self.messages = 0
        self.acknowledged: list[int] = []

    async def send(self, partition: int, value: bytes) -> None:
        assert self.acknowledged == []
        self.messages += 1
        self.trades.setdefault(partition, []).extend(decode(value, LegTrades).trades)


def trades(count: int) -> list[LegTrade]:
    return [LegTrade(("AUSDT", "BUSDT", "CUSDT")[number % 3], number, number, 1.0) for number in range(count)]


async def run(sent: Sent, count: int, is_behind: bool) -> None:
    fan_out = FanOut(sent.send, 0.001)
    fan_out.routes = ROUTES
    running = asyncio.create_task(fan_out.run())
    for number, trade in enumerate(trades(count)):
        await fan_out.put(Event(number, sent.acknowledged), trade, is_behind)
    async with asyncio.timeout(5):
        while len(sent.acknowledged) < count:  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0)
    running.cancel()


def test_each_partition_gets_the_trades_its_pairs_need_in_one_message_before_they_are_acknowledged() -> None:
    for is_behind in (False, True):
        sent, made = Sent(), trades(30)
        asyncio.run(run(sent, 30, is_behind))
        assert sent.messages == 2
        assert sent.trades == {
            0: [trade for trade in made if trade.symbol == "AUSDT"],
            2: [trade for trade in made if trade.symbol in ("AUSDT", "BUSDT")],
        }
        assert sent.acknowledged == list(range(30))


def test_what_was_forgotten_is_neither_sent_nor_acknowledged() -> None:
    async def forgetful(sent: Sent) -> None:
        fan_out = FanOut(sent.send, 0.001)
        fan_out.routes = ROUTES
        for number, trade in enumerate(trades(9)):
            await fan_out.put(Event(number, sent.acknowledged), trade)
        fan_out.forget()
        await fan_out.flush()

    sent = Sent()
    asyncio.run(forgetful(sent))
    assert (sent.messages, sent.acknowledged) == (0, [])
