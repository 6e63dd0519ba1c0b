"""Serve the dashboard: the API's stream in, the page out."""

from contextlib import closing

import structlog

from services.common import serving
from services.common.supervision import Supervisor
from services.ui import hub
from services.ui.app import begin, build, warm
from services.ui.client import ApiClient
from services.ui.door import MOST_BYTES
from services.ui.market import Market
from services.ui.settings import UiSettings
from services.ui.tracks import Tracks
from services.ui.view import Site

log = structlog.get_logger()


async def serve(settings: UiSettings) -> None:
    """Serve until cancelled; FatalError if the port cannot be had. The API need not be there yet."""
    with closing(serving.listen(settings.ui_host, settings.ui_port, "UI")) as listener:
        market = Market()
        async with ApiClient(settings.api_url, key=settings.api_key) as client:
            app = build(
                Site(market, Tracks(client), client, hub.now, brokers=settings.brokers),
                settings.ui_hosts,
                settings.ui_proxies,
            )
            files = await begin(app)
            log.info("serving", url=serving.address(listener), api=settings.api_url)
            tasks = Supervisor()
            tasks.keep("the reader of the stream", lambda: hub.follow(client, market))
            tasks.keep("the reader of pairs and symbols", lambda: hub.refresh(client, market))
            tasks.finish("the first visit", lambda: warm(app, files))
            # It cannot be started again: it ends with its listener.
            tasks.require("the server", lambda: serving.serve(app, listener, ws_max_size=MOST_BYTES))
            await tasks.run()
