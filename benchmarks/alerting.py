"""Rules at work: 1,000 rules on 100 pairs, a closed signal of each a second, as a share of a core.

Kinds of rules are those that people write: mostly levels of the z-score, some of several conditions, some that wait,
some with a memory, which are looked at every second. Signals are decoded from the topic's bytes, and alerts encoded.
"""

import random
import resource
import time

import msgspec

from services.common.codec import decode, encode
from services.contracts.conditions import Condition, Gate
from services.contracts.messages import Signal
from services.contracts.rules import Rule
from services.rules.alerts import alert_of
from services.rules.engine import Engine
from services.rules.observation import of_signal

RULES, PAIRS, SECONDS = 1_000, 100, 60
SECOND = 1_000_000
_START_US = 1_767_225_600_000_000


def rule(number: int, draw: random.Random) -> Rule:
    """Return one of the kinds of rules that there are."""
    level = draw.uniform(1.5, 4)
    zscore = Condition(metric="zscore", operator="outside", fire=level, clear=0.5)
    match number % 10:
        case 0:
            high = Condition(metric="price_correlation", operator="above", fire=0.8, clear=0.7)
            return Rule(id=f"r{number}", conditions=(zscore, high))
        case 1:
            return Rule(id=f"r{number}", conditions=(zscore,), for_s=5, clear_after=3, cooldown_s=60)
        case 2:
            gate = Gate(metric="reversion", operator="above", level=1)
            return Rule(id=f"r{number}", conditions=(zscore,), gates=(gate,), no_data="alert")
        case 3:
            price = Condition(metric="y_price", operator="changes_by", fire=level, over_s=60, percent=True)
            return Rule(id=f"r{number}", conditions=(price,))
    return Rule(id=f"r{number}", conditions=(zscore,))


def tape(draw: random.Random) -> list[list[bytes]]:
    """Return the messages of each second: z-scores that come back to 0, as an AR(1)."""
    zscores = [0.0] * PAIRS
    seconds = []
    for second in range(SECONDS):
        zscores = [0.97 * one + draw.gauss(0, 0.25) for one in zscores]
        seconds.append(
            [
                encode(_signal(f"A{place:02}USDT-B{place:02}USDT", second, zscore))
                for place, zscore in enumerate(zscores)
            ]
        )
    return seconds


def _signal(pair: str, second: int, zscore: float) -> Signal:
    return Signal(
        pair=pair,
        event_us=_START_US + second * SECOND,
        y_price=100 + zscore / 10,
        x_price=50.0,
        hedge_ratio=2.0,
        intercept=0.0,
        method="ols",
        spread=zscore / 10,
        zscore=zscore,
        price_correlation=0.75 + zscore / 20,
        correlation=0.75,
        window=300,
        samples=300,
        quality="ok",
        reversion="reverting",
    )


def main() -> None:
    """Print the share of a core, and what saving all states costs."""
    draw = random.Random(7)
    rules = {one.id: one for one in (rule(number, draw) for number in range(RULES))}
    seconds = tape(draw)
    engine = Engine(30 * SECOND)
    engine.configure(rules)
    took, alerts, size = [], 0, 0
    for messages in seconds:
        began = time.process_time()
        for raw in messages:
            signal = decode(raw, Signal)
            outcomes = engine.observe("pair", signal.pair, of_signal(signal))
            size += sum(len(encode(alert_of(one))) for one in outcomes)
            alerts += len(outcomes)
        took.append(time.process_time() - began)
    began = time.process_time()
    stored = sum(len(msgspec.msgpack.encode(engine.saved(name))) for name in engine.subjects)
    saving = time.process_time() - began
    steady = sorted(took[1:])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    share, median = 100 * sum(steady) / len(steady), 100 * steady[len(steady) // 2]
    print(
        f"{RULES:,} rules on {PAIRS} pairs, a signal of each a second: {share:.1f} % of a core, "
        f"the median second {median:.1f} %, the first {100 * took[0]:.0f} %; {alerts / SECONDS:.0f} alerts a second; "
        f"all states {stored / 1e6:.1f} MB in {saving:.2f} s; {memory:.0f} MB"
    )


if __name__ == "__main__":
    main()
