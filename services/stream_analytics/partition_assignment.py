"""Partition assignment: the partition of each pair, and the partitions that need a symbol's trades."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

from services.contracts.messages import PairConfig
from services.contracts.pairs import Pair


def partition_of(pair: str, partitions: int) -> int:
    """Return the partition of ``leg-trades`` that a pair lives on: the same for every worker and run."""
    return int.from_bytes(blake2b(pair.encode(), digest_size=8).digest()) % partitions


def routes(configs: Iterable[PairConfig], partitions: int) -> Mapping[str, tuple[int, ...]]:
    """Return, for each symbol that is a leg of a pair, the partitions its trades go to, ascending."""
    table: dict[str, set[int]] = {}
    for config in configs:
        if not config.paused:
            for symbol in Pair.parse(config.pair):
                table.setdefault(symbol, set()).add(partition_of(config.pair, partitions))
    return {symbol: tuple(sorted(numbers)) for symbol, numbers in table.items()}
