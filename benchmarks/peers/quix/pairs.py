"""The computation of the peer on Quix Streams, without Quix: closed seconds, windows, z-scores of pairs."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from services.quant.correlation.rolling import correlation
from services.quant.estimators import registry
from services.quant.estimators.ols import Ols
from services.quant.fit import NotEnoughDataError

SECOND = 1_000_000
WINDOW, MIN_SAMPLES, STALE_AFTER_US = 300, 30, 10 * SECOND

Row = dict[str, Any]
Trade = tuple[int, float]


class Leg:
    """One symbol: the last trade of each second, until a later trade has ended it."""

    def __init__(self) -> None:
        self.open: Trade | None = None
        self.final_us = 0

    def add(self, event_us: int, price: float) -> Trade | None:
        """Take a trade, and return the last one of the second that it ends; late ones do not count."""
        second = event_us - event_us % SECOND
        if second < self.final_us:
            return None
        ended = self.open if second > self.final_us else None
        self.open, self.final_us = (event_us, price), second
        return ended


class Pair:
    """One pair: closed seconds of both legs, and the window that judges them."""

    def __init__(self, name: str, y: Leg, x: Leg) -> None:
        self.name = name
        self._legs = y, x
        self._seconds: tuple[dict[int, Trade], dict[int, Trade]] = {}, {}
        self._last: list[Trade | None] = [None, None]
        self._next_us = 0
        self._samples = 0
        estimator = registry.create("ols", WINDOW)
        assert isinstance(estimator, Ols)
        self._ols = estimator

    def ended(self, leg: Leg, trade: Trade) -> None:
        """Take the last trade of a second of a leg."""
        self._seconds[self._legs.index(leg)][trade[0] - trade[0] % SECOND] = trade

    def close(self) -> Iterable[Row]:
        """Yield what the seconds say that are over for both legs."""
        until_us = min(leg.final_us for leg in self._legs)
        if not self._next_us and until_us:
            self._next_us = min(min(seconds, default=until_us) for seconds in self._seconds)
        while self._next_us < until_us:
            for number, seconds in enumerate(self._seconds):
                self._last[number] = seconds.pop(self._next_us, self._last[number])
            self._next_us += SECOND
            y, x = self._last
            if y is not None and x is not None:
                yield self._judge(self._next_us, y, x)

    def _judge(self, end_us: int, y: Trade, x: Trade) -> Row:
        row: Row = {
            **{"pair": self.name, "event_us": end_us, "y_price": y[1], "x_price": x[1]},
            **{"hedge_ratio": None, "intercept": None, "method": "ols", "spread": None, "zscore": None},
            **{"correlation": None, "window": WINDOW, "samples": self._samples, "quality": "not_enough_data"},
        }
        if min(y[0], x[0]) < end_us - STALE_AFTER_US:
            return {**row, "quality": "stale", "reason": "a leg has not traded"}
        if self._samples < MIN_SAMPLES:
            row["reason"] = f"{self._samples} samples, {MIN_SAMPLES} needed"
        else:
            try:
                fit = self._ols.get()
                row |= {"zscore": fit.zscore(y[1], x[1]), "correlation": correlation(self._ols.moments.get())}
                row |= {"hedge_ratio": fit.hedge_ratio, "intercept": fit.intercept, "quality": "ok"}
                row["spread"] = fit.spread(y[1], x[1])
            except NotEnoughDataError as error:
                row["reason"] = str(error)
        self._ols.update(y[1], x[1])
        self._samples = min(self._samples + 1, WINDOW)
        return row


class Pairs:
    """All pairs by the symbols of their legs."""

    def __init__(self, names: Iterable[str]) -> None:
        self._legs: dict[str, Leg] = defaultdict(Leg)
        self._of: dict[str, list[Pair]] = defaultdict(list)
        for name in names:
            y, x = name.split("-")
            pair = Pair(name, self._legs[y], self._legs[x])
            self._of[y].append(pair)
            self._of[x].append(pair)

    def take(self, tick: Row) -> list[Row]:
        """Return the signals of the seconds that a tick closes."""
        symbol = tick["symbol"]
        if symbol not in self._of:
            return []
        leg = self._legs[symbol]
        ended = leg.add(tick["event_us"], tick["price"])
        if ended is None:
            return []
        closed: list[Row] = []
        for pair in self._of[symbol]:
            pair.ended(leg, ended)
            closed += pair.close()
        return closed


class Grouped:
    """Each pair for itself, as whoever has its partition of the second topic."""

    def __init__(self, names: Iterable[str]) -> None:
        self._of: dict[str, list[str]] = defaultdict(list)
        for name in names:
            for symbol in name.split("-"):
                self._of[symbol].append(name)
        self._pairs = {name: Pairs([name]) for name in names}

    def route(self, tick: Row) -> list[Row]:
        """Return a tick once for each pair it is a leg of, with what a pair needs of it."""
        kept = {"symbol": tick["symbol"], "event_us": tick["event_us"], "price": tick["price"]}
        return [{"pair": name, **kept} for name in self._of[tick["symbol"]]]

    def take(self, tick: Row) -> list[Row]:
        """Return the signals of the seconds of its pair that a tick closes."""
        return self._pairs[tick["pair"]].take(tick)
