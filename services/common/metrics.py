"""Prometheus metrics and ``/healthz`` of services without HTTP, answered from a thread of their own."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.common.errors import FatalError
from services.common.heartbeat import HeartbeatState
from services.common.settings import MetricsSettings

_WELL = ("running", "finished")


class HeartbeatMetrics(Collector):
    """Metrics of a service: those of its heartbeat, and `known` values, computed when Prometheus asks."""

    def __init__(
        self,
        heartbeat: HeartbeatState,
        known: Mapping[str, Callable[[], float | None]] | None = None,
        prefix: str | None = None,
        levels: Collection[str] = (),
    ) -> None:
        """`known` are gauges by name; one that is None at the moment is left out. `levels` are counters that also fall.

        Names begin with `prefix`, without it with ``pairstream_`` and the service's.
        """
        self.registry = CollectorRegistry()
        self._heartbeat = heartbeat
        self._prefix = prefix or f"pairstream_{heartbeat.service}_"
        self._levels = levels
        self._known = {
            "lag_messages": lambda: heartbeat.lag_messages,
            "lag_seconds": lambda: heartbeat.lag_seconds,
            **(known or {}),
        }
        self.registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Yield every counter and gauge of this moment."""
        for name, count in list(self._heartbeat.counters.items()):
            if name in self._levels:
                yield self._gauge(name, count)
            else:
                yield CounterMetricFamily(f"{self._prefix}{name}", f"Since the start: {name}.", value=count)
        for name, ask in self._known.items():
            if (value := ask()) is not None:
                yield self._gauge(name, value)
        if (filling := self._heartbeat.filling) is not None:
            yield self._gauge("filling_done_seconds", filling.done_s)
            yield self._gauge("filling_total_seconds", filling.total_s)
        if delivery := dict(self._heartbeat.delivery):
            after = "Seconds from a trade to its receipt, over the last minute's trades."
            lags = GaugeMetricFamily("pairstream_delivery_lag_seconds", after, labels=["symbol", "quantile"])
            for symbol, lag in delivery.items():
                lags.add_metric([symbol, "0.5"], lag.p50_ms / 1000)
                lags.add_metric([symbol, "0.99"], lag.p99_ms / 1000)
            yield lags
        if rates := dict(self._heartbeat.trade_rates):
            said = "a second, over the last minute"
            trades = GaugeMetricFamily("pairstream_trades_per_second", f"Trades {said}.", labels=["symbol"])
            volume = GaugeMetricFamily(
                "pairstream_quote_volume_per_second",
                f"Price times size of the trades {said}.",
                labels=["symbol"],
            )
            for symbol, rate in rates.items():
                trades.add_metric([symbol], rate.trades)
                volume.add_metric([symbol], rate.quote_volume)
            yield from (trades, volume)
        if lost := dict(self._heartbeat.lost):
            deleted = "Since the start: messages that the broker had deleted before they were read."
            family = CounterMetricFamily(f"{self._prefix}lost_messages", deleted, labels=["topic"])
            for topic, messages in lost.items():
                family.add_metric([topic], messages)
            yield family

    def _gauge(self, name: str, value: float) -> Metric:
        return GaugeMetricFamily(f"{self._prefix}{name}", f"Now: {name}.", value=value)


@contextmanager
def published(
    settings: MetricsSettings, heartbeat: HeartbeatState, registry: CollectorRegistry
) -> Iterator[None]:
    """Answer Prometheus meanwhile, if the settings name a port; healthy is what the heartbeat calls well."""
    if not settings.metrics_port:
        yield
        return
    with answering(registry, settings.metrics_host, settings.metrics_port, lambda: heartbeat.state in _WELL):
        yield


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without asking who we are: a name server that is away would take its time."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = map(str, self.server_address[:2])  # type: ignore[assignment]
        self.setup_environ()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Write no line for each request."""


@contextmanager
def answering(
    registry: CollectorRegistry, host: str, port: int, is_healthy: Callable[[], bool]
) -> Iterator[str]:
    """Answer ``/metrics`` and ``/healthz`` (503 unless `is_healthy`) meanwhile, and yield the base URL.

    FatalError names ``PAIRSTREAM_METRICS_PORT`` if the address cannot be had.
    """
    metrics: Callable[..., Iterable[bytes]] = make_wsgi_app(registry)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/healthz":
            return metrics(environ, start_response)
        healthy = is_healthy()
        status = "200 OK" if healthy else "503 Service Unavailable"
        start_response(status, [("Content-Type", "text/plain")])
        return [b"ok\n" if healthy else b"unhealthy\n"]

    try:
        server = _Server((host, port), _Quiet)
    except OSError as error:
        raise FatalError(
            f"PAIRSTREAM_METRICS_PORT: expected a free port, received {port} on {host}: {error.strerror}"
        ) from error
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
