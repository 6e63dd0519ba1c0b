"""The committed OpenAPI document is that of the code, and every route keeps the promises made to all."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from services.cli.schemas import DIRECTORY

NAME = "openapi.json"
PROBES = {"/healthz", "/readyz"}
TABLES = {
    "/v1/symbols",
    "/v1/ticks",
    "/v1/bars",
    "/v1/datasets",
    "/v1/datasets/{dataset}/report",
    "/v1/pairs",
    "/v1/pairs/{pair}/analysis",
    "/v1/pairs/{pair}/calibration",
    "/v1/pairs/{pair}/signals",
    "/v1/pairs/{pair}/signals/{time}/work",
    "/v1/correlation",
    "/v1/alerts",
    "/v1/incidents",
    "/v1/rules",
    "/v1/silences",
    "/v1/targets",
    "/v1/deliveries",
    "/v1/alerts/{alert_id}/deliveries",
    "/v1/gaps",
    "/v1/jobs",
    "/v1/radars",
    "/v1/radars/{radar}/confirmations",
    "/v1/scans",
    "/v1/scans/{job}",
}
FROM_ANSWERS = {"cursor", "last-event-id", "time"}
"""Parameters of which an example would be a lie."""


@cache
def document() -> dict[str, Any]:
    """Return the committed document, which is that of the code."""
    return dict(json.loads((DIRECTORY / NAME).read_text(encoding="utf-8")))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_the_committed_document_is_current(generated: Mapping[str, str]) -> None:
    path = DIRECTORY / NAME
    committed = path.read_text(encoding="utf-8") if path.exists() else ""
    assert committed == generated[NAME], f"schemas/{NAME} differs from the code: run make schemas"


def test_every_operation_is_described_and_has_a_name_of_its_own() -> None:
    described = {tag["name"] for tag in document()["tags"]}
    names = []
    for path, method, operation in operations():
        assert operation["description"], (method, path)
        assert set(operation["tags"]) <= described, (method, path)
        names.append(operation["operationId"])
    assert len(names) == len(set(names))


def test_every_parameter_is_described_and_has_an_example_or_few_values() -> None:
    for path, method, operation in operations():
        for parameter in operation.get("parameters", []):
            where, schema = (method, path, parameter["name"]), json.dumps(parameter["schema"])
            assert parameter["description"], where
            told = any(word in schema for word in ('"examples"', '"enum"', '"boolean"'))
            assert told or parameter["name"] in FROM_ANSWERS, where


def test_every_field_is_described() -> None:
    schemas = document()["components"]["schemas"]
    fields = [
        (name, field, told)
        for name, schema in schemas.items()
        for field, told in schema.get("properties", {}).items()
    ]
    assert len(fields) > 200
    assert [(name, field) for name, field, told in fields if not told.get("description")] == []


def test_every_refusal_is_a_problem_document() -> None:
    for path, method, operation in operations():
        responses = operation["responses"]
        for status, response in responses.items():
            if status >= "400":
                assert set(response["content"]) == {"application/problem+json"}, (method, path, status)
        if path not in PROBES:
            assert {"401", "403", "429"} <= set(responses), (method, path)
        if "requestBody" in operation:
            assert {"400", "413", "422"} <= set(responses), (method, path)


def test_probes_need_no_key() -> None:
    open_to_all = {path for path, _, operation in operations() if operation.get("security") == []}
    assert open_to_all == PROBES


def test_every_table_can_be_had_as_csv() -> None:
    tables = {
        path
        for path, method, operation in operations()
        if method == "get" and "text/csv" in operation["responses"]["200"]["content"]
    }
    assert tables == TABLES
