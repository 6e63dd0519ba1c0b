"""Entries of a z-score: when each came back, and how many did in time."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.contracts.threshold import Threshold
from services.quant.fit import NotEnoughDataError

Outcome = Literal["hit", "stopped", "expired", "unresolved"]
_SECOND = 1_000_000


class Bands(Struct, frozen=True, kw_only=True):
    """Levels of \\|z\\|: where it enters, where it is back, where one gives up; and after how long one gives up.

    With `only_while_reverting` it enters only where the spread is seen to revert.
    """

    entry: float
    exit: float
    stop: float
    within_us: int
    only_while_reverting: bool = False


class Entry(Struct, frozen=True):
    """A z-score that reached the entry at `entry_us`, and was back within the exit at `exit_us`, None if it is not yet.

    `worst` is the largest \\|z\\| until then. The spread was seen to revert at the entry, or not.
    """

    entry_us: int
    zscore: float
    reverting: bool
    worst: float
    exit_us: int | None
    seconds: float | None
    outcome: Outcome


class HitRate(Struct, frozen=True):
    """Entries by outcome; `rate` is the share of hits among those with one, with its confidence interval."""

    entries: int
    hits: int
    stopped: int
    expired: int
    unresolved: int
    rate: float
    low: float
    high: float


class Wait(Struct, frozen=True):
    """Number and share of `entries` that were back within `seconds`."""

    seconds: float
    entries: int
    share: float


class Seconds(NamedTuple):
    """Signals of some seconds, oldest first: time (epoch, us), z-score, spread, and whether it was reverting."""

    at_us: NDArray[np.int64]
    zscore: NDArray[np.float64]
    spread: NDArray[np.float64]
    reverting: NDArray[np.bool_]


def find_entries(seconds: Seconds, bands: Bands) -> list[Entry]:
    """Return the entries of a z-score, oldest first, by the rule of alerts.

    A hit was back at the exit before it reached the stop and before its time was over. It has expired if its time was
    over first, and is unresolved if the z-scores end before any of these. A first z-score that is already beyond the
    entry did not enter there.
    """
    if not len(seconds.zscore):
        return []
    size = np.abs(seconds.zscore)
    may_fire = seconds.reverting | (not bands.only_while_reverting)
    begun = bool(size[0] >= bands.entry and may_fire[0])
    rule = Threshold(bands.entry, bands.exit, firing=begun)
    judged = enumerate(zip(seconds.zscore.tolist(), may_fire.tolist(), strict=True))
    crossings = [place for place, (value, may) in judged if rule.update(value, may)][begun:]
    stops = np.flatnonzero(size >= bands.stop)
    last = len(size) - 1
    # An entry without an exit is followed by none.
    ends = [*crossings, None]
    return [
        _entry(seconds, bands, (first, end if end is not None else last, end is not None), stops)
        for first, end in list(pairwise(ends))[::2]
        if first is not None
    ]


def _entry(seconds: Seconds, bands: Bands, stretch: tuple[int, int, bool], stops: NDArray[np.intp]) -> Entry:
    at_us, zscore, (first, end, is_back) = seconds.at_us, seconds.zscore, stretch
    entry_us, exit_us = int(at_us[first]), int(at_us[end]) if is_back else None
    ends: list[tuple[int, Outcome]] = [] if exit_us is None else [(exit_us, "hit")]
    later = np.searchsorted(stops, first)
    if later < len(stops):
        ends.append((int(at_us[stops[later]]), "stopped"))
    gives_up_us = entry_us + bands.within_us
    outcome: Outcome = "expired" if at_us[-1] >= gives_up_us else "unresolved"
    if ends and min(ends)[0] <= gives_up_us:
        outcome = min(ends)[1]
    return Entry(
        entry_us=entry_us,
        zscore=float(zscore[first]),
        reverting=bool(seconds.reverting[first]),
        worst=float(np.abs(zscore[first : end + 1]).max()),
        exit_us=exit_us,
        seconds=None if exit_us is None else (exit_us - entry_us) / _SECOND,
        outcome=outcome,
    )


def count_waits(entries: Sequence[Entry]) -> list[Wait]:
    """Return how many entries were back within each time that one took; NotEnoughDataError if none is back.

    The shares are of all entries: one that is not back counts as one that takes longer.
    """
    counts = Counter(entry.seconds for entry in entries if entry.seconds is not None)
    if not counts:
        raise NotEnoughDataError(_no_entry(entries, "is back within the exit band"))
    waits, back = [], 0
    for seconds, count in sorted(counts.items()):
        back += count
        waits.append(Wait(seconds, back, back / len(entries)))
    return waits


def rate_hits(entries: Sequence[Entry], confidence: float = 0.95) -> HitRate:
    """Return how often entries were hits; NotEnoughDataError if there is none whose outcome is known.

    The interval takes entries for independent of each other. Source: Wilson (1927), Probable inference, the law of
    succession, and statistical inference.
    """
    counts = Counter(entry.outcome for entry in entries)
    known = len(entries) - counts["unresolved"]
    if not known:
        raise NotEnoughDataError(_no_entry(entries, "has an outcome"))
    rate = counts["hit"] / known
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (rate + z * z / (2 * known)) / (1 + z * z / known)
    half = z * math.sqrt(rate * (1 - rate) / known + (z / (2 * known)) ** 2) / (1 + z * z / known)
    return HitRate(
        entries=len(entries),
        hits=counts["hit"],
        stopped=counts["stopped"],
        expired=counts["expired"],
        unresolved=counts["unresolved"],
        rate=rate,
        low=max(0.0, middle - half),
        high=min(1.0, middle + half),
    )


def _no_entry(entries: Sequence[Entry], lacking: str) -> str:
    if not entries:
        return "no entry: the z-score never went from within the entry band to beyond it"
    return f"none of the entries {lacking} yet, there are {len(entries)}"
