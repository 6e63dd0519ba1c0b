"""Answers of the API: generated from its schemas by ``make schemas``, not to be edited.

Unknown fields are ignored, and what may be null may be absent. Times have no ISO twin here.
"""

from typing import Generic, Literal, TypeVar

from msgspec import Struct

from services.contracts.messages import Signal, Tick

T = TypeVar("T")


class Bar(Struct, frozen=True, kw_only=True):
    """The trades of one interval; intervals without a trade have no bar."""

    start_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None = None
    quote_volume: float | None = None
    vwap: float | None = None
    trade_count: int | None = None
    closed: bool
    coverage: float
    carried: bool


class Listing(Struct, Generic[T], frozen=True, kw_only=True):
    """A page of records."""

    feed: Literal["live", "replay", "synthetic"] | None = None
    data: tuple[T, ...]
    next_cursor: str | None = None


class SymbolStats(Struct, frozen=True, kw_only=True):
    """A symbol's last trade and the 24 hours before it, in whole minutes."""

    symbol: str
    collected: bool
    state: Literal["filling", "live", "pre-trading", "halted", "delivered", "delisted"] | None = None
    state_reason: str | None = None
    last_price: float | None = None
    last_event_us: int | None = None
    age_s: float | None = None
    delivery_now_ms: int | None = None
    delivery_p50_ms: int | None = None
    delivery_p99_ms: int | None = None
    volume_24h: float
    trades_24h: int
    tick_rate: float
    change_24h_pct: float | None = None
    first_event_us: int | None = None


class ListedSymbol(Struct, frozen=True, kw_only=True):
    """A symbol as its venue lists it, collected or not."""

    symbol: str
    venue: str
    status: Literal["trading", "pre-trading", "halted", "delivered", "delisted"]
    venue_status: str | None = None
    base: str | None = None
    quote: str | None = None
    contract_type: str | None = None
    tick_size: float | None = None
    size_step: float | None = None
    onboard_us: int | None = None
    delivery_us: int | None = None
    state: Literal["filling", "live", "pre-trading", "halted", "delivered", "delisted"] | None = None
    state_reason: str | None = None


class WatchedPair(Struct, frozen=True, kw_only=True):
    """A pair and how it is measured."""

    pair: str
    y: str
    x: str
    window: int
    method: Literal["ols", "ols_origin", "tls", "huber", "theil_sen", "rls", "kalman", "ewma"]
    transform: Literal["price", "log"]
    intercept: bool
    min_samples: int
    entry_z: float
    exit_z: float
    stale_after_s: float
    paused: bool
    only_while_reverting: bool
    warning: str | None = None
    last_signal: Signal | None = None


class Gap(Struct, frozen=True, kw_only=True):
    """A run of trade ids that the stream jumped over, and what became of it."""

    symbol: str
    first_id: int
    last_id: int
    venue: str
    start_us: int
    end_us: int
    found_us: int
    updated_us: int
    state: Literal["found", "unrepaired", "refuted", "repaired"]
    missing: int
    reason: str | None = None


class HandledAlert(Struct, frozen=True, kw_only=True):
    """One transition of one rule on one subject."""

    alert_id: str
    rule_id: str
    pair: str | None = None
    event_us: int
    state: Literal["firing", "resolved", "retracted", "pending", "recovering", "no_data", "error", "ended"]
    value: float | None = None
    threshold: float | None = None
    message: str
    y_age_s: float | None = None
    x_age_s: float | None = None
    retracts: str | None = None
    reversion: Literal["reverting", "unproven", "broken"] | None = None
    rule: str
    metric: str
    subject: str
    severity: Literal["info", "warning", "critical"]
    labels: dict[str, str]
    values: dict[str, float]
    incident_id: str
    duration_s: float | None = None
    valid_until_us: int | None = None
    retracted_by: str | None = None
    acked_us: int | None = None
    acked_by: str | None = None
    snoozed_until_us: int | None = None


class Incident(Struct, frozen=True, kw_only=True):
    """One incident of one rule on one subject: the alert that opened it, and how long it has lasted."""

    alert_id: str
    rule_id: str
    pair: str | None = None
    event_us: int
    value: float | None = None
    threshold: float | None = None
    message: str
    y_age_s: float | None = None
    x_age_s: float | None = None
    reversion: Literal["reverting", "unproven", "broken"] | None = None
    rule: str
    metric: str
    subject: str
    severity: Literal["info", "warning", "critical"]
    labels: dict[str, str]
    values: dict[str, float]
    incident_id: str
    valid_until_us: int | None = None
    state: Literal["firing", "no_data", "error", "resolved", "ended", "retracted"]
    end_us: int | None = None
    duration_s: float | None = None
    ended_by: str | None = None
    peak: float | None = None
    retracted_by: str | None = None
    acked_us: int | None = None
    acked_by: str | None = None
    snoozed_until_us: int | None = None
    false_us: int | None = None
    false_by: str | None = None
    note: str


class Filling(Struct, frozen=True, kw_only=True):
    """Progress through the history that a feed plays at its start."""

    done_s: float
    total_s: float


class ProcessHealth(Struct, frozen=True, kw_only=True):
    """One process of a service. It is listed until it ends, is replaced by another, or was silent for 10 minutes."""

    healthy: bool | None = None
    age_s: float | None = None
    version: str | None = None
    detail: str | None = None
    lag_messages: int | None = None
    lag_seconds: float | None = None
    counters: dict[str, int]
    lost: dict[str, int]
    filling: Filling | None = None
    instance: str | None = None
    state: Literal["catching up", "silent", "starting", "running", "degraded", "finished", "stopping"]
    said: Literal["starting", "running", "degraded", "finished", "stopping"]


class ServiceHealth(Struct, frozen=True, kw_only=True):
    """Health of a service: the worst state and age of its processes, the sum of their counters."""

    healthy: bool | None = None
    age_s: float | None = None
    version: str | None = None
    detail: str | None = None
    lag_messages: int | None = None
    lag_seconds: float | None = None
    counters: dict[str, int]
    lost: dict[str, int]
    filling: Filling | None = None
    service: str
    state: Literal["unknown", "catching up", "silent", "stopped", "starting", "running", "degraded", "finished", "stopping"]
    unacknowledged: dict[str, int]
    instances: tuple[ProcessHealth, ...]


class SymbolTape(Struct, frozen=True, kw_only=True):
    """A symbol's last trade, how late its trades are delivered, and how complete its tape is."""

    symbol: str
    collected: bool
    state: Literal["filling", "live", "pre-trading", "halted", "delivered", "delisted"] | None = None
    state_reason: str | None = None
    last_price: float | None = None
    last_event_us: int | None = None
    age_s: float | None = None
    delivery_now_ms: int | None = None
    delivery_p50_ms: int | None = None
    delivery_p99_ms: int | None = None
    coverage_1h: float | None = None
    coverage_24h: float | None = None
    open_gaps: int
    stale: tuple[str, ...]
    coverage_reason: str | None = None


class Status(Struct, frozen=True, kw_only=True):
    """The health of the whole pipeline."""

    feed: Literal["live", "replay", "synthetic"] | None = None
    version: str
    now_us: int
    services: tuple[ServiceHealth, ...]
    left_out: int
    symbols: tuple[SymbolTape, ...]


class RadarEvent(Struct, frozen=True, kw_only=True):
    """A pair that a radar has confirmed, or confirms no longer."""

    event_id: str
    radar: str
    kind: Literal["confirmed", "ended"]
    pair: str
    at_us: int
    confirmed_us: int
    p_value: float
    hedge_ratio: float | None = None
    half_life_bars: float | None = None
    spread_bp: float | None = None
    reason: str | None = None


class Snapshot(Struct, frozen=True, kw_only=True, tag="snapshot"):
    """The present: of each pair the newest closed signal and the latest since; the last alerts and events of radars."""

    id: str
    feed: Literal["live", "replay", "synthetic"] | None = None
    ticks: tuple[Tick, ...] = ()
    signals: tuple[Signal, ...] = ()
    alerts: tuple[HandledAlert, ...] = ()
    radar: tuple[RadarEvent, ...] = ()
    status: Status | None = None
    degraded: tuple[str, ...] | None = None
    scope: Literal["all", "added"]
    resumed: bool | None = None


class Update(Struct, frozen=True, kw_only=True, tag="update"):
    """Updates since the message before."""

    id: str
    feed: Literal["live", "replay", "synthetic"] | None = None
    ticks: tuple[Tick, ...] = ()
    signals: tuple[Signal, ...] = ()
    alerts: tuple[HandledAlert, ...] = ()
    radar: tuple[RadarEvent, ...] = ()
    status: Status | None = None
    degraded: tuple[str, ...] | None = None
    resumed: bool | None = None


class Ack(Struct, frozen=True, kw_only=True, tag="ack"):
    """Acknowledgement of a changed subscription; a snapshot of the scope `added` follows."""

    request_id: str | int | None = None
    op: Literal["subscribe", "unsubscribe", "set"]
    topics: tuple[Literal["ticks", "signals", "alerts", "radar", "status"], ...]
    symbols: tuple[str, ...]
    pairs: tuple[str, ...]
    interval_ms: int


class Verdict(Struct, frozen=True, kw_only=True):
    """Verdict on the pair, with its reasons."""

    conclusion: Literal["cointegrated", "broken", "unstable", "one_way", "not_cointegrated", "not_enough_data"]
    text: str
    notes: tuple[str, ...]


class Regression(Struct, frozen=True, kw_only=True):
    """y = intercept + hedge_ratio * x, both legs transformed, over the whole range."""

    hedge_ratio: float
    hedge_ratio_se: float | None = None
    low: float | None = None
    high: float | None = None
    level: float
    hac_se: float | None = None
    hac_low: float | None = None
    hac_high: float | None = None
    hac_lags: int | None = None
    intercept: float
    intercept_se: float | None = None
    scale: float
    r_squared: float | None = None
    r_squared_samples: int
    samples: int


class Statistic(Struct, frozen=True, kw_only=True):
    """A test of the residuals: a small p-value rejects that there is nothing to find."""

    statistic: float
    p_value: float


class Diagnostics(Struct, frozen=True, kw_only=True):
    """Diagnostics of the spread of the whole range."""

    durbin_watson: float
    ljung_box: Statistic
    arch: Statistic
    lags: int
    jarque_bera: Statistic
    skew: float
    kurtosis: float


class UnitRoot(Struct, frozen=True, kw_only=True):
    """A test that rejects a unit root (ADF) or no cointegration (Engle-Granger) below its critical values."""

    statistic: float
    p_value: float
    lags: int
    samples: int
    critical_values: dict[str, float] | None = None


class GregoryHansen(Struct, frozen=True, kw_only=True):
    """A test of no cointegration that allows the line one break: it rejects below its critical values."""

    statistic: float
    lags: int
    samples: int
    critical_values: dict[str, float]
    at_us: int


class StructuralBreak(Struct, frozen=True, kw_only=True):
    """The likeliest date of a break of the line, and whether there is one: where two lines leave the least squares."""

    test: Literal["sup_wald", "exp_wald"]
    statistic: float
    critical_value: float
    found: bool
    at_us: int
    hedge_ratio_before: float
    intercept_before: float
    hedge_ratio_after: float
    intercept_after: float


class Edge(Struct, frozen=True, kw_only=True):
    """The first or last bars that are farthest from the line of all others: 5, 10 or 15 % of the range."""

    statistic: float
    critical_value: float
    found: bool
    bars: int
    first_us: int
    last_us: int


class Slope(Struct, frozen=True, kw_only=True):
    """The hedge ratio of a third of the range."""

    first_us: int
    bars: int
    hedge_ratio: float
    hac_se: float


class Thirds(Struct, frozen=True, kw_only=True):
    """A line for each third of the range, against one for all of it."""

    statistic: float
    critical_value: float
    found: bool
    slopes: tuple[Slope, ...]


class Cusum(Struct, frozen=True, kw_only=True):
    """The sum of residuals so far, where it was greatest: is the spread as often above as below 0 all along?"""

    statistic: float
    critical_values: dict[str, float]
    lags: int
    at_us: int


class VarianceRatio(Struct, frozen=True, kw_only=True):
    """Variance of the second half of the range over that of the first."""

    ratio: float
    p_value: float


class Innovations(Struct, frozen=True, kw_only=True):
    """Innovations: what an autoregression of the spread did not predict."""

    variance_ratio: VarianceRatio
    arch: Statistic
    lags: int
    persistence: float


class HalfLife(Struct, frozen=True, kw_only=True):
    """Half-life of the spread, by an autoregression of order 1."""

    samples: float | None = None
    seconds: float | None = None
    corrected: float | None = None
    low: float | None = None
    high: float | None = None
    coefficient: float
    standard_error: float
    reason: str | None = None


class Hurst(Struct, frozen=True, kw_only=True):
    """Half the slope of log mean squared move against log time."""

    exponent: float
    standard_error: float
    longest: int


class Point(Struct, frozen=True, kw_only=True):
    """One bar that both legs have."""

    start_us: int
    y_price: float
    x_price: float
    hedge_ratio: float | None = None
    intercept: float | None = None
    spread: float | None = None
    zscore: float | None = None
    correlation: float | None = None
    sample_spread: float | None = None
    sample_zscore: float | None = None
    structural_break: bool


class Analysis(Struct, frozen=True, kw_only=True):
    """Analysis of a pair over a range; a part that is null has its reason in `not_enough_data`."""

    feed: Literal["live", "replay", "synthetic"] | None = None
    dataset: str | None = None
    pair: str
    y: str
    x: str
    bar_s: float
    method: Literal["ols", "ols_origin", "tls", "huber", "theil_sen", "rls", "kalman", "ewma"]
    transform: Literal["price", "log"]
    window: int
    min_samples: int
    refit_every: int
    trend: Literal["n", "c", "ct", "ctt"]
    lags: int | Literal["aic", "bic"]
    first_us: int | None = None
    last_us: int | None = None
    bars: int
    bars_y: int
    bars_x: int
    breaks: int
    carried: Literal["keep", "drop"]
    carried_y: int | None = None
    carried_share_y: float | None = None
    carried_x: int | None = None
    carried_share_x: float | None = None
    bars_available: int | None = None
    cut: str | None = None
    data_every: int
    verdict: Verdict
    not_enough_data: dict[str, str]
    regression: Regression | None = None
    diagnostics: Diagnostics | None = None
    adf_y: UnitRoot | None = None
    adf_x: UnitRoot | None = None
    adf_spread: UnitRoot | None = None
    engle_granger_y_on_x: UnitRoot | None = None
    engle_granger_x_on_y: UnitRoot | None = None
    gregory_hansen_y_on_x: GregoryHansen | None = None
    gregory_hansen_x_on_y: GregoryHansen | None = None
    structural_break: StructuralBreak | None = None
    edge: Edge | None = None
    thirds: Thirds | None = None
    cusum: Cusum | None = None
    innovations: Innovations | None = None
    returns_correlation: float | None = None
    price_correlation: float | None = None
    half_life: HalfLife | None = None
    hurst: Hurst | None = None
    data: tuple[Point, ...]


class Moments(Struct, frozen=True, kw_only=True):
    """Mean and deviation of the z-scores."""

    mean: float
    deviation: float


class HitRate(Struct, frozen=True, kw_only=True):
    """Hit rate of entries."""

    entries: int
    hits: int
    stopped: int
    expired: int
    unresolved: int
    rate: float
    low: float
    high: float


class Bin(Struct, frozen=True, kw_only=True):
    """Number of z-scores in a range of values."""

    low: float | None = None
    high: float | None = None
    count: int
    share: float
    density: float | None = None
    normal: float | None = None


class Quantile(Struct, frozen=True, kw_only=True):
    """One z-score beside the quantile of the standard normal for its place."""

    order: int
    normal: float
    zscore: float


class Lag(Struct, frozen=True, kw_only=True):
    """The autocorrelation of the spread at one lag."""

    lag_s: int
    acf: float
    bound: float


class Level(Struct, frozen=True, kw_only=True):
    """Share of time in which the z-score was at a level or beyond, on either side."""

    level: float
    seconds: int
    share: float
    normal: float


class Wait(Struct, frozen=True, kw_only=True):
    """Number of entries that came back within a time."""

    seconds: float
    entries: int
    share: float


class Entry(Struct, frozen=True, kw_only=True):
    """A z-score that entered beyond the band, by the rule of the alerts, and what became of it."""

    entry_us: int
    zscore: float
    reverting: bool
    worst: float
    exit_us: int | None = None
    seconds: float | None = None
    outcome: Literal["hit", "stopped", "expired", "unresolved"]


class Calibration(Struct, frozen=True, kw_only=True):
    """Calibration of a past z-score; a part that is null or empty has its reason in `not_enough_data`."""

    feed: Literal["live", "replay", "synthetic"] | None = None
    pair: str
    window: int
    entry_z: float
    exit_z: float
    only_while_reverting: bool
    stop_z: float
    windows: int
    within_s: int
    first_us: int | None = None
    last_us: int | None = None
    signals: int
    known: int
    stale: int
    collecting: int
    without_zscore: int
    fits: int
    moments: Moments | None = None
    hit_rate: HitRate | None = None
    not_enough_data: dict[str, str]
    histogram: tuple[Bin, ...]
    qq: tuple[Quantile, ...]
    acf: tuple[Lag, ...]
    beyond: tuple[Level, ...]
    waits: tuple[Wait, ...]
    entries: tuple[Entry, ...]


class Arithmetic(Struct, frozen=True, kw_only=True):
    """From the window to the z-score; `y`, `x` and what follows are of logarithms if `transform` says so."""

    transform: Literal["price", "log"]
    samples: int
    y: float
    x: float
    hedge_ratio: float | None = None
    intercept: float | None = None
    predicted: float | None = None
    spread: float | None = None
    scale: float | None = None
    zscore: float | None = None
    reason: str | None = None


class WindowSample(Struct, frozen=True, kw_only=True):
    """One sample of a window, or the second that is judged by it."""

    event_us: int
    y_price: float
    x_price: float
    in_window: bool


class SignalWork(Struct, frozen=True, kw_only=True):
    """The numbers of one closed second: their inputs, the arithmetic, and a program that repeats it."""

    feed: Literal["live", "replay", "synthetic"] | None = None
    pair: str
    event_us: int
    method: str
    window: int
    zscore: float | None = None
    spread: float | None = None
    hedge_ratio: float | None = None
    reason: str | None = None
    filled: str | None = None
    arithmetic: Arithmetic
    agrees: bool
    is_whole: bool
    python: str
    data: tuple[WindowSample, ...]


class RuleStatistics(Struct, frozen=True, kw_only=True):
    """What a rule's incidents were worth, of those that began in a period."""

    rule: str
    start_us: int
    end_us: int
    fired: int
    open: int
    median_s: float | None = None
    longest_s: float | None = None
    flaps: int
    acknowledged: int
    marked_false: int
    retracted: int
    last_us: int | None = None
    truncated: bool


class TriedIncident(Struct, frozen=True, kw_only=True):
    """A time at which the rule would have fired."""

    state: str
    start_us: int
    end_us: int | None = None
    duration_s: float | None = None
    value: float | None = None
    ended: str | None = None


class HeldBack(Struct, frozen=True, kw_only=True):
    """Why a rule did not fire at a moment."""

    event_us: int
    state: str
    values: dict[str, float]
    held_back: str | None = None


class TriedSeries(Struct, frozen=True, kw_only=True):
    """What the first condition compared, second by second, as columns of the same length."""

    event_us: tuple[int, ...]
    value: tuple[float | None, ...]


class PairTrial(Struct, frozen=True, kw_only=True):
    """What would have become of a rule on one pair."""

    pair: str
    signals: int
    fired: int
    firing_s: float
    median_s: float | None = None
    incidents: tuple[TriedIncident, ...]
    explanation: HeldBack | None = None
    message: str | None = None
    series: TriedSeries | None = None


class RuleTrial(Struct, frozen=True, kw_only=True):
    """What would have become of a rule: the same code over stored signals."""

    fired: int
    pairs: tuple[PairTrial, ...]
    truncated: bool
    warnings: tuple[str, ...]


class AlertDelivery(Struct, frozen=True, kw_only=True):
    """What became of one alert at one target: delivered, or why not."""

    target: str
    state: Literal["waiting", "failed", "delivered", "dead", "skipped", "held", "unmatched", "unknown"]
    why: str
    delivery_id: str | None = None
    kind: Literal["begun", "ended", "again", "escalated", "silence_over", "test"] | None = None
    status: int | None = None
    tries: int
    next_us: int | None = None
    ended_us: int | None = None


class Delivery(Struct, frozen=True, kw_only=True):
    """A delivery: of which alerts, to which target, and what became of it."""

    delivery_id: str
    target: str
    kind: Literal["begun", "ended", "again", "escalated", "silence_over", "test"]
    alert_ids: tuple[str, ...]
    title: str
    made_us: int
    state: Literal["waiting", "failed", "delivered", "dead", "skipped"]
    reason: str | None = None
    status: int | None = None
    tries: int
    next_us: int | None = None
    tried_us: int | None = None
    ended_us: int | None = None
    took_ms: int | None = None


class Target(Struct, frozen=True, kw_only=True):
    """A target as it is; a field that was left out has its default, and what is secret is not told."""

    matchers: dict[str, str]
    least_severity: Literal["info", "warning", "critical"]
    ends: bool
    id: str
    name: str
    kind: Literal["webhook", "slack", "mail", "apprise"]
    to: tuple[str, ...]
    group_by: tuple[str, ...]
    group_wait_s: float | None = None
    per_minute: int | None = None
    paused: bool
    url: str | None = None
    rotating: bool
    state: Literal["ready", "failing", "paused", "disabled"]
    reason: str | None = None
    made_us: int
    changed_us: int
    failing_us: int | None = None
    blocked_until_us: int | None = None
    delivered_us: int | None = None
    waiting: int


class SymbolPart(Struct, frozen=True, kw_only=True):
    """Bars of one symbol in a dataset."""

    symbol: str
    bars: int
    first_us: int
    last_us: int
    gaps: int
    missing: int
    carried: int | None = None
    carried_share: float | None = None


class FileReading(Struct, frozen=True, kw_only=True):
    """File and its recognised dialect; null where that was not stored."""

    name: str
    delimiter: str | None = None
    decimal: str | None = None
    header_line: int | None = None
    columns: dict[str, str] | None = None
    time: str | None = None
    zone: str | None = None
    symbol: str | None = None
    close_only: bool | None = None
    thousands: str | None = None
    notes: tuple[str, ...] | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """Something in a file that is not as it should be."""

    kind: Literal["rejected", "skipped", "adjusted", "out of order", "repeated", "odd", "gap", "carried"]
    file: str | None = None
    line: int | None = None
    reason: str


class DatasetDetail(Struct, frozen=True, kw_only=True):
    """A dataset, its symbols, how its files were read, and the first findings in them."""

    dataset_id: str
    name: str
    width_s: float
    bars: int
    first_us: int
    last_us: int
    symbol_count: int
    gaps: int
    missing: int
    carried: int | None = None
    carried_share: float | None = None
    rejected: int
    skipped: int
    adjusted: int
    odd: int
    repeated: int
    out_of_order: int
    uploaded_us: int
    symbols: tuple[SymbolPart, ...]
    files: tuple[FileReading, ...]
    findings: tuple[Finding, ...]


class PreviewBar(Struct, frozen=True, kw_only=True):
    """A bar as it would be stored."""

    line: int
    symbol: str
    start_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None = None


class Preview(Struct, frozen=True, kw_only=True):
    """Preview of a dataset from its files; nothing is stored."""

    files: tuple[FileReading, ...]
    symbols: tuple[str, ...]
    width_s: float | None = None
    lines: int
    complete: bool
    rejected: int
    skipped: int
    adjusted: int
    out_of_order: int
    bars: tuple[PreviewBar, ...]
    findings: tuple[Finding, ...]


class Dataset(Struct, frozen=True, kw_only=True):
    """A dataset in short."""

    dataset_id: str
    name: str
    width_s: float
    bars: int
    first_us: int
    last_us: int
    symbol_count: int
    gaps: int
    missing: int
    carried: int | None = None
    carried_share: float | None = None
    rejected: int
    skipped: int
    adjusted: int
    odd: int
    repeated: int
    out_of_order: int
    uploaded_us: int


class ScanSummary(Struct, frozen=True, kw_only=True):
    """Result of a scan in short: the range, who took part, and the funnel."""

    symbols: tuple[str, ...]
    left_out: dict[str, str]
    first_us: int
    last_us: int
    bar_s: float
    bars: int
    held_out_bars: int
    asked_bars: int | None = None
    carried: int
    tried: int
    significant: int
    corrected: int
    confirmed: int
    refused: int
    seconds: float


class Radar(Struct, frozen=True, kw_only=True):
    """Radar, and what its last scan found in short."""

    radar_id: str
    request: dict[str, object]
    every_s: int
    paused: bool
    state: Literal["waiting", "watching", "unfit"]
    reason: str | None = None
    job_id: str | None = None
    scanned_us: int | None = None
    next_us: int
    confirmed: int
    summary: ScanSummary | None = None


class Confirmation(Struct, frozen=True, kw_only=True):
    """Time for which a radar has confirmed a pair; null ends are open."""

    radar_id: str
    pair: str
    y: str
    x: str
    leg_a: str
    leg_b: str
    confirmed_us: int
    last_confirmed_us: int
    ended_us: int | None = None
    end_reason: str | None = None
    scans: int
    missed: int
    p_value: float
    hedge_ratio: float | None = None
    half_life_bars: float | None = None
    spread_bp: float | None = None


class ScanPair(Struct, frozen=True, kw_only=True):
    """Two symbols, Y on X the way round that has the smaller p-value. Null is what was not tested or has no number."""

    rank: int
    y: str
    x: str
    stage: Literal["refused", "tried", "significant", "corrected", "confirmed"]
    p_value: float | None = None
    adjusted_p_value: float | None = None
    held_out_p_value: float | None = None
    trace_statistic: float | None = None
    trace_critical_value: float | None = None
    break_statistic: float | None = None
    break_critical_value: float | None = None
    break_us: int | None = None
    hedge_ratio: float | None = None
    hedge_ratio_se: float | None = None
    r_squared: float | None = None
    half_life_bars: float | None = None
    half_life_corrected_bars: float | None = None
    half_life_low_bars: float | None = None
    half_life_high_bars: float | None = None
    zero_crossings: int | None = None
    spread_bp: float | None = None
    level_correlation: float | None = None
    return_correlation: float | None = None
    reason: str | None = None
    spread: tuple[float, ...] | None = None


class Scan(Struct, frozen=True, kw_only=True):
    """Scan: the job, and what it found in short."""

    job_id: str
    kind: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    asked_us: int
    started_us: int | None = None
    ended_us: int | None = None
    progress: float
    step: str | None = None
    estimate_s: float
    remaining_s: float | None = None
    attempts: int
    reason: str | None = None
    request: dict[str, object]
    summary: ScanSummary | None = None


class ScanPairs(Struct, frozen=True, kw_only=True):
    """Pairs of a scan, the least p-value first, with the scan."""

    feed: Literal["live", "replay", "synthetic"] | None = None
    data: tuple[ScanPair, ...]
    next_cursor: str | None = None
    scan: Scan


class ScanMatrix(Struct, frozen=True, kw_only=True):
    """Matrix of a scan, symbols in clustered order; null where there is no number."""

    job_id: str
    of: str
    symbols: tuple[str, ...]
    cells: tuple[tuple[float | None, ...], ...]


class ZscoreLine(Struct, frozen=True, kw_only=True):
    """The z-scores of a pair in steps of the same length, to be drawn small."""

    pair: str
    end_us: int
    step_s: float
    zscores: tuple[float | None, ...]
