"""Options of Faust, and the reason for each."""

import os
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import faust
from faust.types import TP

from services.common.kafka import clients
from services.common.kafka.dead_letters import DeadLetter
from services.common.kafka.losses import Outrun
from services.contracts.topics import ANALYTICS_GROUP
from services.stream_analytics.faust import transport
from services.stream_analytics.settings import StreamSettings

_METADATA_AGE_MS = 5_000


def _count_nothing(_: str, __: int, ___: int) -> None:
    """Accept a loss without counting it."""


async def _no_dead_letter(_: Sequence[DeadLetter]) -> None:
    """Accept an unreadable record without keeping it."""


async def _no_positions() -> Mapping[TP, int]:
    """Return that nothing is stored."""
    return {}


def new_app(
    settings: StreamSettings,
    held: Callable[[], Collection[str]] = frozenset,
    outrun: Outrun = _count_nothing,
    dead_letter: transport.DeadLetterSink = _no_dead_letter,
    positions: transport.Positions = _no_positions,
) -> faust.App:
    """Return an app without agents; nothing is opened before it starts. The others are those of ``transport``."""
    app = faust.App(
        ANALYTICS_GROUP,
        broker=[f"kafka://{server}" for server in settings.brokers.split(",")],
        broker_credentials=_credentials(settings),
        broker_commit_interval=settings.commit_interval_s,
        broker_max_poll_records=2000,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 5,
        # A topic that the broker could not name when work was shared out is left out until this time is over, in which
        # the worker reads nothing of it and knows no better: five minutes unless told.
        consumer_metadata_max_age_ms=_METADATA_AGE_MS,
        cython_optimizations=True,
        # An agent that continued after a failed event would skip it.
        agent_supervisor="mode.supervisors.CrashingSupervisor",
        # Bytes in, bytes out: Faust acknowledges what it cannot decode, so decoding is ours.
        key_serializer="raw",
        value_serializer="raw",
        # What waits is held back before it is fetched, see ``transport``.
        stream_buffer_maxsize=8192,
        stream_wait_empty=False,
        # Faust makes its directories even when its store is memory.
        datadir=str(Path(tempfile.gettempdir(), f"pairstream-faust-{os.getuid()}")),
        store="memory://",
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=settings.partitions,
        web_enabled=False,
    )
    transport.install(app, settings, held, outrun, dead_letter, positions)
    return app


def _credentials(settings: StreamSettings) -> Any:
    """Return Faust's credentials for the security of `settings`, or None for plain text."""
    arguments = clients.connection(settings)
    if settings.kafka_security.startswith("SASL"):
        return faust.SASLCredentials(
            username=arguments["sasl_plain_username"],
            password=arguments["sasl_plain_password"],
            mechanism=arguments["sasl_mechanism"],
            ssl_context=arguments.get("ssl_context"),
        )
    if settings.kafka_security == "SSL":
        return faust.SSLCredentials(arguments["ssl_context"])
    return None
