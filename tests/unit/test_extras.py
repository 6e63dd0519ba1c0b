"""Extras of pyproject.toml: each service starts with what its own extra brings, and nothing else is there."""

import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib import metadata
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import compose

PROJECT = tomllib.loads((compose.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Imports of what no distribution of the extra has fail, as they do in its image.
GUARD = """
import sys
from importlib import import_module
banned = set(sys.argv[1].split(","))
class Guard:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in banned:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Guard())
for module in sys.argv[2:]:
    import_module(module)
"""


def requirements(name: str, extras: frozenset[str]) -> list[str]:
    """Return what a distribution requires; ours by pyproject.toml, which may be newer than what is installed."""
    if name == "pairstream":
        parts = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
        return list(chain.from_iterable(parts))
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []  # of another platform


def modules(service: str) -> list[str]:
    """Return all modules of a service, and of the setup its commands."""
    if service == "setup":
        return ["services.cli.db", "services.cli.topics"]
    folder = compose.ROOT / "services" / service
    return [module(path) for path in sorted(folder.rglob("*.py"))]


def module(path: Path) -> str:
    parts = path.relative_to(compose.ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def installed() -> dict[str, set[str]]:
    """Return the distributions that each top-level module is of."""
    return {
        name: set(map(canonicalize_name, of))
        for name, of in metadata.packages_distributions().items()
        if re.fullmatch(r"\w+", name)
    }


def distributions(extra: str) -> set[str]:
    """Return the names of all distributions that an extra of ours brings, itself included."""
    found: set[str] = set()
    open_ = [("pairstream", frozenset({extra}))]
    seen = set()
    while open_:
        name, extras = open_.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found.add(canonicalize_name(name))
        for text in requirements(name, extras):
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": one}) for one in ("", *extras)):
                open_.append((requirement.name, frozenset(requirement.extras)))
    return found


def foreign(extra: str) -> set[str]:
    """Return the top-level modules of this environment that an extra does not bring."""
    brought = distributions(extra)
    return {name for name, of in installed().items() if brought.isdisjoint(of)}


@pytest.mark.parametrize("service", compose.own_services())
def test_a_service_imports_only_what_its_extra_brings(service: str) -> None:
    command = [sys.executable, "-c", GUARD, ",".join(sorted(foreign(service))), *modules(service)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"the extra {service} lacks something:\n{done.stderr[-1500:]}"


def test_a_missing_extra_is_found() -> None:
    command = [sys.executable, "-c", GUARD, ",".join(sorted(foreign("ui"))), "services.sink.__main__"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "No module named 'psycopg" in done.stderr or "No module named 'sqlalchemy" in done.stderr
