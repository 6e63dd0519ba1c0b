"""Caller of the fake API: checks each of its answers against the documents of the real one."""

import asyncio
import json
from typing import Any

import httpx
import jsonschema_rs
from fastapi import FastAPI
from fastapi.routing import APIRoute

from services.cli import asyncapi
from services.cli.schemas import DIRECTORY

Document = dict[str, Any]

HTTP: Document = json.loads((DIRECTORY / "openapi.json").read_text(encoding="utf-8"))
STREAM: Document = asyncapi.document()


def require(schema: Document, document: Document, answer: Any, where: str) -> None:
    """AssertionError with the places where an answer is not what a schema of the document says."""
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})
    wrong = [
        f"{'/'.join(map(str, one.instance_path))}: {one.message}" for one in validator.iter_errors(answer)
    ]
    assert not wrong, f"{where}: {wrong[:5]}"


class Caller:
    """Asks the fake API, checks its answers, and notes which routes gave one."""

    def __init__(self, app: FastAPI, runner: asyncio.Runner) -> None:
        self._app, self._runner = app, runner
        self.routes = {
            (method, route.path)
            for route in app.routes
            if isinstance(route, APIRoute) and route.path.startswith("/v1/")
            for method in route.methods or ()
        }
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://fake.test")
        self.asked: set[tuple[str, str]] = set()

    def fake(self, path: str, **query: Any) -> Any:
        """Set what the API is to say."""
        return self._send("POST", f"/fake/{path}", params=query).raise_for_status().json()

    def __call__(self, method: str, path: str, status: int = 200, **sent: Any) -> Any:
        """Return an answer; what is a place of the path is taken from `sent`, the rest is what httpx takes."""
        places = {name: sent.pop(name) for name in list(sent) if f"{{{name}}}" in path}
        response = self._send(method, path.format(**places), **sent)
        assert response.status_code == status, response.text
        self.asked.add((method, path))
        if status == httpx.codes.NO_CONTENT:
            return None
        kind = response.headers["content-type"].partition(";")[0]
        content = HTTP["paths"][path][method.lower()]["responses"][str(status)]["content"][kind]
        if kind == "text/csv":
            return response.text
        require(content["schema"], HTTP, response.json(), f"{method} {response.url} {status}")
        return response.json()

    def messages(self, count: int) -> list[Document]:
        """Return the first messages of the stream."""
        return self._runner.run(asyncio.wait_for(self._messages(count), 10))

    def _send(self, method: str, path: str, **sent: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, **sent))

    async def _messages(self, count: int) -> list[Document]:
        sent: asyncio.Queue[Any] = asyncio.Queue()
        receive = iter([{"type": "websocket.connect"}])

        async def next_event() -> Any:
            return next(receive, None) or await asyncio.Event().wait()

        scope = {
            "type": "websocket",
            "path": "/v1/stream",
            "headers": [],
            "query_string": b"",
            "subprotocols": [],
        }
        task = asyncio.create_task(self._app(scope, next_event, sent.put))
        assert (await sent.get())["type"] == "websocket.accept"
        messages = [json.loads((await sent.get())["text"]) for _ in range(count)]
        task.cancel()
        await asyncio.wait([task])
        for message in messages:
            schema = {"$ref": f"#/components/schemas/{message['type'].capitalize()}"}
            require(schema, STREAM, message, f"stream, {message['type']}")
        return messages
