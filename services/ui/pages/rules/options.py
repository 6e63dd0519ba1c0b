"""More options of a rule: the controls folded below its form, and what of the rule each of them is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, get_args, get_type_hints
from zoneinfo import ZoneInfo

import dash_mantine_components as dmc
import msgspec
from dash import html
from dash.development.base_component import Component

from services.common import clock
from services.contracts import message_template
from services.contracts.rules import DAYS, Policy, Rule
from services.ui.pages.rules.silences import until_us

Json = dict[str, Any]

_REVERSION = {"": "any", "0": "not broken", "1": "reverting"}
_RULE = {one.name: one for one in msgspec.structs.fields(Rule)}


class Option(NamedTuple):
    """An option: its label, one line that explains it, and its value in a new rule."""

    label: str
    hint: str
    default: Any = ""


def _field(name: str, label: str) -> Option:
    """Return the option that is a field of rules as it stands; what is not explained here, the contract explains."""
    meta = next(one for one in get_args(_HINTS[name]) if getattr(one, "description", None))
    return Option(label, _EXPLAINED.get(name, meta.description), _RULE[name].default)


_HINTS = get_type_hints(Rule, include_extras=True)
_FIELDS = {
    "breaches": "Breaches in a row",
    "warm_up_s": "Warm-up, s",
    "clear_after": "Clear after, s in a row",
    "keep_firing_s": "Keep firing, s",
    "cooldown_s": "Cooldown, s",
    "no_data": "Without data",
    "no_data_after_s": "No data after, s",
    "error": "On an error",
    "valid_s": "Valid for, s",
    "renotify_s": "Notify again after, s",
    "escalate_after_s": "Escalate after, s",
}
_EXPLAINED = {
    "no_data": "Keep the state, alert of it, or take it for clear (ok).",
    "no_data_after_s": "Without a good second for so long there is no data.",
    "error": "The same in good seconds that lack what is measured.",
}
OPTIONS: dict[str, Option] = {
    **{name: _field(name, label) for name, label in _FIELDS.items()},
    "reversion": Option(
        "Mean reversion", "Begins only while the spread is seen to revert, or is not broken."
    ),
    "correlation": Option("Return correlation from", "Begins only while it is so high; empty for any."),
    "schedule_start": Option("From", "Begins only from this time of day on; empty for all day."),
    "schedule_end": Option("To", "Until before this time; over midnight if it is earlier."),
    "schedule_days": Option("Days", "Days on which these hours begin; none for every day.", ()),
    "schedule_timezone": Option("Time zone", "Of these hours, such as Europe/Berlin; empty for UTC."),
    "expires": Option("Expires", "From then on it is no more, in the page's time zone; empty for never."),
    "labels": Option("Labels", "desk=fx, team=a: alerts carry them, and silences can name them."),
    "message": Option("Message", "Text of its alerts with placeholders {field:format}; empty for our own."),
}
"""Every option, by the name of its control."""
GROUPS = {
    "When it begins": ("breaches", "warm_up_s", "reversion", "correlation"),
    "Hours": ("schedule_start", "schedule_end", "schedule_days", "schedule_timezone"),
    "When it ends": ("clear_after", "keep_firing_s", "cooldown_s", "expires"),
    "Without data": ("no_data", "no_data_after_s", "error"),
    "What its alerts say": ("valid_s", "renotify_s", "escalate_after_s", "labels", "message"),
}
PLACES = {
    **{name: name for name in _FIELDS},
    "schedule": "schedule_start",
    **{f"schedule.{name}": f"schedule_{name}" for name in ("start", "end", "days", "timezone")},
    "expires_us": "expires",
    "labels": "labels",
    "message": "message",
}
"""The control of each field of a rule that has one here; those of gates are in `gate_places`."""
SHOWN = {*_FIELDS, "gates", "schedule", "expires_us", "labels", "message"}
_CHOICES: dict[str, list[Any]] = {
    **{name: [*get_args(Policy)] for name in ("no_data", "error")},
    "reversion": [{"value": value, "label": label} for value, label in _REVERSION.items()],
}
_GATES = {"reversion": "reversion", "return_correlation": "correlation"}
PLACEHOLDERS = f"Placeholders: {', '.join((*message_template.TEXTS, *message_template.NUMBERS))}."


def layout(hint: str) -> Component:
    """Return the controls, folded, below what `hint` says of those above."""
    parts: list[Component] = []
    for title, names in GROUPS.items():
        parts.append(html.H4(title, className="part-title"))
        parts.append(html.Div([_control(name) for name in names], className="form"))
    told = [
        html.Div(PLACEHOLDERS, id="rule-placeholders", className="fine"),
        html.Div(["It would say: ", html.B(id="rule-message-preview")], className="rule-says", role="status"),
    ]
    folded: Component = html.Details(
        [html.Summary("More options"), html.Div(hint, className="fine"), *parts, *told],
        id="rule-more",
        className="rule-more",
    )
    return folded


def values_of(rule: Mapping[str, Any], zone: str) -> Json:
    """Return what the controls show of a rule."""
    shown = {name: one.default for name, one in OPTIONS.items()}
    shown |= {name: rule[name] for name in (*_FIELDS, "message") if name in rule}
    # Of several gates on one metric the highest decides.
    for gate in sorted(rule.get("gates", ()), key=lambda gate: float(gate["level"])):
        if (name := _control_of(gate)) is not None:
            shown[name] = f"{gate['level']:g}" if name == "reversion" else gate["level"]
    for name, value in (rule.get("schedule") or {}).items():
        shown[f"schedule_{name}"] = value
    shown["labels"] = ", ".join(f"{name}={value}" for name, value in rule.get("labels", {}).items())
    if (expires_us := rule.get("expires_us")) is not None:
        shown["expires"] = local(expires_us, zone)
    return shown


def rule_of(values: Mapping[str, Any], stored: Mapping[str, Any], zone: str) -> Json:
    """Return the fields that the controls describe, with those gates of a `stored` rule that have no control.

    A field that is to have its default is empty.
    """
    fields: Json = {name: values[name] for name in _FIELDS}
    gates = [gate for gate in stored.get("gates", ()) if _control_of(gate) is None]
    for metric, name in _GATES.items():
        if values[name] not in ("", None):
            gates.append({"metric": metric, "operator": "above", "level": float(values[name])})
    schedule = {name: values[f"schedule_{name}"] for name in ("start", "end", "days")}
    if any(schedule.values()):
        schedule["timezone"] = (values["schedule_timezone"] or "").strip()
    expires_us: Any = stored.get("expires_us")
    if expires_us is None or values["expires"] != local(expires_us, zone):
        expires_us = until_us(values["expires"], zone)
    return {
        **fields,
        "gates": gates or None,
        "schedule": {name: one for name, one in schedule.items() if one} or None,
        "expires_us": expires_us,
        "labels": labels_of(values["labels"]) or None,
        "message": (values["message"] or "").strip(),
    }


def gate_places(rule: Mapping[str, Any]) -> dict[str, str]:
    """Return the control of each field of a rule's gates, by the name that the API has for the field."""
    return {
        f"gates.{place}.{field}": name
        for place, gate in enumerate(rule.get("gates") or ())
        if (name := _control_of(gate)) is not None
        for field in ("metric", "operator", "level")
    }


def other_gates(rule: Mapping[str, Any]) -> list[str]:
    """Return the metrics of those gates that have no control."""
    return [gate["metric"] for gate in rule.get("gates", ()) if _control_of(gate) is None]


def labels_of(text: str | None) -> dict[str, str]:
    """Return labels as they are written; one without a value is empty.

    >>> labels_of("desk=fx, team = a b,, urgent")
    {'desk': 'fx', 'team': 'a b', 'urgent': ''}
    """
    parts = [part.partition("=") for part in (text or "").split(",") if part.strip()]
    return {name.strip(): value.strip() for name, _, value in parts}


def local(us: int, zone: str) -> str:
    """Return a moment as an input for local times has it, to the minute."""
    return f"{datetime.fromtimestamp(us / clock.SECOND, ZoneInfo(zone)):%Y-%m-%dT%H:%M}"


def _control_of(gate: Mapping[str, Any]) -> str | None:
    name = _GATES.get(gate["metric"]) if gate["operator"] == "above" else None
    if name == "reversion" and f"{gate['level']:g}" not in _REVERSION:
        return None
    return name


def _control(name: str) -> Component:
    one = OPTIONS[name]
    common: Json = {
        "id": f"rule-{name}",
        "label": one.label,
        "description": one.hint,
        "size": "xs",
        "value": one.default,
    }
    control: Component
    if name in _CHOICES:
        control = dmc.Select(data=_CHOICES[name], allowDeselect=False, **common)
    elif name == "schedule_days":
        control = dmc.MultiSelect(data=list(DAYS), **{**common, "value": []})
    elif name == "message":
        control = dmc.Textarea(autosize=True, minRows=2, maxRows=6, className="is-wide", **common)
    elif name in ("schedule_start", "schedule_end"):
        control = dmc.TextInput(attributes={"input": {"type": "time"}}, **common)
    elif name == "expires":
        control = dmc.TextInput(attributes={"input": {"type": "datetime-local"}}, **common)
    elif name in ("labels", "schedule_timezone"):
        control = dmc.TextInput(**common)
    else:
        control = dmc.NumberInput(hideControls=True, **common)
    return control
