"""Cards of live numbers: value, meaning, age and state."""

from dataclasses import dataclass
from typing import Literal

from services.contracts.messages import Signal, Tick
from services.ui.api.types import SymbolStats, WatchedPair
from services.ui.pages.pairs.annotations import Tone
from services.ui.pages.pairs.metrics import METRICS, Metric
from services.ui.state.live_state import LiveState, Now, Received
from services.ui.state.page_context import Props
from services.ui.state.pair_state import PAST, PAUSED
from services.ui.widgets.formatting import NONE, age, lag, number, quantity

LATE_MS = 1_000
LIVE = "live"
"""Age of a number of the second that is open; the chart has none of it."""

State = Literal["ok", "waiting", "collecting", "stale", "paused"]


@dataclass(frozen=True)
class Card:
    """Content of one card; ``progress`` from 0 to 1 while there is not enough data."""

    value: str = NONE
    note: str = ""
    age: str = ""
    state: State = "waiting"
    tone: Tone = ""
    progress: float | None = None
    reason: str = ""


def cards(market: LiveState, pair: WatchedPair | None, now: Now) -> Props:
    """Return the properties of all cards."""
    signal = market.signals.get(pair.pair) if pair else None
    shown: dict[str, Card] = {
        "y": _price(market, pair, pair.y if pair else None, now),
        "x": _price(market, pair, pair.x if pair else None, now),
        **{metric.name: _signal_card(metric, market, pair, signal, now) for metric in METRICS},
    }
    labels = {"y": pair.y if pair else "Y", "x": pair.x if pair else "X"}
    props: Props = {f"label-{leg}": {"children": label} for leg, label in labels.items()}
    for name, card in shown.items():
        props |= _props(name, card)
    return props


def _props(name: str, card: Card) -> Props:
    width = f"{100 * card.progress:.0f}%" if card.progress is not None else "0%"
    classes = f"card is-{card.state} of-{name} {card.tone}".strip()
    return {
        f"card-{name}": {"className": classes, "title": card.reason, "style": {"--progress": width}},
        f"metric-{name}": {"children": card.value},
        f"metric-{name}-note": {"children": card.note},
        f"metric-{name}-age": {"children": card.age},
    }


def _price(market: LiveState, pair: WatchedPair | None, symbol: str | None, now: Now) -> Card:
    seen = market.ticks.get(symbol) if symbol else None
    if pair is None or symbol is None or seen is None:
        return Card(note="waiting for a first trade")
    stats = market.symbols.get(symbol)
    note = _day(stats) if stats else ""
    stale, shown_age = _freshness(market, pair, seen, now)
    tone: Tone = ""
    if not stale:
        note, reason, tone = _delivered(market, symbol, note or "last trade")
    elif market.is_filling:
        note = reason = PAST
    else:
        note, reason = "stale, no trades", f"No trade of {symbol} for more than {pair.stale_after_s:g} s"
    return Card(
        value=number(seen.message.price, market.decimals.get(symbol, 2)),
        note=note,
        age=shown_age,
        state="stale" if stale else "ok",
        tone=tone,
        reason=reason,
    )


def _delivered(market: LiveState, symbol: str, note: str) -> tuple[str, str, Tone]:
    """Return the note, the title and the tone of a leg: how late it is delivered is in the note only if it is late."""
    known = (tape.delivery_now_ms for tape in market.tapes if tape.symbol == symbol)
    ms = next(known, None)
    if ms is None:
        return note, "", ""
    if ms <= LATE_MS:
        return note, f"{symbol}: delivered {lag(ms)} after the trade", ""
    late = f"delivered {lag(ms)} late"
    return f"{late}\n{note.splitlines()[0]}", f"{symbol}: {late}", "delayed"


def _day(stats: SymbolStats) -> str:
    traded = f"{quantity(stats.volume_24h)} traded in 24 h"
    if stats.change_24h_pct is None:
        return traded
    return f"{number(stats.change_24h_pct, 2, sign=True)} % in 24 h\n{traded}"


def _signal_card(
    metric: Metric, market: LiveState, pair: WatchedPair | None, seen: Received[Signal] | None, now: Now
) -> Card:
    if pair is None or (seen is None and not pair.paused):
        return Card(note="waiting for a first signal")
    if seen is None:
        return Card(note="paused", state="paused", reason=PAUSED)
    signal = seen.message
    stale, shown_age = _freshness(market, pair, seen, now)
    if pair.paused:
        value = metric.said(market, pair, signal).value
        return Card(value or NONE, "paused, last known", shown_age, "paused", reason=PAUSED)
    if signal.quality == "not_enough_data" and signal.samples < pair.min_samples:
        return Card(
            value=f"{signal.samples} / {pair.min_samples}",
            note=signal.reason or "samples so far",
            age=shown_age,
            state="collecting",
            progress=signal.samples / pair.min_samples,
            reason=f"{signal.samples} samples of {pair.min_samples} needed",
        )
    value, note, tone, explained = metric.said(market, pair, signal)
    if value is None:
        return Card(
            note=signal.reason or "not known", age=shown_age, state="stale", reason=signal.reason or ""
        )
    if stale or signal.quality not in ("ok", "not_enough_data"):
        quality = "stale" if stale else signal.quality
        silence = PAST if market.is_filling else f"No signal for more than {pair.stale_after_s:g} s"
        reason = signal.reason or (silence if quality == "stale" else "no reason was given")
        return Card(value, f"{quality}: {reason}", shown_age, "stale", "", None, reason)
    if not metric.share:
        return Card(value, note, shown_age, "ok", tone, reason=explained)
    shown_age = LIVE if not signal.closed and shown_age == age(0) else shown_age
    return Card(value, note, shown_age, "ok", tone, reason=f"{_source(signal)} {explained}".strip())


def _source(signal: Signal) -> str:
    """Return of which second a number is: the chart has closed ones alone."""
    if signal.closed:
        return "Of the last closed second, as the end of the chart."
    return "Live: of the second that is still open. The chart ends with the last closed second."


def _freshness(
    market: LiveState, pair: WatchedPair, seen: Received[Tick] | Received[Signal], now: Now
) -> tuple[bool, str]:
    seconds = market.age_s(seen, now)
    return not market.connected or seconds > pair.stale_after_s, age(seconds)
