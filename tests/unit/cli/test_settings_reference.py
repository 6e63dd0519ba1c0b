"""Settings reference: current, complete, and each value with its unit."""

import re

import pytest

from services.cli.settings_reference import PATH, SERVICES, text
from services.common.settings import Settings

FIELDS = [(kind, name) for kind in SERVICES.values() for name in kind.model_fields]
UNITS = {"_s": r"\bs\b", "_ms": r"\bms\b", "_minutes": r"\bminutes\b", "_bytes": r"\bbytes\b"}


def test_the_committed_page_is_current() -> None:
    committed = PATH.read_text(encoding="utf-8") if PATH.exists() else ""
    assert committed == text(), "docs/settings.md differs from the code: run make schemas"


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_field_has_a_description_with_its_unit(kind: type[Settings], name: str) -> None:
    description = kind.model_fields[name].description or ""
    assert description.endswith("."), f"expected a text below the field {name}, received {description!r}"
    for ending, unit in UNITS.items():
        if name.endswith(ending):
            assert re.search(unit, description), f"expected the unit of {name}, received {description!r}"


def test_a_default_is_written_as_it_is_set() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", text(), re.M))
    defaults = {
        "PAIRSTREAM_LATENESS": "`1d`",
        "PAIRSTREAM_API_ANALYSIS_TIMEOUT": "`20s`",
        "PAIRSTREAM_RETENTION_TICKS": "`forever`",
        "PAIRSTREAM_API_KEY": "none",
        "PAIRSTREAM_API_RATE_LIMIT": "`100/second`",
        "PAIRSTREAM_API_BODY_LIMIT": "`1MiB`",
        "PAIRSTREAM_ENTRY_Z": "`2`",
        "PAIRSTREAM_SYMBOLS": "`BTCUSDT,ETHUSDT`",
    }
    assert {name: rows[name] for name in defaults} == defaults
