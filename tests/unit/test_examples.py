"""Examples in docstrings."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import services

ROOT = Path(services.__file__).parent
MODULES = [
    ".".join(("services", *path.relative_to(ROOT).with_suffix("").parts))
    for path in sorted(ROOT.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name: str) -> None:
    result = doctest.testmod(import_module(name))
    assert result.attempted
    assert not result.failed
