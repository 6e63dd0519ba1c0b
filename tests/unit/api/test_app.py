"""Headers and problem documents of every response, also after an unexpected error."""

import asyncio

import httpx
import pytest

from services.api.app import create_app
from services.api.backend import Backend
from services.api.settings import ApiSettings


def get(path: str) -> httpx.Response:
    app = create_app(Backend(ApiSettings()))

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("SELECT secret FROM /var/lib/somewhere")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_what_nobody_expected_is_a_problem_with_an_id_and_no_details(
    capsys: pytest.CaptureFixture[str],
) -> None:
    response = get("/broken")
    problem = response.json()
    assert (response.status_code, problem["status"], problem["title"]) == (500, 500, "Internal error")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "secret" not in response.text
    assert problem["id"] in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/healthz", 200),
        ("/v1/status", 200),
        ("/v1/pairs", 200),
        ("/readyz", 503),
        ("/v1/symbols", 503),
        ("/x", 404),
    ],
)
def test_without_broker_and_database_every_answer_still_is_one(path: str, status: int) -> None:
    response = get(path)
    assert response.status_code == status
    assert response.headers["X-Pairstream-Feed"] == "unknown"
    assert response.headers["Content-Type"] == f"application/{'json' if status == 200 else 'problem+json'}"
    assert ("Retry-After" in response.headers) == (status == 503)
