"""Conditions of rules: a metric, an operator, and the levels at which it is met and clear again."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from services.contracts.fields import Name, WrongFieldError
from services.contracts.metrics import METRICS, SubjectKind

Operator = Literal["above", "below", "outside", "inside", "crosses", "changes_by"]
MetricName = Annotated[
    Name,
    Meta(description="What is measured.", examples=["zscore"], extra_json_schema={"enum": list(METRICS)}),
]
Level = Annotated[float, Meta(gt=-1e20, lt=1e20)]
_WITH_LOW = ("outside", "inside")


class Condition(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A condition on one metric: met from `fire` on, and then until `clear`, which keeps a noisy metric from flapping.

    ``above`` is met at or above `fire` and clear at or below `clear`; ``below`` the other way round. ``outside`` and
    ``inside`` have a lower bound as well, `fire_low` and `clear_low`, which are those above with the sign turned if
    they are left out. ``crosses`` is met in the second in which the metric comes to the other side of `fire`; from
    above it has come once it is at or below `clear`. ``changes_by`` is met while the metric differs by `fire` from
    what it was `over_s` before, in per cent if `percent`.
    """

    metric: MetricName
    operator: Annotated[Operator, Meta(description="How it is compared.")]
    fire: Annotated[Level, Meta(description="Where it is met.", examples=[2.0])]
    clear: Annotated[
        Level | None, Meta(description="Where it is clear again; `fire` if left out.", examples=[0.5])
    ] = None
    fire_low: Annotated[
        Level | None, Meta(description="Lower bound of `outside` and `inside`; -`fire` if left out.")
    ] = None
    clear_low: Annotated[
        Level | None, Meta(description="Where it is clear again below; by `clear` if left out.")
    ] = None
    over_s: Annotated[
        Annotated[float, Meta(ge=1, le=86_400)] | None,
        Meta(description="Stretch of time of `changes_by` and of volatilities, s."),
    ] = None
    percent: Annotated[bool, Meta(description="Whether `changes_by` is in % of the earlier value.")] = False

    def __post_init__(self) -> None:
        """Refuse an unknown metric, and levels that contradict each other (ValueError)."""
        _require_metric(self.metric)
        self._require_fields()
        fire, clear, low, clear_low = self.levels
        match self.operator:
            case "above" | "crosses" if clear > fire:
                raise WrongFieldError("clear", f"at most fire {fire:g}", f"{clear:g}")
            case "below" if clear < fire:
                raise WrongFieldError("clear", f"at least fire {fire:g}", f"{clear:g}")
            case "outside" if not low < fire or not low <= clear_low <= clear <= fire:
                raise WrongFieldError(
                    "clear" if low < fire else "fire_low",
                    f"fire_low < fire, and clear_low and clear from {low:g} to {fire:g}",
                    f"fire_low {low:g}, clear_low {clear_low:g}, clear {clear:g}, fire {fire:g}",
                )
            case "inside" if not low <= fire or not clear_low <= low or not clear >= fire:
                raise WrongFieldError(
                    "clear" if low <= fire else "fire_low",
                    f"fire_low <= fire, clear_low up to {low:g} and clear from {fire:g}",
                    f"fire_low {low:g}, clear_low {clear_low:g}, clear {clear:g}, fire {fire:g}",
                )
            case "changes_by" if not 0 <= clear <= fire or fire == 0:
                field, value = ("fire", fire) if fire <= 0 else ("clear", clear)
                expected = "more than 0" if fire <= 0 else f"from 0 to fire {fire:g}"
                raise WrongFieldError(field, expected, f"{value:g}")

    def _require_fields(self) -> None:
        needs_over = METRICS[self.metric].needs_over_s or self.operator == "changes_by"
        if needs_over and self.over_s is None:
            raise WrongFieldError("over_s", "seconds from 1 to 86400", "none")
        if self.over_s is not None and not needs_over:
            raise WrongFieldError("over_s", f"none with {self.operator} of {self.metric}", f"{self.over_s:g}")
        if METRICS[self.metric].needs_over_s and self.operator in ("changes_by", "crosses"):
            raise WrongFieldError("operator", f"another one with {self.metric}", self.operator)
        if self.percent and self.operator != "changes_by":
            raise WrongFieldError("percent", "false unless the operator is changes_by", "true")
        for field in ("fire_low", "clear_low"):
            if getattr(self, field) is not None and self.operator not in _WITH_LOW:
                value = getattr(self, field)
                raise WrongFieldError(field, "none unless the operator is outside or inside", f"{value:g}")

    @property
    def subject_kind(self) -> SubjectKind:
        """Return the kind of subject that has the metric."""
        return METRICS[self.metric].subject

    @property
    def levels(self) -> tuple[float, float, float, float]:
        """Return `fire`, `clear`, `fire_low` and `clear_low`, those that are left out too."""
        clear = self.fire if self.clear is None else self.clear
        low = -self.fire if self.fire_low is None else self.fire_low
        by_clear = low if self.clear is None or self.fire_low is not None else -clear
        return self.fire, clear, low, by_clear if self.clear_low is None else self.clear_low


class Gate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A gate: a rule begins only while the metric is at or above (`above`) or at or below (`below`) the level.

    One whose metric is not known is closed. It ends no alert.
    """

    metric: Annotated[Name, Meta(description="What is measured.", examples=["reversion"])]
    operator: Annotated[Literal["above", "below"], Meta(description="How it is compared.")]
    level: Annotated[Level, Meta(description="With what.", examples=[1.0])]

    def __post_init__(self) -> None:
        """Refuse an unknown metric, and one of a stretch of time (ValueError)."""
        _require_metric(self.metric)
        if METRICS[self.metric].needs_over_s:
            raise WrongFieldError("metric", "one that is not of a stretch of time", repr(self.metric))

    @property
    def subject_kind(self) -> SubjectKind:
        """Return the kind of subject that has the metric."""
        return METRICS[self.metric].subject


def _require_metric(name: str) -> None:
    if name not in METRICS:
        raise WrongFieldError("metric", f"one of {', '.join(METRICS)}", repr(name))
