"""The HTTP application: routes, problem documents, and the middleware before them."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from services.api import problems
from services.api.backend import Backend
from services.api.openapi import Application
from services.api.routes import (
    alerts,
    analysis,
    bars,
    calibration,
    correlation,
    datasets,
    deliveries,
    docs,
    events,
    gaps,
    incidents,
    jobs,
    metrics,
    pairs,
    probes,
    radars,
    rules,
    scans,
    signals,
    silences,
    status,
    stream,
    symbols,
    targets,
    ticks,
    work,
)
from services.api.security.middleware import SecurityMiddleware
from services.api.security.request_context import FEED_HEADER, ID_HEADER, RequestContext
from services.api.serialization.listing import MEDIA_TYPES
from services.common.heartbeat import VERSION
from services.common.http.proxies import Proxies

DESCRIPTION = """
All data of pairstream as JSON; tables also as CSV or Parquet (`?format=csv`, `?format=parquet`, or
the Accept header). Tables longer than a page of 10,000 rows are streamed; `next_cursor`, also in the header `Link`,
leads to the rest. Tables that are not streamed, and analyses, have an ETag, the hash of their content. A request with
this ETag as `If-None-Match` gets 304 while the content is the same, also for a range that late or repaired trades can
still change.

Times go in as ISO 8601 with a zone, or as microseconds since 1970; they come out as both (`x_time`, `x_us`).
`start` is inclusive, `end` exclusive. Errors are problem documents (RFC 9457). Every response names the feed
of its numbers (`live`, `replay`, `synthetic`), also in the header `X-Pairstream-Feed`.

`WS /v1/stream?topics=ticks,signals,alerts,status&symbols=&pairs=` pushes a message of type `snapshot`, then messages
of type `update` with the news: the latest tick of each symbol, every closed signal of each pair and the latest signal
since, every alert, and the status once a second; `degraded` has the reason if the broker or the database is away. A
client can change topics and filters without a new connection, and gets missed messages when it comes back. The
details are in `schemas/asyncapi.yaml`. `GET /v1/events` pushes the same as server-sent events.
"""


TAGS = {
    "status": "Health of the pipeline, and the age of its data.",
    "symbols": "The last day of each symbol.",
    "ticks": "Every trade.",
    "bars": "Open, high, low, close and volume of each interval.",
    "datasets": "Uploaded history, in place of the market's.",
    "pairs": "Watched pairs, their settings, signals and analyses.",
    "alerts": "Alerts of the rules, with their acknowledgement and snoozing.",
    "jobs": "Scans of all pairs, and other work that takes longer than a request may.",
    "rules": "Which rules raise alerts, and what would have become of one.",
    "silences": "Alerts that nobody is notified of for a time.",
    "deliveries": "Where alerts are delivered, and what became of each delivery.",
    "gaps": "What the tape missed, and what became of it.",
    "stream": "Live messages, pushed.",
    "probes": "Liveness, readiness and metrics of this process.",
}
# What a page of another origin may send and read, if the settings let it.
CORS = {
    "allow_methods": ("GET", "POST", "PUT", "PATCH", "DELETE"),
    "allow_headers": ("Authorization", "X-API-Key", "X-Request-ID", "If-None-Match", "Last-Event-ID"),
    "expose_headers": (
        "ETag",
        "Link",
        "Retry-After",
        "RateLimit",
        "RateLimit-Policy",
        FEED_HEADER,
        ID_HEADER,
    ),
    "max_age": 600,
}

# Level 1 takes a quarter of the time of level 6 for a twentieth of the saving less. Parquet is compressed already.
# To wait for a thread takes longer than to compress an answer of some hundred rows, which is 1 ms.
GZIP = {
    "minimum_size": 1024,
    "compresslevel": 1,
    "thread_minimum_size": 512 * 1024,
    "exclude_content_types": (*DEFAULT_EXCLUDED_CONTENT_TYPES, MEDIA_TYPES["parquet"]),
}


def create_app(backend: Backend) -> FastAPI:
    """Build the application on `backend`, which the caller runs."""
    app = Application(
        title="pairstream",
        version=VERSION,
        summary="Live pair analytics for crypto futures.",
        description=DESCRIPTION,
        openapi_tags=[{"name": name, "description": description} for name, description in TAGS.items()],
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.backend = backend
    for resource in (
        status,
        symbols,
        ticks,
        bars,
        datasets,
        pairs,
        analysis,
        calibration,
        correlation,
        signals,
        work,
        alerts,
        incidents,
        rules,
        silences,
        targets,
        deliveries,
        gaps,
        scans,
        radars,
        jobs,
        stream,
        events,
        probes,
        metrics,
        docs,
    ):
        app.include_router(resource.router)
    problems.install(app)
    app.add_middleware(GZipMiddleware, **GZIP)  # type: ignore[arg-type]
    app.add_middleware(SecurityMiddleware, settings=backend.settings, keys=backend.keys)
    if backend.settings.api_cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=backend.settings.api_cors_origins, **CORS)  # type: ignore[arg-type]
    app.add_middleware(RequestContext, backend=backend)
    app.add_middleware(Proxies, trusted=backend.settings.api_proxies)
    return app
