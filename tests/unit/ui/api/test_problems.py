"""Problem documents as texts at their fields."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ui.api import problems
from services.ui.api.problems import FieldProblem

FIELDS = ("window", "entry_z", "exit_z", "intercept")


def error(field: str, expected: str, received: str | None) -> dict[str, Any]:
    return {"field": field, "expected": expected, "received": received}


def answer(status: int, *errors: dict[str, Any], detail: str = "it is wrong") -> httpx.Response:
    return httpx.Response(status, json={"detail": detail, "errors": list(errors) or None})


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        (
            answer(422, error("window", "less than or equal to 100000", "200000")),
            FieldProblem({"window": "Expected less than or equal to 100000, received 200000."}, ""),
        ),
        (
            answer(422, error("body", "exit_z below entry_z 2", "{}")),
            FieldProblem({"exit_z": "Expected exit_z below entry_z 2."}, ""),
        ),
        (
            answer(422, error("window.int", "a valid integer", "x"), error("limit", "a limit", None)),
            FieldProblem({"window": "Expected a valid integer, received x."}, "Expected a limit."),
        ),
        (
            answer(422, error("window", "a valid integer", "")),
            FieldProblem({"window": "Expected a valid integer, received nothing."}, ""),
        ),
        (answer(404, detail="expected one of A-B"), FieldProblem({}, "Expected one of A-B.")),
        (
            httpx.Response(400, text="<html>"),
            FieldProblem({}, "The API answered with status 400 and no reason."),
        ),
        (httpx.Response(400, json=[]), FieldProblem({}, "The API answered with status 400 and no reason.")),
    ],
)
def test_every_problem_is_said_at_its_field_or_below(found: httpx.Response, wrong: FieldProblem) -> None:
    assert problems.read(found, FIELDS) == wrong


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_permission_names_what_would_help(status: int) -> None:
    wrong = problems.read(answer(status, detail="expected a key"), FIELDS)
    assert wrong == FieldProblem({}, f"Expected a key. {problems.KEY_WANTED}")


@given(st.binary(max_size=200))
def test_no_answer_is_too_odd_to_be_read(content: bytes) -> None:
    assert problems.read(httpx.Response(422, content=content), FIELDS).rest
