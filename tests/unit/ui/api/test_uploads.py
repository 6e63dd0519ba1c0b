"""Files passed on to the API."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from services.ui.api import uploads
from services.ui.api.client import ApiClient

PARTS = [bytes([part]) * 1000 for part in range(50)]
HEADERS = {"content-type": "multipart/form-data; boundary=b", "content-length": "50000"}


class Api(httpx.AsyncBaseTransport):
    """An API that notes what it is sent, and answers at once or once it has read everything."""

    def __init__(self, answer: httpx.Response | httpx.HTTPError) -> None:
        self.answer = answer
        self.request: httpx.Request | None = None
        self.parts: list[bytes] = []
        self.given_when_read: list[int] = []
        self.given = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.request = request
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for part in request.stream:
            self.parts.append(part)
            self.given_when_read.append(self.given)
        if isinstance(self.answer, httpx.HTTPError):
            raise self.answer
        return self.answer


def upload(api: Api, path: str = "/send/v1/datasets") -> httpx.Response:
    async def body() -> AsyncIterator[bytes]:
        for part in PARTS:
            api.given += 1
            yield part

    async def run() -> httpx.Response:
        async with ApiClient("http://api.test", api, key="secret") as client:
            server = FastAPI()
            uploads.add(server, client)
            transport = httpx.ASGITransport(server)
            async with httpx.AsyncClient(transport=transport, base_url="http://ui.test") as browser:
                return await browser.post(path, content=body(), headers=HEADERS)

    return asyncio.run(run())


@pytest.mark.parametrize("path", ["/v1/datasets", "/v1/datasets/preview"])
def test_a_body_is_passed_on_part_by_part_with_the_key(path: str) -> None:
    api = Api(httpx.Response(201, json={"dataset_id": "one"}))
    answer = upload(api, f"/send{path}")
    assert (answer.status_code, answer.json()) == (201, {"dataset_id": "one"})
    assert api.request is not None
    assert (api.request.method, str(api.request.url)) == ("POST", f"http://api.test{path}")
    assert api.request.headers["authorization"] == "Bearer secret"
    assert {name: api.request.headers[name] for name in HEADERS} == HEADERS
    assert "transfer-encoding" not in api.request.headers
    assert b"".join(api.parts) == b"".join(PARTS)
    # The first part was read when hardly more had been given.
    assert api.given_when_read[0] <= 2


def test_a_refusal_is_passed_on_as_it_is() -> None:
    document = {"title": "Unusable file", "detail": "a.csv: expected a csv of bars, received an empty file"}
    media_type = {"content-type": "application/problem+json"}
    answer = upload(Api(httpx.Response(422, json=document, headers=media_type)))
    assert (answer.status_code, answer.json()) == (422, document)
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            httpx.ConnectError("Connection refused"),
            "expected an answer from http://api.test: Connection refused",
        ),
        (
            httpx.Response(503, json={"detail": "the database is away"}),
            "received status 503: the database is away",
        ),
    ],
)
def test_an_api_that_is_away_is_a_problem_in_words(
    answer: httpx.Response | httpx.HTTPError, said: str
) -> None:
    refused = upload(Api(answer))
    assert refused.status_code == 502
    assert refused.json()["detail"].endswith(said)
