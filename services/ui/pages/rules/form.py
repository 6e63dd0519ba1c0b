"""Form of a rule: its fields, and the rule that they describe together with what the form does not show."""

import re
from collections.abc import Mapping
from typing import Any, get_args

import dash_mantine_components as dmc
from dash.development.base_component import Component

from services.contracts.alert_messages import Severity
from services.contracts.conditions import Operator
from services.contracts.metrics import METRICS, SubjectKind
from services.ui.pages.rules import options

Json = dict[str, Any]

LABELS = {
    "name": "Name",
    "metric": "Metric",
    "operator": "Operator",
    "fire": "Fires at",
    "clear": "Clear at",
    "over_s": "Over, s",
    "for_s": "For, s",
    "scope": "Scope",
    "severity": "Severity",
}
FIELDS = (*LABELS, *options.OPTIONS)
DEFAULTS: Json = {
    "name": "",
    "metric": "zscore",
    "operator": "outside",
    "fire": 3,
    "clear": 1,
    "over_s": "",
    "for_s": 5,
    "scope": "*",
    "severity": "warning",
    **{name: one.default for name, one in options.OPTIONS.items()},
}
_CONDITION = ("metric", "operator", "fire", "clear", "over_s")
PLACES = {
    "id": "name",
    "name": "name",
    **{f"conditions.0.{name}": name for name in _CONDITION},
    "for_s": "for_s",
    "scope": "scope",
    "severity": "severity",
    **options.PLACES,
}
"""The control of each field of a rule, by the name that the API has for the field."""
HINT = (
    "Outside and inside: from minus the level to the level. Empty Clear at: where it fires. Over: for changes and "
    "volatilities alone. Scope: pairs, of a radar either way round, symbols or services, by commas; * stands for any "
    "letters."
)
_CHOICES: dict[str, list[Any]] = {
    "metric": [
        {"group": f"Of a {kind}", "items": [name for name, one in METRICS.items() if one.subject == kind]}
        for kind in get_args(SubjectKind)
    ],
    "operator": [{"value": one, "label": one.replace("_", " ")} for one in get_args(Operator)],
    "severity": list(get_args(Severity)),
}


def controls() -> list[Component]:
    """Return the controls that are always in sight, with the defaults of a new rule."""
    return [_control(name) for name in LABELS]


def values_of(rule: Mapping[str, Any], zone: str) -> list[Any]:
    """Return what the controls show of a rule, in the order of `FIELDS`; local times are of a time zone."""
    shown: Json = {**dict.fromkeys(LABELS, ""), "for_s": 0, "scope": ("*",), "severity": "warning"}
    shown |= {name: value for name, value in {**rule, **rule["conditions"][0]}.items() if name in LABELS}
    shown |= {"scope": ", ".join(shown["scope"]), **options.values_of(rule, zone)}
    return [shown[name] for name in FIELDS]


def rule_of(values: Mapping[str, Any], stored: Mapping[str, Any] | None, zone: str) -> Json:
    """Return the rule that the controls describe; what they do not show of a `stored` one stays.

    What is empty is left out. A new rule has an id made of its name.
    """
    rule: Json = dict(stored or {})
    first, *others = rule.get("conditions") or [{}]
    if any(first.get(name) != values[name] for name in ("metric", "operator")):
        first = {}  # the other bounds of a condition are of its operator
    condition = {**first, **{name: values[name] for name in _CONDITION}}
    rule |= {
        "id": rule.get("id") or id_of(values["name"]),
        "name": (values["name"] or "").strip(),
        "conditions": [{name: one for name, one in condition.items() if one not in ("", None)}, *others],
        "scope": [part.strip() for part in (values["scope"] or "").split(",") if part.strip()],
        "for_s": values["for_s"],
        "severity": values["severity"],
        **options.rule_of(values, rule, zone),
    }
    return {name: value for name, value in rule.items() if value not in ("", None)}


def places(rule: Mapping[str, Any]) -> dict[str, str]:
    """Return the control of each field of this rule, by the name that the API has for the field."""
    return {**PLACES, **options.gate_places(rule)}


def id_of(name: str | None) -> str:
    """Return an id made of a name.

    >>> id_of(" Wide ETH/BTC spread! "), id_of("")
    ('wide-eth-btc-spread', '')
    """
    return re.sub(r"[^a-z0-9_.]+", "-", (name or "").lower()).strip("-._")[:64]


def unshown(rule: Mapping[str, Any]) -> list[str]:
    """Return which fields of a rule have values of their own and no control."""
    first, *others = rule["conditions"]
    more = [f"{len(others)} more conditions" if len(others) > 1 else "1 more condition"] if others else []
    gates = [f"a gate on {metric}" for metric in options.other_gates(rule)]
    shown = {*LABELS, *options.SHOWN, "id", "conditions", "paused"}
    return [*more, *gates, *sorted(({*rule, *first}) - shown)]


def _control(name: str) -> Component:
    common: Json = {"id": f"rule-{name}", "label": LABELS[name], "size": "xs", "value": DEFAULTS[name]}
    control: Component
    if name in _CHOICES:
        control = dmc.Select(data=_CHOICES[name], allowDeselect=False, **common)
    elif name in ("name", "scope"):
        control = dmc.TextInput(**common)
    else:
        control = dmc.NumberInput(hideControls=True, **common)
    return control
