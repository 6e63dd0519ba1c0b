"""Rates of the synthetic market: how many trades a symbol has in a minute."""

from collections.abc import Iterable, Mapping

from services.ingest.feeds.synthetic.venue import OWN_RATE, SyntheticInstrument


def per_minute(
    symbols: Iterable[str], rate: float | None, instruments: Mapping[str, SyntheticInstrument]
) -> dict[str, int]:
    """Return the trades of each symbol in a minute: its own number, or its share of `rate` (a second, all together).

    Whoever trades at all does so once a minute at least.
    """
    weights = {symbol: instruments[symbol].weight for symbol in symbols}
    unit = OWN_RATE if rate is None else rate / sum(weights.values())
    return {symbol: max(1, round(unit * weight * 60)) if unit else 0 for symbol, weight in weights.items()}
