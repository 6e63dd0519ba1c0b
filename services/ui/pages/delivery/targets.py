"""Targets as rows of a table, and the form of one."""

import base64
import secrets
from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
import msgspec
from dash.development.base_component import Component

from services.contracts.targets import SECRET_PREFIX, SEVERITIES
from services.ui.api.client import ApiClient
from services.ui.api.types import Listing, Target
from services.ui.pages.rules.form import id_of
from services.ui.pages.rules.options import labels_of
from services.ui.widgets.batched_elements import Row
from services.ui.widgets.components import TIME_COLUMN

Json = dict[str, Any]

PATH = "/v1/targets"
TABLE = "targets-table"
KINDS = {"webhook": "Webhook", "slack": "Slack", "mail": "Mail", "apprise": "Apprise"}
COLUMNS: list[Json] = [
    {"field": "name", "headerName": "Name", "width": 120, "tooltipField": "id"},
    {"field": "kind", "headerName": "Kind", "width": 78},
    {"field": "where", "headerName": "Where", "flex": 1, "minWidth": 150, "tooltipField": "where"},
    {"field": "state", "headerName": "State", "width": 78, "tooltipField": "why"},
    {"field": "why", "headerName": "Why", "width": 150, "tooltipField": "why"},
    {"field": "waiting", "headerName": "Waiting", "width": 74, "type": "rightAligned"},
    {"field": "arrived", "headerName": "Arrived last", **TIME_COLUMN, "width": 140},
]
LABELS = {
    "name": ("Name", "For people; its id is made of it."),
    "kind": ("Kind", "Webhook: Standard Webhooks, signed."),
    "url": ("URL", "Of all but mail; empty keeps what is stored."),
    "to": ("To", "Addresses of mail, by commas."),
    "least_severity": ("Least severe", "Alerts less severe are not delivered."),
    "matchers": ("Only alerts with", "pair=ETH*, labels.desk=fx; empty for all."),
    "ends": ("Ends", "Whether ends of alerts are delivered, too."),
    "group_by": ("Together by", "Alerts alike in these fields come together."),
    "group_wait_s": ("Wait for others, s", "How long the first of a group waits; empty for the usual."),
    "per_minute": ("Most in a minute", "Deliveries in a minute; empty for the usual."),
}
FIELDS = tuple(LABELS)
DEFAULTS: Json = {
    "name": "",
    "kind": "webhook",
    "url": "",
    "to": "",
    "least_severity": "info",
    "matchers": "",
    "ends": "yes",
    "group_by": "rule",
    "group_wait_s": "",
    "per_minute": "",
}
PLACES = {"id": "name", **{name: name for name in FIELDS}}
"""The control of each field of a target."""
_CHOICES: dict[str, list[Any]] = {
    "kind": [{"value": kind, "label": label} for kind, label in KINDS.items()],
    "least_severity": list(SEVERITIES),
    "ends": ["yes", "no"],
}
_BYTES = 32


async def read(client: ApiClient) -> tuple[Target, ...]:
    """Return every target."""
    return (await client.read(PATH, Listing[Target])).data


def rows(known: tuple[Target, ...]) -> dict[str, Row]:
    """Return a row for each target, by its id; times in milliseconds."""
    return {one.id: _row(one) for one in known}


def controls() -> list[Component]:
    """Return the controls, with the defaults of a new target."""
    return [_control(name) for name in FIELDS]


def values_of(target: Mapping[str, Any]) -> list[Any]:
    """Return what the controls show of a target, in the order of `FIELDS`; its URL is not told, so it is empty."""
    shown = {name: "" if target.get(name) is None else target.get(name) for name in FIELDS}
    shown |= {
        "url": "",
        "to": ", ".join(target["to"]),
        "matchers": ", ".join(f"{name}={pattern}" for name, pattern in target["matchers"].items()),
        "ends": "yes" if target["ends"] else "no",
        "group_by": ", ".join(target["group_by"]),
    }
    return [shown[name] for name in FIELDS]


def body_of(values: Mapping[str, Any], stored: Mapping[str, Any] | None) -> Json:
    """Return the target that the controls describe, as the API takes it; what is empty is left out."""
    body = {
        "id": stored["id"] if stored else id_of(values["name"]),
        "name": (values["name"] or "").strip(),
        "kind": values["kind"],
        "url": (values["url"] or "").strip(),
        "to": _parts(values["to"]),
        "least_severity": values["least_severity"],
        "matchers": labels_of(values["matchers"]),
        "ends": values["ends"] == "yes",
        "group_by": _parts(values["group_by"]),
        "group_wait_s": values["group_wait_s"],
        "per_minute": values["per_minute"],
        "paused": bool(stored and stored["paused"]),
    }
    kept = ("group_by", "matchers", "to")  # an empty one is a value of its own
    return {name: one for name, one in body.items() if one not in ("", None) or name in kept}


def stored_body(target: Mapping[str, Any], **changes: Any) -> Json:
    """Return a stored target as the API takes it, with changes; without URL and secret it keeps those it has."""
    told = (*FIELDS, "id", "paused")
    kept = {name: target[name] for name in told if name != "url" and target.get(name) is not None}
    return {**kept, **changes}


def new_secret() -> str:
    """Return a secret of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def stored(target: Target) -> Json:
    """Return a target as the store ``target-stored`` has it."""
    found: Json = msgspec.to_builtins(target)
    return found


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _row(one: Target) -> Row:
    failing = "nothing has arrived, it is tried further" if one.state == "failing" else ""
    return {
        "id": one.id,
        "name": one.name,
        "kind": KINDS[one.kind],
        "where": one.url or ", ".join(one.to),
        "state": one.state,
        "why": one.reason or failing,
        "waiting": one.waiting,
        "arrived": None if one.delivered_us is None else one.delivered_us // 1000,
    }


def _control(name: str) -> Component:
    label, hint = LABELS[name]
    common: Json = {
        "id": f"target-{name}",
        "label": label,
        "description": hint,
        "size": "xs",
        "value": DEFAULTS[name],
    }
    control: Component
    if name in _CHOICES:
        control = dmc.Select(data=_CHOICES[name], allowDeselect=False, **common)
    elif name in ("group_wait_s", "per_minute"):
        control = dmc.NumberInput(hideControls=True, **common)
    else:
        control = dmc.TextInput(className="is-wide" if name == "url" else "", **common)
    return control
