"""Texts of the pairs page: names of metrics and methods, and reasons for missing values."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from difflib import get_close_matches

from services.common.clock import from_datetime
from services.contracts.messages import Signal
from services.contracts.pairs import Pair
from services.contracts.symbol_forms import market_pair
from services.ui.api import downloads
from services.ui.api.types import WatchedPair
from services.ui.pages.pairs.marks import trades_late
from services.ui.pages.pairs.spans import A_DAY, ChartSpan
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import Props
from services.ui.state.pair_state import PAST, PAUSED
from services.ui.widgets.formatting import MINUS, moment, number, significant_decimals, zscore

_ISO = re.compile(r"\S+T\S+Z")
EVERY_SIGNAL = 1_000_000


def title(market: LiveState, pair: WatchedPair | None) -> str | None:
    """Return the z-score and its pair, None while it is not known."""
    seen = market.signals.get(pair.pair) if pair else None
    if pair is None or seen is None or seen.message.zscore is None or not market.connected or pair.paused:
        return None
    return f"{zscore(seen.message.zscore, pair.entry_z, pair.exit_z)} {seen.message.pair}"


def no_pair(market: LiveState, asked: str | None) -> str:
    """Return why there is nothing to show."""
    if market.pairs is None:
        return f"Waiting for the API. {market.error or ''}".strip()
    if not market.pairs:
        return "No pair is watched."
    if asked is None:
        return "Choose a pair"
    return f"{asked} is not watched here. {_nearest(asked, market.pairs)}"


def _nearest(asked: str, watched: Iterable[str]) -> str:
    names = list(watched)
    with suppress(ValueError):
        turned = str(Pair(*reversed(market_pair(asked))))
        if turned in names:
            return f"{turned} is: with the legs swapped it is another pair."
    if near := get_close_matches(asked.upper(), names, cutoff=0.7):
        return f"Did you mean {' or '.join(near)}?"
    return f"Watched pairs: {', '.join(names)}."


def state(market: LiveState, pair: WatchedPair, last: Signal | None, now: Now) -> str:
    """Return why the chart is incomplete, empty if nothing is wrong."""
    if pair.paused:
        return PAUSED
    seen = market.signals.get(pair.pair)
    newest = seen.message if seen else last
    if newest is None:
        return ""
    if newest.quality == "not_enough_data":
        return f"Not enough data: {newest.reason or f'{newest.samples} of {newest.window} samples'}"
    if not market.connected:
        return "Stale: the stream is lost, this is the last known."
    if newest.quality != "ok":
        return f"{newest.quality.capitalize()}: {newest.reason or 'no reason was given'}"
    if seen and market.age_s(seen, now) > pair.stale_after_s:
        return f"Stale: {PAST if market.is_filling else f'no signal for more than {pair.stale_after_s:g} s'}"
    return f"Unreliable: {pair.warning}." if pair.warning else ""


def labels(market: LiveState, pair: WatchedPair | None, span: ChartSpan, band: str, zone: str) -> Props:
    """Return the texts beside the names of the panes."""
    seen = market.signals.get(pair.pair) if pair else None
    signal = seen.message if seen else None
    closes = market.closes.get(pair.pair) if pair else None
    charted = closes[-1] if closes else signal
    bands = f"closed seconds; entry ±{pair.entry_z:g}, exit ±{pair.exit_z:g}" if pair else ""
    if pair and span.name == A_DAY:
        bands += ". Of each minute its lowest, highest and smallest z-score"
    said = {
        "y": pair.y if pair else "Y",
        "x": pair.x if pair else "X",
        "spread": _formula(pair, charted) if pair and charted else "",
        "zscore": bands,
        "hedge-ratio": "; ".join(filter(None, ["of the live window" if signal else "", band])),
        "correlation": f"of the legs' prices, window {signal.window}" if signal else "",
    }
    method = ""
    if pair and signal:
        prices = "log prices" if pair.transform == "log" else "prices"
        method = f"{method_name(signal.method)} on {prices}, window {signal.window}"
        method += f", {filled(signal.filled, zone)}" if signal.filled else ""
    return {
        "pair-title": {"children": pair.pair if pair else "Pair"},
        "pair-method": {"children": method},
        **{f"legend-{name}": {"children": text} for name, text in said.items()},
    }


def filled(text: str, zone: str) -> str:
    """Return what of a window was filled, with its times in a zone.

    >>> filled("ticks 2026-01-01T00:00:00Z to 2026-01-01T00:05:00Z", "Asia/Tokyo")
    'filled from ticks 2026-01-01 09:00:00 JST to 2026-01-01 09:05:00 JST'
    """
    local = _ISO.sub(lambda found: moment(from_datetime(datetime.fromisoformat(found[0])), zone), text)
    return f"filled from {local}"


def lateness(late: int, corrected: int) -> str:
    """Return how many trades of the pair came late, and how many seconds of the chart that has changed.

    >>> lateness(0, 0), lateness(3, 0), lateness(12, 1)
    ('', '3 trades came late', '12 trades came late, 1 second shown was corrected')
    """
    said = [trades_late(late)] if late else []
    if corrected:
        seconds = "1 second shown was" if corrected == 1 else f"{number(corrected, 0)} seconds shown were"
        said.append(f"{seconds} corrected")
    return ", ".join(said)


def method_name(method: str) -> str:
    """Return a method as people write it.

    >>> method_name("ols"), method_name("theil_sen")
    ('OLS', 'Theil-Sen')
    """
    known = {"theil_sen": "Theil-Sen", "huber": "Huber", "kalman": "Kalman", "ols_origin": "OLS through 0"}
    return known.get(method, method.upper())


def csv(pair: WatchedPair | None, since_us: int | None, zone: str) -> Props:
    """Return the link to every signal since the left end of the chart."""
    if pair is None or since_us is None:
        return {"pair-csv": {"href": "", "className": "download is-nothing"}}
    path = f"/v1/pairs/{pair.pair}/signals"
    return {
        "pair-csv": {
            "href": downloads.link(path, start=since_us, limit=EVERY_SIGNAL),
            "title": f"Every signal of {pair.pair} since {moment(since_us, zone)}",
            "className": "download",
        }
    }


def _formula(pair: WatchedPair, signal: Signal) -> str:
    if signal.hedge_ratio is None or signal.intercept is None:
        return ""
    ratio = number(abs(signal.hedge_ratio), significant_decimals(signal.hedge_ratio))
    intercept = number(signal.intercept, significant_decimals(signal.intercept))
    sign = "+" if signal.hedge_ratio >= 0 else MINUS
    return f"{pair.y} {MINUS} ({intercept} {sign} {ratio} × {pair.x})"
