"""The committed JSON Schemas are those of the messages, the row types of the client those of the API."""

import pytest

from services.cli import client_types
from services.cli.schemas import DIRECTORY, documents

SCHEMAS = {name: text for name, text in documents().items() if name.endswith(".v1.json")}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_current(name: str) -> None:
    path = DIRECTORY / name
    committed = path.read_text(encoding="utf-8") if path.exists() else ""
    assert committed == SCHEMAS[name], f"schemas/{name} differs from the code: run make schemas"


def test_there_is_no_schema_without_a_message() -> None:
    assert {path.name for path in DIRECTORY.glob("*.v*.json")} == set(SCHEMAS)


def test_the_row_types_of_the_client_are_current() -> None:
    committed = client_types.PATH.read_text(encoding="utf-8")
    assert committed == client_types.renewed(committed), f"{client_types.PATH.name}: run make schemas"
