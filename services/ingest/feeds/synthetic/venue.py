"""Listing of the synthetic venue: 500 symbols, and the truth about them, as a function of the seed.

Four symbols are the same for every seed. Of the others the seed decides which belong together, which once did, which
trade seldom and which are nobody's partner; their names tell nothing of it.
"""

from functools import lru_cache
from typing import Literal, NamedTuple

from services.ingest.feeds.synthetic.noise import generator

SIZE = 500
GROUPS, GROUP_SIZE = 40, 3
BROKEN_PAIRS = 20
SPARSE = 60
OWN_RATE = 10.0
"""Trades a second of each of the first four; of the others a share of it, where nothing else is asked for."""
_OTHERS_WEIGHT = 0.2
# Trades of a sparse symbol in a minute.
_SPARSE_PER_MINUTE = (1, 2, 3, 4)


Kind = Literal["cointegrated", "broken"]
# Short enough for half an hour to show it, where that is all there is.
_HALF_LIVES_S: dict[Kind, tuple[int, int]] = {"cointegrated": (20, 120), "broken": (15, 40)}


class SyntheticInstrument(NamedTuple):
    """A symbol's level in USDT, the decimals of its prices and sizes, its median size, and its share of trades."""

    level: float
    price_decimals: int
    size_decimals: int
    median_size: float
    weight: float = 1.0


INSTRUMENTS = {
    "BTCUSDT": SyntheticInstrument(67_000.0, 1, 3, 0.02),
    "ETHUSDT": SyntheticInstrument(3_500.0, 2, 3, 0.3),
    "BNBUSDT": SyntheticInstrument(600.0, 2, 2, 1.0),
    "SOLUSDT": SyntheticInstrument(150.0, 3, 0, 8.0),
}
"""The four that every seed has."""


class Relation(NamedTuple):
    """Symbols that belong together: the log price of each is `beta` times one walk, and a spread that reverts.

    Of a `broken` pair the spread of the second symbol reverts in the first half of every hour only; in the second
    half it wanders off, and then stays where it is.
    """

    kind: Kind
    symbols: tuple[str, ...]
    betas: tuple[float, ...]
    half_life_s: float


class SyntheticVenue(NamedTuple):
    """The symbols of one seed: their instruments, who belongs to whom, and who trades seldom."""

    instruments: dict[str, SyntheticInstrument]
    relations: tuple[Relation, ...]
    sparse: frozenset[str]

    def relation_of(self, symbol: str) -> tuple[int, Relation] | None:
        """Return the relation that a symbol is part of, and its place among all; None if it walks alone."""
        return _by_symbol(self.relations).get(symbol)


@lru_cache(maxsize=8)
def venue(seed: int) -> SyntheticVenue:
    """Return the whole venue of a seed: the planted truth, which a search for pairs should find."""
    names = [f"SYN{number:03d}USDT" for number in range(len(INSTRUMENTS), SIZE)]
    rng = generator(seed, "venue", 0)
    drawn = [names[place] for place in rng.permutation(len(names))]
    relations = [
        Relation("cointegrated", ("BTCUSDT", "ETHUSDT"), (1.0, 1.1), 60.0),
        Relation("broken", ("BNBUSDT", "SOLUSDT"), (1.0, 1.2), 30.0),
    ]
    for number in range(GROUPS + BROKEN_PAIRS):
        kind: Kind = "cointegrated" if number < GROUPS else "broken"
        size = GROUP_SIZE if number < GROUPS else 2
        symbols, drawn = tuple(sorted(drawn[:size])), drawn[size:]
        betas = tuple(float(round(beta, 2)) for beta in rng.uniform(0.6, 1.6, size))
        half_life_s = float(rng.integers(*_HALF_LIVES_S[kind]))
        relations.append(Relation(kind, symbols, betas, half_life_s))
    sparse = frozenset(drawn[:SPARSE])
    instruments = dict(INSTRUMENTS)
    for name in names:
        weight = float(rng.choice(_SPARSE_PER_MINUTE)) / (60 * OWN_RATE) if name in sparse else _OTHERS_WEIGHT
        instruments[name] = _instrument(float(10 ** rng.uniform(-2, 3)), weight)
    return SyntheticVenue(instruments, tuple(relations), sparse)


def _instrument(level: float, weight: float) -> SyntheticInstrument:
    """Return an instrument that is priced to about one part in 10,000, and traded in lots of about 1,000 USDT."""
    digits = len(str(int(level))) if level >= 1 else 0
    size_decimals = 0 if level < 100 else 2
    return SyntheticInstrument(
        float(f"{level:.3g}"), 5 - digits if level >= 0.1 else 6, size_decimals, 1_000 / level, weight
    )


@lru_cache(maxsize=8)
def _by_symbol(relations: tuple[Relation, ...]) -> dict[str, tuple[int, Relation]]:
    return {symbol: (place, one) for place, one in enumerate(relations) for symbol in one.symbols}
