"""Dashboard server: follows the API's stream, serves the pages."""

from contextlib import closing

import structlog

from services.common.http import serving
from services.common.supervision import Supervisor
from services.ui.api import stream_follower
from services.ui.api.client import ApiClient
from services.ui.app import begin, build, warm
from services.ui.security import MOST_BYTES
from services.ui.series.cache import SeriesCache
from services.ui.settings import UiSettings
from services.ui.state.live_state import LiveState
from services.ui.state.page_context import PageContext

log = structlog.get_logger()


async def serve(settings: UiSettings) -> None:
    """Serve until cancelled; FatalError if the port cannot be had. The API need not be there yet."""
    with closing(serving.listen(settings.ui_host, settings.ui_port, "UI")) as listener:
        market = LiveState()
        async with ApiClient(
            settings.api_url, key=settings.api_key, identity_key=next(iter(settings.identity_key), None)
        ) as client:
            app = build(
                PageContext(
                    market, SeriesCache(client), client, stream_follower.now, brokers=settings.brokers
                ),
                settings.ui_hosts,
                settings.ui_proxies,
                frozenset(settings.ui_operators) if settings.identity_key else None,
            )
            files = await begin(app)
            log.info("serving", url=serving.address(listener), api=settings.api_url)
            tasks = Supervisor()
            tasks.keep("the reader of the stream", lambda: stream_follower.follow(client, market))
            tasks.keep("the reader of pairs and symbols", lambda: stream_follower.refresh(client, market))
            tasks.finish("the first visit", lambda: warm(app, files))
            # The application cannot be started again: it ends with its listener.
            tasks.require("the server", lambda: serving.serve(app, listener, ws_max_size=MOST_BYTES))
            await tasks.run()
