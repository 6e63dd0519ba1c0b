"""Rules and tapes of observations, made by hypothesis: every option with every other."""

from hypothesis import strategies as st

from services.common.clock import SECOND
from services.contracts.conditions import Condition, Gate, Operator
from services.contracts.rules import Policy, Rule
from services.rules.observation import Observation

POLICIES: list[Policy] = ["keep", "alert", "ok"]
_levels = st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0])
_few = st.sampled_from([0.0, 1.0, 2.0, 5.0])


WITHOUT_MEMORY: list[Operator] = ["above", "below", "outside", "inside"]
OPERATORS: list[Operator] = [*WITHOUT_MEMORY, "crosses", "changes_by"]


@st.composite
def conditions(draw: st.DrawFn, operators: list[Operator] = OPERATORS) -> Condition:
    """Return a condition that can be."""
    metric = draw(st.sampled_from(["zscore", "spread", "y_price"]))
    low, between_low, between, high = sorted(draw(st.tuples(_levels, _levels, _levels, _levels)))
    match draw(st.sampled_from(operators)):
        case "above":
            return Condition(metric=metric, operator="above", fire=high, clear=low)
        case "below":
            return Condition(metric=metric, operator="below", fire=low, clear=high)
        case "outside":
            return Condition(
                metric=metric,
                operator="outside",
                fire=high + 0.5,
                fire_low=low,
                clear=between,
                clear_low=between_low,
            )
        case "inside":
            return Condition(
                metric=metric,
                operator="inside",
                fire=between,
                fire_low=between_low,
                clear=high,
                clear_low=low,
            )
        case "crosses":
            return Condition(metric=metric, operator="crosses", fire=high, clear=low)
    over_s = draw(st.sampled_from([6.0, 60.0, 120.0]))
    return Condition(metric=metric, operator="changes_by", fire=2.0, clear=1.0, over_s=over_s)


@st.composite
def rules(draw: st.DrawFn, name: str = "rule") -> Rule:
    """Return a rule; every option is drawn by itself."""
    drawn = draw(st.lists(conditions(), min_size=1, max_size=3))
    crosses = any(one.operator == "crosses" for one in drawn)
    return Rule(
        id=name,
        conditions=tuple(drawn),
        match=draw(st.sampled_from(["all", "any"])),
        for_s=0.0 if crosses else draw(_few),
        breaches=1 if crosses else draw(st.integers(1, 3)),
        clear_after=draw(st.integers(1, 3)),
        keep_firing_s=draw(_few),
        cooldown_s=draw(_few),
        warm_up_s=draw(_few),
        no_data=draw(st.sampled_from(POLICIES)),
        no_data_after_s=draw(st.sampled_from([1.0, 3.0])),
        error=draw(st.sampled_from(POLICIES)),
        gates=tuple(draw(st.lists(st.just(Gate(metric="reversion", operator="above", level=1)), max_size=1))),
        expires_us=draw(st.sampled_from([None, 25 * SECOND])),
        announce_steps=draw(st.booleans()),
    )


@st.composite
def watched_rules(draw: st.DrawFn, name: str = "rule") -> Rule:
    """Return a rule that is looked at only when a metric has come to one of its levels."""
    drawn = draw(st.lists(conditions(WITHOUT_MEMORY), min_size=1, max_size=2))
    return Rule(
        id=name,
        conditions=tuple(drawn),
        match=draw(st.sampled_from(["all", "any"])),
        cooldown_s=draw(_few),
    )


@st.composite
def observations(draw: st.DrawFn, second: int, revision: int = 0) -> Observation:
    """Return what may be seen of a second."""
    if draw(st.integers(0, 5)) == 0:
        return Observation(second * SECOND, {"stale": 1.0}, False, revision, None, "stale")
    values = {"reversion": draw(st.sampled_from([0.0, 1.0])), "stale": 0.0}
    for metric in ("zscore", "spread", "y_price"):
        if draw(st.integers(0, 9)):
            values[metric] = draw(st.sampled_from([-3.0, -2.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.5, 3.0]))
    return Observation(second * SECOND, values, True, revision)


@st.composite
def tapes(draw: st.DrawFn, with_corrections: bool = True) -> list[Observation]:
    """Return seconds, some missing, with corrections of earlier ones in between."""
    seconds = sorted(draw(st.sets(st.integers(1, 40), min_size=1, max_size=30)))
    tape: list[Observation] = []
    revisions: dict[int, int] = {}
    for second in seconds:
        tape.append(draw(observations(second)))
        if with_corrections and draw(st.integers(0, 3)) == 0:
            known = [one for one in seconds if one <= second]
            for corrected in draw(st.lists(st.sampled_from(known), max_size=2)):
                revisions[corrected] = revisions.get(corrected, 0) + 1
                tape.append(draw(observations(corrected, revisions[corrected])))
    return tape
