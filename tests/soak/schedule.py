"""Schedule of faults: drawn at random, the same for the same seed."""

import random
from collections.abc import Iterator
from typing import NamedTuple

from tests.fake_venue.faults import (
    DAMAGES,
    Deaf,
    Decorate,
    Drop,
    Fault,
    Jump,
    Mangle,
    Refuse,
    RefuseUpgrade,
    Reorder,
    Repeat,
    Rest,
    Silence,
    Skip,
    Slow,
)

_CODES = (1000, 1001, 1006, 1008, 1011, 1012, 1013, 4000)


class Away(NamedTuple):
    """The broker is away, stuck or slow for a while."""

    how: str
    seconds: float


class Kill(NamedTuple):
    """Ingest is killed, and started again after a while."""

    away_s: float


Act = Fault | Away | Kill


def acts(seed: int, symbols: list[str], seconds: float, every_s: float) -> Iterator[tuple[float, Act]]:
    """Yield when (seconds from the start), and what: small faults, and now and then something big.

    The broker is away in each fifth of the time. Ingest is killed after one and after two fifths, so that the
    memory of one process can be watched over the second half.
    """
    chance = random.Random(seed + 1)
    big: list[tuple[float, Act]] = [
        (
            seconds * share,
            Away(chance.choice(("gone", "stuck", "slow")), seconds * chance.uniform(0.015, 0.03)),
        )
        for share in (0.1, 0.3, 0.5, 0.7, 0.9)
    ]
    big += [(seconds * share, Kill(chance.uniform(0.5, 3.0))) for share in (0.2, 0.4)]
    yield from sorted((*big, *small_faults(seed, symbols, seconds, every_s)), key=lambda one: one[0])


def small_faults(
    seed: int, symbols: list[str], seconds: float, every_s: float
) -> Iterator[tuple[float, Fault]]:
    """Yield when, and what the venue does wrong, every `every_s` on average."""
    chance, at = random.Random(seed), 0.0
    while (at := at + chance.uniform(0.5, 1.5) * every_s) < seconds:
        for fault in _small(chance, symbols):
            yield at, fault


def _small(chance: random.Random, symbols: list[str]) -> list[Fault]:
    symbol = chance.choice([None, *symbols])
    match chance.randrange(16):
        case 0:
            return [Drop(symbol=symbol)]
        case 1:
            code = chance.choice(_CODES)
            return [Drop(symbol=symbol, code=None if code == 1006 else code)]
        case 2:
            return [Drop(symbol=symbol, half=True)]
        case 3:
            return [Silence(symbol=symbol)]
        case 4:
            return [Silence(symbol=symbol, seconds=chance.uniform(0.5, 4))]
        case 5 | 6:
            return [Skip(symbol=symbol, count=chance.choice((1, 2, 20, 300)))]
        case 7:
            return [Repeat(symbol=symbol, count=chance.choice((1, 50)))]
        case 8:
            return [Reorder(symbol=symbol, count=chance.choice((2, 10, 40)))]
        case 9 | 10:
            damage = chance.choice(DAMAGES)
            return [
                Mangle(symbol=symbol, damage=damage, count=1 if damage == "huge" else chance.choice((1, 20)))
            ]
        case 11:
            return [Jump(symbol=symbol, count=chance.choice((1, 5, 100)))]
        case 12:
            return [Refuse(seconds=chance.uniform(0.2, 3)), Drop(symbol=symbol)]
        case 13:
            status = chance.choice((400, 403, 429, 500, 503))
            retry_after_s = chance.choice((None, 1, 2)) if status == 429 else None
            refused = RefuseUpgrade(status=status, count=chance.choice((1, 3)), retry_after_s=retry_after_s)
            return [refused, Drop(symbol=symbol)]
        case 14:
            status = chance.choice((200, 418, 429, 500))
            rest = Rest(
                status=status,
                count=chance.choice((1, 2)),
                retry_after_s=chance.choice((1, 3)) if status in (418, 429) else None,
                delay_s=chance.choice((0, 0.5, 2)),
                garbage=status == 200,
            )
            return [rest, Skip(symbol=symbol, count=5), Decorate(symbol=symbol, count=50)]
        case _:
            if chance.random() < 0.5:
                return [Slow(delay_s=chance.choice((0.0, 0.3, 1.0)))]
            return [Deaf()]
