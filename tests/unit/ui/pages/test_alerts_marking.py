"""Judgement of an incident: what the API is asked, and what is said when it refuses."""

from typing import Any

import httpx
import msgspec
import pytest

from services.ui.pages.alerts import marking
from services.ui.state.page_context import PageContext
from tests.unit.ui.conftest import Make
from tests.unit.ui.pages.test_rules_actions import on_api


def test_a_judgement_is_stored_with_its_note(site: PageContext, incident: Make) -> None:
    told = httpx.Response(
        200, content=msgspec.json.encode(incident(1, false_us=7, false_by="desk", note="x"))
    )
    (marked, why), asked = on_api(site, lambda on: marking.mark(on, "a:b", is_false=True, note="x"), told)
    assert (asked[0].method, asked[0].url.path) == ("POST", "/v1/incidents/a:b/mark")
    assert msgspec.json.decode(asked[0].content) == {"is_false": True, "note": "x"}
    assert marked is not None
    assert (marked.note, why) == ("x", "")


@pytest.mark.parametrize(
    ("status", "document", "why"),
    [
        (404, {"detail": "expected the id of an alert"}, "Expected the id of an alert."),
        (
            422,
            {"detail": "note", "errors": [{"field": "note", "expected": "500 letters", "received": "x"}]},
            "Expected 500 letters, received x.",
        ),
        (503, {"detail": "away"}, "away"),
    ],
)
def test_a_refusal_is_said(status: int, document: dict[str, Any], why: str, site: PageContext) -> None:
    answer = httpx.Response(status, json=document)
    (marked, told), _ = on_api(site, lambda on: marking.mark(on, "a", is_false=True, note="x"), answer)
    assert marked is None
    assert why in told
