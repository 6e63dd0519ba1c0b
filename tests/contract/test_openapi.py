"""The committed OpenAPI document is that of the code, and every route keeps the promises made to all."""

import json

from services.local.schemas import DIRECTORY, documents

NAME = "openapi.json"


def test_the_committed_document_is_current() -> None:
    path = DIRECTORY / NAME
    committed = path.read_text(encoding="utf-8") if path.exists() else ""
    assert committed == documents()[NAME], f"schemas/{NAME} differs from the code: run make schemas"


def test_everything_is_read_only_and_described() -> None:
    for path, operations in json.loads(documents()[NAME])["paths"].items():
        assert list(operations) == ["get"], path
        operation = operations["get"]
        assert operation["description"], path
        for status, response in operation["responses"].items():
            media_types = set(response["content"])
            if status >= "400":
                assert media_types == {"application/problem+json"}, (path, status)
            else:
                assert "application/json" in media_types, path


def test_every_table_can_be_had_as_csv() -> None:
    paths = json.loads(documents()[NAME])["paths"]
    tables = {
        path for path, item in paths.items() if "text/csv" in item["get"]["responses"]["200"]["content"]
    }
    assert tables == {
        "/v1/symbols",
        "/v1/ticks",
        "/v1/bars",
        "/v1/pairs",
        "/v1/pairs/{pair}/signals",
        "/v1/alerts",
        "/v1/gaps",
    }
