"""Many hours of signals, thinned for a chart without losing an extreme."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from services.common.clock import MINUTE
from services.contracts.messages import Signal
from services.ui.api.client import ApiClient

MINUTES = 1440
A_MINUTE = 3
"""Number of signals left of a minute."""
PAGE = 7_200


async def extremes(client: ApiClient, pair: str, minutes: int) -> list[Signal]:
    """Return the thinned signals of the last `minutes` that are over, oldest first, read page by page."""
    size = min(PAGE, (minutes + 2) * 60)
    page = await client.signals(pair, size)
    if not page:
        return []
    end_us = _minute(page[-1])
    return await _back(client, pair, page, size, end_us - minutes * MINUTE, end_us)


async def between(client: ApiClient, pair: str, first_us: int, end_us: int) -> list[Signal]:
    """Return the thinned signals from `first_us` to before `end_us`, oldest first, read page by page."""
    page = await client.signals(pair, PAGE, end_us)
    return await _back(client, pair, page, PAGE, first_us, end_us)


async def _back(
    client: ApiClient, pair: str, page: Sequence[Signal], size: int, first_us: int, before_us: int
) -> list[Signal]:
    kept: list[Signal] = []
    while page:
        is_all = len(page) < size
        # A full page may begin within a minute; that minute comes whole with the next page.
        whole_us = _minute(page[0]) + (0 if is_all else MINUTE)
        kept = _thin(page, max(first_us, whole_us), before_us) + kept
        if is_all or whole_us <= first_us:
            break
        before_us = whole_us
        page = await client.signals(pair, size, before_us)
    return kept


def _thin(signals: Sequence[Signal], first_us: int, end_us: int) -> list[Signal]:
    within = [signal for signal in signals if first_us <= signal.event_us < end_us]
    return [kept for _, minute in groupby(within, _minute) for kept in _kept(minute)]


def _kept(signals: Iterable[Signal]) -> list[Signal]:
    """Return those with the lowest, the highest and the smallest z-score, where pairs are entered and left.

    The first and the last if none has one.
    """
    minute = list(signals)
    known = sorted((signal for signal in minute if signal.zscore is not None), key=_zscore) or minute
    smallest = min(known, key=lambda signal: abs(_zscore(signal)))
    ends = {signal.event_us: signal for signal in (known[0], smallest, known[-1])}
    return [ends[us] for us in sorted(ends)]


def _zscore(signal: Signal) -> float:
    return signal.zscore or 0.0


def _minute(signal: Signal) -> int:
    return signal.event_us // MINUTE * MINUTE
