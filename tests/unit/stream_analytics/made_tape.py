"""Made-up tape of a few symbols, and the signals of its partitions."""

import random
from collections.abc import Iterable

from services.common.clock import SECOND
from services.contracts.messages import LegTrade, PairConfig, Signal
from services.stream_analytics.corrections import Outcome
from services.stream_analytics.pair_partition import PairPartition
from services.stream_analytics.state_storage import Store

CONFIG = PairConfig(pair="ETHUSDT-BTCUSDT", window=20, min_samples=5)
PRICES = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0, "SOLUSDT": 150.0}


def tape(seed: int, seconds: int = 120, symbols: Iterable[str] = ("BTCUSDT", "ETHUSDT")) -> list[LegTrade]:
    """Walking symbols with some 5 trades a second together, in order of time, and marks that end them."""
    draw = random.Random(seed)
    names = sorted(symbols)
    prices = {name: PRICES[name] for name in names}
    ids = dict.fromkeys(names, 0)
    trades: list[LegTrade] = []
    now = 0
    while (now := now + int(draw.expovariate(5 / SECOND))) < seconds * SECOND:
        name = draw.choice(names)
        prices[name] *= 1 + draw.gauss(0, 1e-4)
        ids[name] += 1
        trades.append(LegTrade(name, now, ids[name], prices[name]))
    return trades + [LegTrade(name, seconds * SECOND, ids[name]) for name in names]


def closed(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Return the outcomes of closed seconds."""
    return [outcome for outcome in outcomes if outcome.signal.closed]


def closed_signals(partition: PairPartition, trades: Iterable[LegTrade]) -> list[Signal]:
    """Return the signals of the seconds that `trades` close."""
    return [outcome.signal for outcome in closed(partition.take(trades)[0])]


def partition(*configs: PairConfig, store: Store | None = None) -> PairPartition:
    """Return a partition that follows `configs`."""
    made = PairPartition({} if store is None else store)
    made.configure({config.pair: config for config in configs or (CONFIG,)})
    return made


def run(trades: list[LegTrade], *configs: PairConfig) -> list[Outcome]:
    """Return what the closed seconds of `trades` say."""
    return closed(partition(*configs).take(trades)[0])


class Event:
    """An event that notes its own acknowledgement."""

    def __init__(self, number: int, acknowledged: list[int]) -> None:
        self._number = number
        self._acknowledged = acknowledged

    def ack(self) -> bool:
        """Note it."""
        self._acknowledged.append(self._number)
        return True
