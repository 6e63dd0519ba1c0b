"""The committed JSON Schemas are those of the messages."""

import pytest

from services.cli.schemas import DIRECTORY, documents

SCHEMAS = {name: text for name, text in documents().items() if name.endswith(".v1.json")}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_current(name: str) -> None:
    path = DIRECTORY / name
    committed = path.read_text(encoding="utf-8") if path.exists() else ""
    assert committed == SCHEMAS[name], f"schemas/{name} differs from the code: run make schemas"


def test_there_is_no_schema_without_a_message() -> None:
    assert {path.name for path in DIRECTORY.glob("*.v*.json")} == set(SCHEMAS)
