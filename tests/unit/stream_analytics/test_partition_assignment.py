from collections import Counter

from services.contracts.messages import PairConfig
from services.stream_analytics.partition_assignment import partition_of, routes


def test_a_symbol_goes_wherever_one_of_its_pairs_lives() -> None:
    configs = [PairConfig(pair=f"S{number}USDT-BTCUSDT") for number in range(40)]
    table = routes(configs, 4)
    assert table["BTCUSDT"] == (0, 1, 2, 3)
    assert all(
        table[f"S{number}USDT"] == (partition_of(f"S{number}USDT-BTCUSDT", 4),) for number in range(40)
    )


def test_pairs_spread_over_the_partitions_and_swapped_legs_are_another_pair() -> None:
    names = [f"S{y}USDT-S{x}USDT" for y in range(30) for x in range(30) if y != x]
    counts = Counter(partition_of(name, 8) for name in names)
    assert set(counts) == set(range(8))
    assert max(counts.values()) < 2 * min(counts.values())
    assert len({name for name in names if partition_of(name, 8) == 0}) == counts[0]


def test_a_paused_pair_needs_no_trades() -> None:
    assert routes([PairConfig(pair="A1USDT-B1USDT", paused=True)], 4) == {}
