"""Registry of schemas, as Redpanda and Confluent have it: the JSON Schema of each topic's messages, by HTTP.

Writers only ever add optional fields and readers ignore unknown ones, so who reads by the schema before can read what
is written now: the registry calls that ``FORWARD``. (``BACKWARD`` refuses any field that is added to an open object.)
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from services.common.errors import AwayError, FatalError, TransientError, reason_of
from services.contracts.messages import MESSAGES
from services.contracts.topic_messages import MESSAGE_OF

DIRECTORY = Path(__file__).parents[2] / "schemas"
COMPATIBILITY = "FORWARD"
TIMEOUT_S = 10.0


def subjects() -> dict[str, str]:
    """Return the schema of each topic's values, by the subject that registries and consoles look for."""
    return {
        f"{topic.name}-value": (DIRECTORY / f"{message}.v1.json").read_text(encoding="utf-8")
        for topic, message in MESSAGE_OF.items()
        if message in MESSAGES
    }


def register(url: str, schemas: Mapping[str, str]) -> None:
    """Register schemas by subject; FatalError if a registered one says that it is not compatible."""
    with _registry(url) as client:
        for subject, schema in schemas.items():
            _ask(client, "PUT", f"/config/{quote(subject)}", {"compatibility": COMPATIBILITY})
            answer = _ask(client, "POST", f"/subjects/{quote(subject)}/versions", _body(schema))
            if answer.status_code == HTTPStatus.CONFLICT:
                raise _incompatible(subject, [_said(answer)])


def check(url: str, schemas: Mapping[str, str]) -> list[str]:
    """Return the subjects that the registry does not know; FatalError names the first that is not compatible."""
    unknown = []
    with _registry(url) as client:
        for subject, schema in schemas.items():
            path = f"/compatibility/subjects/{quote(subject)}/versions/latest?verbose=true"
            answer = _ask(client, "POST", path, _body(schema))
            if answer.status_code == HTTPStatus.NOT_FOUND:
                unknown.append(subject)
            elif not answer.json().get("is_compatible"):
                raise _incompatible(subject, answer.json().get("messages", []))
    return unknown


def _body(schema: str) -> dict[str, str]:
    return {"schemaType": "JSON", "schema": schema}


@contextmanager
def _registry(url: str) -> Iterator[httpx.Client]:
    if urlsplit(url).scheme not in ("http", "https"):
        raise FatalError(f"URL: expected a registry such as http://redpanda:8081, received {url!r}")
    with httpx.Client(base_url=url, timeout=TIMEOUT_S) as client:
        yield client


def _ask(client: httpx.Client, method: str, path: str, body: dict[str, str]) -> httpx.Response:
    """Return the answer, also one that says that a schema is unknown or in conflict; errors for all others."""
    try:
        answer = client.request(method, path, json=body)
    except httpx.HTTPError as error:
        raise AwayError(
            "the registry", f"expected a registry of schemas at {client.base_url}: {reason_of(error)}"
        ) from error
    if answer.is_success or answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
        if _is_json(answer):
            return answer
        raise FatalError(
            f"URL: expected a registry of schemas at {client.base_url}, received no JSON from {method} {path}"
        )
    kind = TransientError if answer.is_server_error else FatalError
    raise kind(
        f"{method} {path}: expected the registry to agree, received {answer.status_code} {_said(answer)}"
    )


def _is_json(answer: httpx.Response) -> bool:
    try:
        return isinstance(answer.json(), dict)
    except ValueError:
        return False


def _said(answer: httpx.Response) -> str:
    said: Any = answer.json().get("message") if _is_json(answer) else answer.text[:200]
    return str(said)


def _incompatible(subject: str, reasons: list[str]) -> FatalError:
    return FatalError(
        f"{subject}: expected a schema by which readers of the registered one can go on, received one that differs in "
        f"{'; '.join(map(str, reasons)) or 'what the registry does not say'}; keep the field and add another one"
    )
