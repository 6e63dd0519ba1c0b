"""Static cache: files that never change, compressed once for all visitors."""

from collections.abc import Collection
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# There are some fifty files; more names come only from an intruder.
MOST = 200


class StaticCache:
    """Answers a GET below `paths` with what `app` answered to the first one of the same address, gzip or not."""

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app = app
        self._paths = tuple(paths)
        self._answers: dict[tuple[str, bytes, bool], list[Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from the cache, or cache a response of status 200."""
        headers = dict(scope.get("headers", ()))
        is_file = (
            scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith(self._paths)
        )
        if not is_file or b"if-none-match" in headers or b"range" in headers:
            await self._app(scope, receive, send)
            return
        key = scope["path"], scope["query_string"], b"gzip" in headers.get(b"accept-encoding", b"")
        answer = self._answers.get(key)
        if answer is None:
            answer = await self._answer(scope, receive)
            if answer[0]["status"] == HTTPStatus.OK and len(self._answers) < MOST:
                self._answers[key] = answer
        for message in answer:
            # The middleware before this one changes the headers.
            await send({**message, "headers": list(message["headers"])} if "headers" in message else message)

    async def _answer(self, scope: Scope, receive: Receive) -> list[Message]:
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._app(scope, receive, keep)
        return answer
