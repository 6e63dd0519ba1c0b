"""The compose file as `docker compose` reads it: its variables replaced, its services in full."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
FILE = ROOT / "compose.yaml"
# ${NAME:-default}, ${NAME:?complaint}
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<kind>:[-?])(?P<rest>[^}]*)\}")


def variables() -> dict[str, str | None]:
    """Return the default of each variable; None where one must be set."""
    found: dict[str, str | None] = {}
    for match in _VARIABLE.finditer(FILE.read_text(encoding="utf-8")):
        default = match["rest"] if match["kind"] == ":-" else None
        assert found.setdefault(match["name"], default) == default, f"{match['name']} has two defaults"
    return found


def document(**values: str) -> dict[str, Any]:
    """Return the file with `values` for its variables, and their defaults for the rest."""

    def value(match: re.Match[str]) -> str:
        return values.get(match["name"], match["rest"] if match["kind"] == ":-" else "/secrets")

    text = _VARIABLE.sub(value, FILE.read_text(encoding="utf-8"))
    read: dict[str, Any] = yaml.safe_load(text)
    return read


def own_services() -> dict[str, dict[str, Any]]:
    """Return the services that run an image of ours, by name."""
    services: dict[str, dict[str, Any]] = document()["services"]
    return {name: service for name, service in services.items() if "build" in service}
