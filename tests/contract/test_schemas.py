"""The committed JSON Schemas are those of the messages, the row types of the client those of the API."""

from collections.abc import Mapping

import pytest

from services.cli import client_types
from services.cli.schemas import DIRECTORY
from services.contracts.messages import MESSAGES

NAMES = [f"{name}.v1.json" for name in (*MESSAGES, "webhook")]


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_schema_is_current(name: str, generated: Mapping[str, str]) -> None:
    path = DIRECTORY / name
    committed = path.read_text(encoding="utf-8") if path.exists() else ""
    assert committed == generated[name], f"schemas/{name} differs from the code: run make schemas"


def test_there_is_no_schema_without_a_message(generated: Mapping[str, str]) -> None:
    assert {path.name for path in DIRECTORY.glob("*.v*.json")} == set(NAMES)
    assert {name for name in generated if ".v" in name} == set(NAMES)


def test_the_row_types_of_the_client_are_current() -> None:
    committed = client_types.PATH.read_text(encoding="utf-8")
    assert committed == client_types.renewed(committed), f"{client_types.PATH.name}: run make schemas"
