"""Metrics of requests: count, duration and concurrency; no label value comes from a caller."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import Scope

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_OTHER = "other"
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class RequestMetrics:
    """The metrics of all requests and streams of a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answers = Counter(
            "pairstream_api_requests",
            "Requests answered; a stream that was let in has status 101.",
            ("route", "method", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "pairstream_api_request_seconds",
            "From a request until its answer begins.",
            ("route", "method"),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._open = Gauge("pairstream_api_open", "Running now.", ("kind",), registry=registry)

    @contextmanager
    def running(self, scope: Scope) -> Iterator[None]:
        """Count one more of its kind, ``http`` or ``websocket``, meanwhile."""
        with self._open.labels(scope["type"]).track_inprogress():
            yield

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Count an answer."""
        route, method = template(scope), method_of(scope)
        self._answers.labels(route, method, str(status)).inc()
        self._seconds.labels(route, method).observe(seconds)


def template(scope: Scope) -> str:
    """Return the path of the route that answered, with its parameters' names in place of their values."""
    return str(getattr(scope.get("route"), "path", _OTHER))


def method_of(scope: Scope) -> str:
    """Return the method of a request, if there is such a one."""
    if scope["type"] == "websocket":
        return "WEBSOCKET"
    return scope["method"] if scope["method"] in _METHODS else _OTHER
