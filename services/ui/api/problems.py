"""Problem documents of the API as texts, each at the field it concerns."""

from typing import Any, NamedTuple

import httpx

FORBIDDEN = (401, 403)
KEY_WANTED = "The dashboard asks with its own key: PAIRSTREAM_API_KEY must be one with the role write."


class FieldProblem(NamedTuple):
    """Problem in words: by the name of a field, and apart what concerns none of them."""

    fields: dict[str, str]
    rest: str


def read(response: httpx.Response, fields: tuple[str, ...] = ()) -> FieldProblem:
    """Return what an answer that refuses says; `fields` are those there are controls for."""
    try:
        document: dict[str, Any] = response.json()
        detail = str(document["detail"])
        errors = document.get("errors") or []
        said = [(str(error["field"]), _words(error)) for error in errors]
    except (ValueError, KeyError, TypeError):
        return FieldProblem({}, f"The API answered with status {response.status_code} and no reason.")
    if response.status_code in FORBIDDEN:
        return FieldProblem({}, f"{_sentence(detail)} {KEY_WANTED}")
    placed: dict[str, str] = {}
    rest = [] if said else [_sentence(detail)]
    for field, words in said:
        if place := _place(field, words, fields):
            placed[place] = words
        else:
            rest.append(words)
    return FieldProblem(placed, " ".join(rest))


def _place(field: str, words: str, fields: tuple[str, ...]) -> str | None:
    """Return the control for `field`; a problem with several fields is shown at the first it names."""
    name = field.partition(".")[0]
    if field in fields or name in fields:
        return field if field in fields else name
    found = [(words.index(known), known) for known in fields if known in words]
    return min(found)[1] if found and name == "body" else None


def _words(error: dict[str, Any]) -> str:
    received = error.get("received")
    if received is None or error["field"] == "body":
        return f"Expected {error['expected']}."
    return f"Expected {error['expected']}, received {received or 'nothing'}."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."
