"""Reference of the settings, docs/settings.md: generated from the fields and the texts below them."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import ByteSize
from pydantic.fields import FieldInfo

from services.alerting.settings import AlertingSettings
from services.api.settings import ApiSettings
from services.common.http.rate_limits import Rate
from services.common.setting_types import Retention
from services.common.settings import PREFIX, Settings
from services.delivery.settings import DeliverySettings
from services.ingest.settings import IngestSettings
from services.research.settings import ResearchSettings
from services.sink.settings import SinkSettings
from services.stream_analytics.settings import StreamSettings
from services.ui.settings import UiSettings

PATH = Path(__file__).parents[2] / "docs" / "settings.md"
SERVICES: dict[str, type[Settings]] = {
    "ingest": IngestSettings,
    "stream_analytics": StreamSettings,
    "alerting": AlertingSettings,
    "delivery": DeliverySettings,
    "sink": SinkSettings,
    "research": ResearchSettings,
    "api": ApiSettings,
    "ui": UiSettings,
}
_HEAD = f"""\
# Settings

Every setting is an environment variable, read once at the start of a service. A value can stand in a file, too: the
variable with `_FILE` after its name holds the path (`{PREFIX}DATABASE_URL_FILE`). A wrong value stops the service
with one line that names the variable, what was expected and what was received. `pairstream up` passes its own
environment on to every service; its flags come before variables, and `.venv/bin/pairstream up --help` lists them.

This page is generated: the texts stand below the fields in `services/*/settings.py`, and `make schemas` writes it.
"""
# The field type whose None means that rows stay for ever.
_FOREVER = get_args(Retention)[1]
_PERIODS = {1: "second", 60: "minute", 3_600: "hour"}
_TABLE = "| variable | default | values | meaning |\n|---|---|---|---|"


def text() -> str:
    """Return the page in Markdown: one table for each group of services that read the same settings."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for (name, description), (field, readers) in _fields().items():
        row = (f"`{PREFIX}{name.upper()}`", _default(field), _values(field), description)
        groups.setdefault(tuple(readers), []).append(
            "| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |"
        )
    by_readers = sorted(groups.items(), key=lambda group: -len(group[0]))
    tables = [f"## {_title(readers)}\n\n{_TABLE}\n" + "\n".join(rows) + "\n" for readers, rows in by_readers]
    return "\n".join([_HEAD, *tables])


def _fields() -> dict[tuple[str, str], tuple[FieldInfo, list[str]]]:
    """Return each field with the services that read it; one name with two meanings stands there twice."""
    fields: dict[tuple[str, str], tuple[FieldInfo, list[str]]] = {}
    for service, kind in SERVICES.items():
        for name, field in kind.model_fields.items():
            meaning = " ".join((field.description or "").split())
            fields.setdefault((name, meaning), (field, []))[1].append(service)
    return fields


def _title(readers: tuple[str, ...]) -> str:
    return "Every service" if len(readers) == len(SERVICES) else ", ".join(readers)


def _default(field: FieldInfo) -> str:
    match field.default:
        case None if _FOREVER in field.metadata:
            return "`forever`"
        case None | "" | ():
            return "none"
        case timedelta() as time:
            return f"`{_duration(time)}`"
        case Rate(requests, seconds):
            return f"`{requests}/{_PERIODS[seconds]}`"
        case ByteSize() as size:
            return f"`{re.sub(r'[.]0(?=[A-Z])', '', size.human_readable())}`"
        case float() as number:
            return f"`{number:g}`"
        case other:
            return f"`{other}`"


def _duration(time: timedelta) -> str:
    units = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
    seconds = int(time.total_seconds())
    return next(f"{seconds // size}{unit}" for unit, size in units.items() if seconds % size == 0)


def _values(field: FieldInfo) -> str:
    """Return the values of a choice, or the bounds of a number; nothing where the meaning says them."""
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(field.annotation))
    bounds = list(_bounds(field.metadata))
    return ", ".join(bounds)


def _bounds(metadata: list[Any]) -> Iterator[str]:
    for bound in metadata:
        match bound:
            case Ge(least):
                yield f"from {least}"
            case Gt(least):
                yield f"above {least}"
            case Le(most):
                yield f"up to {most}"
