"""The message of an alert: which rule says it, of what, and the numbers that caused it. All messages: ``messages``."""

from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from services.contracts.fields import Id, Microseconds, Name, PairName
from services.contracts.metrics import METRICS
from services.contracts.pairs import is_pair
from services.contracts.signals import Reversion

AlertState = Literal["firing", "resolved", "retracted", "pending", "recovering", "no_data", "error", "ended"]
OPENING: tuple[AlertState, ...] = ("firing", "no_data", "error")
"""States that begin an incident; `resolved`, `ended` and a retraction end it."""
Severity = Literal["info", "warning", "critical"]

DEFAULT_RULE = "zscore-threshold"
"""The rule that every pair has: its z-score reaches the entry level, and comes back to the exit level."""
DEFAULT_RULE_ID = "zscore"
"""The same in ``rule_id``, in alert ids, and for whoever asks for alerts of that rule by its old name."""
ZSCORE = "zscore"
"""Metric of the default rule."""

_MOST_ENTRIES = 64
_EXAMPLE_ID = "zscore:ETHUSDT-BTCUSDT:1767225600000000:firing"
LegAge = Annotated[
    Annotated[float, Meta(ge=0)] | None,
    Meta(description="How old the price of this leg was, in seconds, if known.", examples=[0.2]),
]


def rule_named(name: str) -> str:
    """Return the rule of that name, be it the old one.

    >>> rule_named("zscore"), rule_named("btc-moves")
    ('zscore-threshold', 'btc-moves')
    """
    return DEFAULT_RULE if name == DEFAULT_RULE_ID else name


def _is_of_pair(metric: str, subject: str) -> bool:
    """Tell whether a subject is a pair: by the metric, since a symbol with a hyphen looks like one."""
    return is_pair(subject) and (metric not in METRICS or METRICS[metric].subject == "pair")


class Alert(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One transition of one ``rule`` on one ``subject``; topic ``alerts``, key: subject. ``alert_id`` is deterministic.

    The subject is a pair, a symbol or a service; ``pair`` is there if the alert has to do with one. ``metric`` names
    what the rule measures, and ``values`` has the numbers that caused the alert, what was measured by the metric's
    name; ``labels`` is what the rule says of itself. The rule of every pair, ``zscore-threshold``, measures ``zscore``
    and names its levels ``entry`` and ``exit``. A message from before has no rule but a ``rule_id``, now the rule's old
    name, and is of a z-score and a pair.

    ``value`` and ``threshold`` are what was measured and what it crossed, of a rule that compares two numbers.
    ``y_age_s`` and ``x_age_s`` say how old the price of each leg was (s). A transition that does not hold once late
    trades are known is followed by one whose state is ``retracted``, of the same time, with its id in ``retracts``:
    what holds now is the latest transition of a rule and subject that was not retracted. One that fires when its pair
    is removed, paused, or measured another way is followed by one whose state is ``ended``, without numbers; its id is
    that of the alert that fired and ``:ended``. ``reversion`` is that of the
    signal: whether the spread is seen to come back at all.
    """

    alert_id: Annotated[
        Id, Meta(description="The same however often the transition is found.", examples=[_EXAMPLE_ID])
    ]
    rule_id: Annotated[Id, Meta(description="The old name of `rule`.", examples=["zscore"])] = ""
    pair: Annotated[
        PairName | None,
        Meta(description="The pair that it has to do with; null if with none.", examples=["ETHUSDT-BTCUSDT"]),
    ] = None
    event_us: Microseconds
    state: Annotated[
        AlertState,
        Meta(
            description="What the rule says from now on. `no_data` and `error`: it cannot say, and was told to alert "
            "then. `ended`: the rule or its subject is no more, or measured otherwise. `pending` and `recovering`: of "
            "rules that tell their steps. `retracted`: late trades have changed the second, and an earlier alert does "
            "not hold."
        ),
    ]
    value: Annotated[
        float | None,
        Meta(description="What was measured; null unless the rule compares two numbers.", examples=[2.31]),
    ] = None
    threshold: Annotated[
        float | None, Meta(description="What it crossed; null likewise.", examples=[2.0])
    ] = None
    message: Annotated[str, Meta(description="The same in words.", examples=["z-score above 2"])]
    y_age_s: LegAge = None
    x_age_s: LegAge = None
    retracts: Annotated[
        Id | None,
        Meta(
            description="Of one that is `retracted`: the id of the alert that does not hold.",
            examples=[_EXAMPLE_ID],
        ),
    ] = None
    reversion: Reversion = None
    rule: Annotated[
        Id,
        Meta(
            description="The rule; `zscore-threshold` is the one that every pair has.",
            examples=["zscore-threshold"],
        ),
    ] = ""
    metric: Annotated[
        Name,
        Meta(
            description="What the rule measures: the name of what was measured in `values`.",
            examples=["zscore"],
        ),
    ] = ""
    subject: Annotated[
        Id,
        Meta(description="What it is of: a pair, a symbol or a service.", examples=["ETHUSDT-BTCUSDT"]),
    ] = ""
    severity: Annotated[Severity, Meta(description="How bad it is.", examples=["warning"])] = "warning"
    labels: Annotated[
        dict[Name, Id],
        Meta(
            max_length=_MOST_ENTRIES,
            description="What the rule says of itself; as CSV and Parquet JSON.",
            examples=[{"desk": "fx"}],
        ),
    ] = {}
    values: Annotated[
        dict[Name, float],
        Meta(
            max_length=_MOST_ENTRIES,
            description="The numbers that caused it; as CSV and Parquet JSON.",
            examples=[{"zscore": 2.31, "entry": 2.0, "exit": 0.5}],
        ),
    ] = {}
    incident_id: Annotated[
        Id,
        Meta(
            description="The same in all alerts from the beginning to the end of what holds; empty where the rule has "
            "none.",
            examples=["btc-eth-wide:ETHUSDT-BTCUSDT:1767225600000000"],
        ),
    ] = ""
    duration_s: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        Meta(description="Of one that ends: how long it has held, in seconds.", examples=[42.0]),
    ] = None
    valid_until_us: Annotated[
        Microseconds | None, Meta(description="Whoever reads it later should not act on it.")
    ] = None

    def __post_init__(self) -> None:
        """Fill what old and new fields say of each other; ValueError if neither names the rule or the subject."""
        is_from_before = not self.rule
        rule, subject = rule_named(self.rule or self.rule_id), self.subject or self.pair
        metric = self.metric or (ZSCORE if is_from_before else "")
        for field, known in (("rule", rule), ("subject", subject), ("metric", metric)):
            if not known:
                raise ValueError(f"expected {field} of an alert, received none")
            force_setattr(self, field, known)
        if not self.rule_id:
            force_setattr(self, "rule_id", DEFAULT_RULE_ID if rule == DEFAULT_RULE else rule)
        if self.pair is None and _is_of_pair(metric, self.subject):
            force_setattr(self, "pair", self.subject)
        if not self.values and self.value is not None and self.threshold is not None:
            force_setattr(self, "values", {metric: self.value, "threshold": self.threshold})

    @property
    def measured(self) -> float | None:
        """Return the measured value, None if it is no number."""
        return self.values.get(self.metric, self.value)
