"""``pairstream up``: checks first, starts the whole pipeline, reports when it is ready, stops cleanly."""

import argparse
import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from services.alerting.settings import AlertingSettings
from services.api.security.api_keys import ApiKeys
from services.api.settings import ApiSettings
from services.common import logs, process
from services.common.errors import FatalError
from services.common.settings import StoreSettings, load
from services.common.supervision import Supervisor
from services.delivery.settings import DeliverySettings
from services.ingest import service as ingest
from services.ingest.feeds.reachability import reachable
from services.ingest.settings import IngestSettings
from services.local import (
    alert_configs,
    data_directory,
    feed_database,
    pairs,
    readiness,
    run_directory,
    stored_market,
    symbols,
)
from services.local.embedded_broker import FETCH_MAX_WAIT_MS, KEEPS_BYTES, EmbeddedBroker
from services.local.embedded_database import EmbeddedDatabase
from services.local.settings import DEFAULT_DATA_DIR, KEEP, UpSettings, unknown
from services.local.supervisor import Child, ServiceCommand
from services.local.terminal import log_line, write
from services.research.settings import ResearchSettings
from services.sink.settings import SinkSettings
from services.store import schema
from services.stream_analytics.settings import StreamSettings
from services.ui.settings import UiSettings

SERVICES = ("sink", "stream_analytics", "alerting", "api", "ui", "ingest", "research")
# Delivery runs in the process of alerting.
_MODULES = {"alerting": "services.local.alerting_process"}
_PATIENCE_S = 5.0


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("--feed", choices=("auto", "live", "replay", "synthetic"), help="default: auto")
    parser.add_argument(
        "--replay-file",
        metavar="PATH",
        help="recorded frames, ndjson ticks or the venue's archive; a directory of it; several by commas",
    )
    parser.add_argument(
        "--replay-store",
        metavar="START..END",
        help="stored ticks between two times, into a database of its own",
    )
    parser.add_argument("--speed", metavar="N", help="replay and synthetic: N times real time, or max")
    parser.add_argument("--symbols", metavar="A,B", help="what to ingest")
    parser.add_argument("--pairs", metavar="Y-X,...", help="what to analyse: Y is regressed on X")
    parser.add_argument(
        "--keep",
        metavar="AGE",
        help=f"of raw ticks, such as 12h, 30d, forever; default: {KEEP}, of a replay forever",
    )
    parser.add_argument("--seed", metavar="N", help="of the synthetic feed")
    parser.add_argument(
        "--data-dir", metavar="DIR", type=Path, default=DEFAULT_DATA_DIR, help="default: %(default)s"
    )
    parser.add_argument("--api-port", metavar="PORT", help="default: 8000; 0 takes a free one")
    parser.add_argument("--ui-port", metavar="PORT", help="default: 8050; 0 takes a free one")
    parser.set_defaults(run=_run)


def _run(flags: argparse.Namespace) -> None:
    logs.configure("pairstream", log_format="console")
    # uvloop starts no process as another user, as the database must be.
    process.run("pairstream", lambda: up(UpSettings.of(flags)), asyncio.new_event_loop)


async def up(settings: UpSettings) -> None:
    """Run until cancelled. FatalError, before anything is started, if the run cannot work."""
    environment = {**settings.environment, "PAIRSTREAM_LOG_FORMAT": "console"}
    async with data_directory.held(settings.data_dir) as directory:
        api, ui = load(ApiSettings, environment), load(UiSettings, environment)
        _check_key(api, ui)
        api_port = _free_port(api.api_host, api.api_port, "--api-port")
        ui_port = _free_port(ui.ui_host, ui.ui_port, "--ui-port")
        api_url, ui_url = _url(api.api_host, api_port), _url(ui.ui_host, ui_port)
        environment |= {
            "PAIRSTREAM_API_PORT": str(api_port),
            "PAIRSTREAM_UI_PORT": str(ui_port),
            "PAIRSTREAM_API_URL": api_url,
            "PAIRSTREAM_FETCH_MAX_WAIT_MS": str(FETCH_MAX_WAIT_MS),
            "PAIRSTREAM_BROKER_KEEPS_BYTES": str(KEEPS_BYTES),
            "PAIRSTREAM_SESSION_TIMEOUT_S": "6",
            "PAIRSTREAM_DISK_DIRECTORY": str(directory.path),
        }
        environment["PAIRSTREAM_FEED"] = await _choose_feed(settings, environment)
        ingest_settings = await _check(environment)
        async with AsyncExitStack() as stack:
            broker = EmbeddedBroker()
            sockets = stack.enter_context(run_directory.made())
            # A socket's path may have 103 bytes, which is little where temporary directories have long names.
            wakes, postgresql = sockets / "w", sockets / "postgresql"
            wakes.mkdir()
            postgresql.mkdir()
            await directory.confirm()
            embedded = await asyncio.to_thread(
                EmbeddedDatabase, directory.path / "postgresql", postgresql, log_line
            )
            await stack.enter_async_context(_running([embedded.child]))
            name, history = await stored_market.prepare(embedded, ingest_settings, feed_database.name)
            environment |= history
            url = await embedded.create(name, feed_database.former_names(ingest_settings))
            await asyncio.to_thread(schema.upgrade, url, load(StoreSettings, environment))
            environment |= {
                "PAIRSTREAM_BROKERS": broker.servers,
                "PAIRSTREAM_WAKE_DIRECTORY": str(wakes),
                "PAIRSTREAM_DATABASE_URL": url,
            }
            await symbols.restore(load(StreamSettings, environment), load(StoreSettings, environment))
            await pairs.restore(load(StreamSettings, environment), load(StoreSettings, environment))
            await alert_configs.restore(load(AlertingSettings, environment))
            services = [Child(_service(name, environment), log_line) for name in SERVICES]
            await stack.enter_async_context(_running(services))
            await readiness.wait(api_url, ui_url, services, ui.api_key)
            write(
                f"ready  dashboard {ui_url}  api {api_url}/docs  "
                f"feed {environment['PAIRSTREAM_FEED']}  brokers {broker.servers}  database {url}"
            )
            tasks = Supervisor()
            for child in (embedded.child, *services):
                tasks.require(f"the watch over {child.command.name}", child.watched)
            await tasks.run()


def _service(name: str, environment: Mapping[str, str]) -> ServiceCommand:
    return ServiceCommand(name, [sys.executable, "-m", _MODULES.get(name, f"services.{name}")], environment)


@asynccontextmanager
async def _running(children: list[Child]) -> AsyncIterator[None]:
    for child in children:
        child.start()
    try:
        yield
    finally:
        await asyncio.gather(*(child.stop(_PATIENCE_S) for child in children))


async def _choose_feed(settings: UpSettings, environment: Mapping[str, str]) -> str:
    if settings.feed != "auto":
        return settings.feed
    reason = await reachable(load(IngestSettings, {**environment, "PAIRSTREAM_FEED": "live"}), timeout_s=5)
    if reason is None:
        return "live"
    log_line("pairstream", f"the live feed cannot be reached: {reason}")
    log_line("pairstream", "*** SYNTHETIC DATA: every price below is made up ***")
    return "synthetic"


async def _check(environment: Mapping[str, str]) -> IngestSettings:
    """Refuse what a service would refuse, before anything runs; return what ingest will read."""
    settings = load(IngestSettings, environment)
    kinds = (
        StreamSettings,
        AlertingSettings,
        DeliverySettings,
        SinkSettings,
        ResearchSettings,
        ApiSettings,
        UiSettings,
    )
    for kind in kinds:
        load(kind, environment)
    for warning in unknown(environment, (IngestSettings, *kinds)):
        log_line("pairstream", warning)
    # What is stored is known once the database runs.
    if settings.replay_store is None:
        await ingest.check(settings)
    return settings


def _check_key(api: ApiSettings, ui: UiSettings) -> None:
    if api.api_keys_file is not None and ApiKeys(api.api_keys_file).find(ui.api_key or "") is None:
        raise FatalError(
            f"PAIRSTREAM_API_KEY: expected a key of {api.api_keys_file}, which the dashboard asks the API with, "
            f"received {'none' if ui.api_key is None else 'another'}"
        )


def _free_port(host: str, port: int, flag: str) -> int:
    """Return `port` if no process listens there, or any free port for 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise FatalError(
                f"{flag}: expected a free port, but {port} on {host} is taken ({error.strerror}); "
                f"choose another with {flag}"
            ) from None
        return int(probe.getsockname()[1])


def _url(host: str, port: int) -> str:
    """Return where this machine reaches a listener on `host`."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{reached}:{port}"
