import asyncio

from services.common.codec import decode
from services.common.errors import FatalError
from services.contracts.messages import LegTrade, LegTrades
from services.stream_analytics.fan_out import FanOut
from tests.unit.stream_analytics.made_tape import Event

ROUTES = {"AUSDT": (0, 2), "BUSDT": (2,)}


class Sent:
    """What reached the partitions, and what had been acknowledged by then; the broker has it when it says so."""

    def __init__(self) -> None:
        self.trades: dict[int, list[LegTrade]] = {}
        self.messages = 0
        self.acknowledged: list[int] = []
        self.on_their_way: list[asyncio.Future[None]] = []

    async def send(self, partition: int, value: bytes) -> "asyncio.Future[None]":
        assert self.acknowledged == []
        self.messages += 1
        self.trades.setdefault(partition, []).extend(decode(value, LegTrades).trades)
        self.on_their_way.append(asyncio.get_running_loop().create_future())
        return self.on_their_way[-1]

    def arrive(self, number: int) -> None:
        """Have the broker take a message."""
        self.on_their_way[number].set_result(None)


def trades(count: int) -> list[LegTrade]:
    return [LegTrade(("AUSDT", "BUSDT", "CUSDT")[number % 3], number, number, 1.0) for number in range(count)]


async def run(sent: Sent, bundles: int, is_urgent: bool) -> None:
    fan_out = FanOut(sent.send, 0.001)
    fan_out.routes = ROUTES
    running = asyncio.create_task(fan_out.run())
    for number in range(bundles):
        await fan_out.put(Event(number, sent.acknowledged), trades(9), is_urgent)
    async with asyncio.timeout(5):
        while fan_out.in_flight == 0:  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0)
    # The second of the two messages arrives first; nothing is acknowledged before both have.
    sent.arrive(1)
    await asyncio.sleep(0)
    assert sent.acknowledged == []
    sent.arrive(0)
    async with asyncio.timeout(5):
        while fan_out.in_flight:  # noqa: ASYNC110
            await asyncio.sleep(0)
    running.cancel()


def test_each_partition_gets_the_trades_its_pairs_need_in_one_message_before_they_are_acknowledged() -> None:
    for is_urgent in (True, False):
        sent, made = Sent(), trades(9) * 4
        asyncio.run(run(sent, 4, is_urgent))
        assert sent.messages == 2
        assert sent.trades == {
            0: [trade for trade in made if trade.symbol == "AUSDT"],
            2: [trade for trade in made if trade.symbol in ("AUSDT", "BUSDT")],
        }
        assert sent.acknowledged == list(range(4))


def test_what_was_forgotten_is_not_acknowledged_though_it_arrives() -> None:
    async def forgetful(sent: Sent) -> None:
        fan_out = FanOut(sent.send, 0.001)
        fan_out.routes = ROUTES
        await fan_out.put(Event(0, sent.acknowledged), trades(9))
        await fan_out.flush()
        await fan_out.put(Event(1, sent.acknowledged), trades(9))
        fan_out.forget()
        for number in range(sent.messages):
            sent.arrive(number)
        await fan_out.flush()

    sent = Sent()
    asyncio.run(forgetful(sent))
    assert (sent.messages, sent.acknowledged) == (2, [])


def test_bundles_are_acknowledged_in_their_order_however_their_messages_arrive() -> None:
    async def crossing(sent: Sent) -> None:
        fan_out = FanOut(sent.send, 0.001)
        fan_out.routes = {"AUSDT": (0,)}
        for number in range(3):
            await fan_out.put(Event(number, sent.acknowledged), trades(1))
            await fan_out.flush()
        assert fan_out.in_flight == 3
        for number in (2, 1):
            sent.arrive(number)
        await asyncio.sleep(0)
        assert sent.acknowledged == []
        sent.arrive(0)
        await asyncio.sleep(0)

    sent = Sent()
    asyncio.run(crossing(sent))
    assert sent.acknowledged == [0, 1, 2]


def test_what_was_refused_is_not_acknowledged() -> None:
    async def refused(sent: Sent) -> None:
        fan_out = FanOut(sent.send, 0.001)
        fan_out.routes = {"AUSDT": (0,)}
        await fan_out.put(Event(0, sent.acknowledged), trades(1))
        await fan_out.flush()
        sent.on_their_way[0].set_exception(FatalError("refused"))
        await asyncio.sleep(0)

    sent = Sent()
    asyncio.run(refused(sent))
    assert sent.acknowledged == []


def test_a_bundle_without_a_trade_for_anybody_is_acknowledged() -> None:
    async def alone(sent: Sent) -> None:
        fan_out = FanOut(sent.send, 0.001)
        await fan_out.put(Event(7, sent.acknowledged), [])
        await fan_out.flush()

    sent = Sent()
    asyncio.run(alone(sent))
    assert (sent.messages, sent.acknowledged) == (0, [7])
