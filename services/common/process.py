"""Process of a service: settings, logs, run until a signal, one clear line if it cannot start."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

import structlog
import uvloop

from services.common import logs
from services.common.errors import FatalError, PairstreamError
from services.common.settings import Settings, load

S = TypeVar("S", bound=Settings)
# Every task of the process sees it.
_ending: ContextVar[asyncio.Event] = ContextVar("ending")
log = structlog.get_logger()


def start(service: str, kind: type[S]) -> S:
    """Read the settings and set up the logs; a wrong setting ends the process with one line."""
    try:
        _check_metrics_directory()
        settings = load(kind)
    except FatalError as error:
        sys.exit(f"{service}: {error}")
    logs.configure(service, settings.log_level, settings.log_format)
    return settings


def _check_metrics_directory() -> None:
    """Raise FatalError if Prometheus' client cannot write to its directory; the client itself raises only at import."""
    name = "PROMETHEUS_MULTIPROC_DIR"
    if (path := os.environ.get(name)) and not os.access(path, os.W_OK | os.X_OK):
        raise FatalError(
            f"{name}: expected a directory that can be written, received {path!r}; make it or unset the variable"
        )


def run(
    service: str,
    serve: Callable[[], Awaitable[None]],
    new_loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop,
) -> None:
    """Run `serve` until it returns or SIGTERM or SIGINT cancels it; an error of ours is one line and exit code 1."""
    _collect_less()
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_until_signalled(serve))
    except PairstreamError as error:
        sys.exit(f"{service}: {error}")
    except BaseExceptionGroup as group:
        # A task group wraps what its tasks raise.
        ours: BaseException | None = group.subgroup(PairstreamError)
        if ours is None:
            raise
        while isinstance(ours, BaseExceptionGroup):
            ours = ours.exceptions[0]
        sys.exit(f"{service}: {ours}")


def is_ending() -> bool:
    """Tell whether a signal has asked this process to end."""
    ending = _ending.get(None)
    return ending is not None and ending.is_set()


def _collect_less() -> None:
    """Exclude imported objects from garbage collection, and collect once per page of rows, not per row or two."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def _until_signalled(serve: Callable[[], Awaitable[None]]) -> None:
    ending = asyncio.Event()
    _ending.set(ending)
    task = asyncio.ensure_future(serve())
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)

    def stop() -> None:
        for signum in signals:
            # A second one must not cut the clean end short.
            loop.add_signal_handler(signum, lambda: None)
        ending.set()
        task.cancel()

    for signum in signals:
        loop.add_signal_handler(signum, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not ending.is_set():
            raise FatalError(
                "expected to run until a signal, but was cancelled though nobody asked"
            ) from None
        log.info("stopped")
