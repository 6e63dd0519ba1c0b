"""Ticks, signals and alerts as tests need them: a test names what matters to it, and the rest is usual."""

from services.contracts.messages import Alert, AlertState, Quality, Signal, Tick

PAIR = "ETHUSDT-BTCUSDT"


def tick(
    trade_id: int = 1,
    event_us: int = 0,
    symbol: str = "BTCUSDT",
    *,
    venue: str = "binance",
    received_us: int | None = None,
    price: float = 1.0,
    size: float = 1.0,
    buyer_is_maker: bool = False,
    repaired: bool = False,
) -> Tick:
    """Return a trade, received when it happened unless `received_us` says otherwise."""
    return Tick(
        venue=venue,
        symbol=symbol,
        trade_id=trade_id,
        event_us=event_us,
        received_us=event_us if received_us is None else received_us,
        price=price,
        size=size,
        buyer_is_maker=buyer_is_maker,
        repaired=repaired,
    )


def signal(
    event_us: int = 0,
    pair: str = PAIR,
    *,
    y_price: float = 3.0,
    x_price: float = 2.0,
    hedge_ratio: float | None = None,
    intercept: float | None = None,
    spread: float | None = None,
    zscore: float | None = None,
    window: int = 300,
    samples: int = 300,
    quality: Quality = "ok",
    reason: str | None = None,
    closed: bool = True,
    revision: int = 0,
) -> Signal:
    """Return the state of a pair in a second, of which nothing is computed unless it is given."""
    return Signal(
        pair=pair,
        event_us=event_us,
        y_price=y_price,
        x_price=x_price,
        hedge_ratio=hedge_ratio,
        intercept=intercept,
        method="ols",
        spread=spread,
        zscore=zscore,
        correlation=None,
        window=window,
        samples=samples,
        quality=quality,
        reason=reason,
        closed=closed,
        revision=revision,
    )


def alert(
    alert_id: str = "a",
    event_us: int = 0,
    pair: str = PAIR,
    *,
    rule_id: str = "zscore-entry",
    state: AlertState = "firing",
    value: float = 2.5,
    threshold: float = 2.0,
    message: str = "z-score above 2",
) -> Alert:
    """Return a transition of a rule on a pair."""
    return Alert(
        alert_id=alert_id,
        rule_id=rule_id,
        pair=pair,
        event_us=event_us,
        state=state,
        value=value,
        threshold=threshold,
        message=message,
    )
