"""The committed AsyncAPI document is that of the code, and leaves out no topic."""

from collections.abc import Iterator
from typing import Any

import yaml

from services.cli.asyncapi import as_yaml, document
from services.cli.schemas import DIRECTORY
from services.contracts import topics
from services.contracts.topic_messages import INTERNAL

NAME = "asyncapi.yaml"


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for below in node.values():
            yield from references(below)
    elif isinstance(node, list):
        for below in node:
            yield from references(below)


def found(reference: str) -> bool:
    if reference.startswith("./"):
        return (DIRECTORY / reference).is_file()
    node = document()
    for part in reference.removeprefix("#/").split("/"):
        if part not in node:
            return False
        node = node[part]
    return True


def test_the_committed_document_is_current() -> None:
    path = DIRECTORY / NAME
    committed = path.read_text(encoding="utf-8") if path.exists() else ""
    assert committed == as_yaml(), f"schemas/{NAME} differs from the code: run make schemas"


def test_it_is_yaml_that_says_the_same() -> None:
    assert yaml.safe_load(as_yaml()) == document()


def test_every_topic_but_the_internal_ones_is_described() -> None:
    assert document()["channels"].keys() == {topic.name for topic in topics.ALL if topic not in INTERNAL} | {
        "stream"
    }


def test_every_reference_leads_somewhere() -> None:
    assert [one for one in set(references(document())) if not found(one)] == []
